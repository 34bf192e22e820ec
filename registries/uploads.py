"""What is uploaded for a version before it is complete: its files, and the list of them.

Each is a row as soon as its bytes are there, so that they are kept; what a team has already is not uploaded again.
Versions may have many files, so those of deleted ones are freed later and together, by `storage.release_unused`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404

from projects import storage
from projects.models import Blob, Team
from registries import manifests
from registries.models import Artifact, ArtifactFile, ArtifactManifest, ArtifactState

FILE = "artifact-file"
MANIFEST = "artifact-manifest"
AT_ONCE = 500


class NotPending(Exception):
    """The version is complete, or was deleted: its files cannot change any more."""

    def __init__(self, artifact: Artifact) -> None:
        what = "was deleted" if artifact.state == ArtifactState.DELETED else "is complete"
        super().__init__(f"This version of {artifact.collection} {what}; its files cannot change. Log a new version.")


def promise_manifest(artifact: Artifact, *, md5: str, base: Artifact | None = None) -> ArtifactManifest:
    """Say which list of files is going to be uploaded; with a `base`, what that version has is added to it.

    Raises:
        ValidationError: no MD5, or the base is of another collection.
        NotPending: the version is complete.
    """
    if md5 and not manifests.is_md5(md5):
        raise ValidationError("The digest of the list of files is no MD5 in base64.")
    if base is not None and base.collection_id != artifact.collection_id:
        raise ValidationError(f"The version to add files to is not of {artifact.collection}.")
    if artifact.state != ArtifactState.PENDING:
        raise NotPending(artifact)
    manifest, _ = ArtifactManifest.objects.update_or_create(artifact=artifact, defaults={"md5": md5, "base": base})
    return manifest


def manifest_numbered(number: int) -> ArtifactManifest:
    """The list of files with this key, whoever may see it.

    Raises:
        Http404: there is none.
    """
    found = ArtifactManifest.objects.select_related("base").filter(pk=number).first()
    if found is None:
        raise Http404("There is no such list of files.")
    return found


def manifest_token(manifest: ArtifactManifest) -> str:
    """The part of an address under which the list of files is taken; see `storage.upload_token`."""
    return storage.upload_token(MANIFEST, artifact=manifest.artifact_id, md5=manifest.md5)


def promise_files(artifact: Artifact, digests: Mapping[str, str]) -> dict[str, str]:
    """Say which files are going to be uploaded, as path and MD5 in base64. Returns the token of the address for each,
    without those whose content the team has already.

    Raises:
        ValidationError: a path or a digest is none.
        NotPending: the version is complete.
    """
    for path, md5 in digests.items():
        manifests.check_path(path)
        if not manifests.is_md5(md5):
            raise ValidationError(f"The digest of “{path}” is no MD5 in base64.")
    if artifact.state != ArtifactState.PENDING:
        raise NotPending(artifact)
    with transaction.atomic():
        known = blobs_of(team_of(artifact), digests.values())
        _place_all(artifact, {path: known[md5] for path, md5 in digests.items() if md5 in known})
    return {path: _file_token(artifact, path, md5) for path, md5 in digests.items() if md5 not in known}


def blobs_of(team: Team, digests: Iterable[str]) -> dict[str, Blob]:
    """What the team has uploaded of these contents, by MD5; held until the caller's transaction ends."""
    wanted = sorted(set(digests))
    found: dict[str, Blob] = {}
    for start in range(0, len(wanted), AT_ONCE):
        some = Blob.objects.select_for_update().filter(team=team, md5__in=wanted[start : start + AT_ONCE])
        found.update((blob.md5, blob) for blob in some.order_by("pk"))
    return found


def team_of(artifact: Artifact) -> Team:
    """The team whose storage holds the version's bytes."""
    project = artifact.collection.project
    assert project is not None  # versions are logged in projects
    return project.team


def _file_token(artifact: Artifact, path: str, md5: str) -> str:
    return storage.upload_token(FILE, artifact=artifact.pk, path=path, md5=md5)


def _of(subject: storage.Subject) -> Artifact:
    found = Artifact.objects.select_related("collection__project__team").filter(pk=subject["artifact"]).first()
    if found is None:
        raise Http404("The version this file belongs to was deleted.")
    return found


def _attach_file(subject: storage.Subject, blob: Blob, at: datetime) -> None:
    artifact = _of(subject)
    if artifact.state == ArtifactState.PENDING:
        _place(artifact, subject["path"], blob)
    elif not ArtifactFile.objects.filter(artifact=artifact, path=subject["path"], blob=blob).exists():
        raise NotPending(artifact)


def _place_all(artifact: Artifact, blobs: Mapping[str, Blob]) -> None:
    paths = list(blobs)
    for start in range(0, len(paths), AT_ONCE):
        some = paths[start : start + AT_ONCE]
        there = set(ArtifactFile.objects.filter(artifact=artifact, path__in=some).values_list("path", flat=True))
        fresh = [path for path in some if path not in there]
        ArtifactFile.objects.bulk_create(
            ArtifactFile(artifact=artifact, path=path, **_of_blob(blobs[path])) for path in fresh
        )
        for path in there:  # announced before, with other content
            _place(artifact, path, blobs[path])


def _of_blob(blob: Blob) -> dict[str, Any]:
    return {"digest": blob.md5, "size": blob.size, "blob": blob, "reference": ""}


def _place(artifact: Artifact, path: str, blob: Blob) -> None:
    before = ArtifactFile.objects.filter(artifact=artifact, path=path).first()
    if before is not None and before.blob_id == blob.pk:
        return
    ArtifactFile.objects.update_or_create(artifact=artifact, path=path, defaults=_of_blob(blob))
    if before is not None and before.blob_id:
        storage.release(before.blob_id)


def _attach_manifest(subject: storage.Subject, blob: Blob, at: datetime) -> None:
    artifact = _of(subject)
    manifest = ArtifactManifest.objects.select_for_update().filter(artifact=artifact).first()
    if manifest is None or artifact.state != ArtifactState.PENDING:
        if manifest is None or manifest.blob_id != blob.pk:
            raise NotPending(artifact)
        return
    replaced, manifest.blob = manifest.blob_id, blob
    manifest.save(update_fields=["blob"])
    if replaced not in {None, blob.pk}:
        storage.release(replaced)


def _team_of(subject: storage.Subject) -> Team:
    return team_of(_of(subject))


storage.accepts(FILE, storage.Purpose(team=_team_of, attach=_attach_file))
storage.accepts(MANIFEST, storage.Purpose(team=_team_of, attach=_attach_manifest))
