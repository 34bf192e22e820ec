"""The end of an upload: the version's files are written down, and it gets its number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.http import Http404

from projects import storage
from projects.models import Blob, Team, User
from registries import artifacts, manifests
from registries.access import memberships_of
from registries.locking import lock_collection
from registries.manifests import Entry, InvalidManifest
from registries.models import Artifact, ArtifactFile, ArtifactState, Membership

ROWS_AT_ONCE = 500


class NotPending(Exception):
    """The version was deleted, or is complete: its files cannot change any more."""


def promise_manifest(artifact: Artifact, *, md5: str, base: Artifact | None = None) -> Artifact:
    """Say which list of files the version is going to have; with a `base`, what that one has is added.

    Raises:
        InvalidManifest: no MD5.
        NotPending: the version is complete.
    """
    if md5 and not manifests.is_md5(md5):
        raise InvalidManifest("The digest of the list of files is no MD5 in base64.")
    promised = Artifact.objects.filter(pk=artifact.pk, state=ArtifactState.PENDING)
    if not promised.update(manifest_md5=md5, base=base):
        raise NotPending(f"{artifact} is complete; its files cannot change any more. Log a new version.")
    artifact.manifest_md5, artifact.base = md5, base
    return artifact


def commit(artifact: Artifact, *, by: User, at: datetime) -> Membership:
    """Give the version, whose files are all uploaded, the next number; saying it again changes nothing.

    Raises:
        InvalidManifest: the list of files, or one of the files, is missing or cannot be used.
        NotPending: the version was deleted.
        Http404: its collection was deleted meanwhile.
    """
    if artifact.state == ArtifactState.PENDING:
        _write_files(artifact)
    with transaction.atomic():
        lock_collection(artifact.collection_id)
        artifact = Artifact.objects.select_related("collection__project__team").get(pk=artifact.pk)
        if artifact.state == ArtifactState.COMMITTED:
            return _own_membership(artifact)
        if artifact.state == ArtifactState.DELETED:
            raise NotPending(f"{artifact} was deleted meanwhile.")
        labels = artifact.labels_at_commit
        artifact.state = ArtifactState.COMMITTED
        artifact.commit_hash = artifacts.new_commit_hash()
        artifact.labels_at_commit = {}
        artifact.save(update_fields=["state", "commit_hash", "labels_at_commit", "updated_at"])
        return artifacts.publish(artifact, aliases=labels["aliases"], tags=labels["tags"], by=by, at=at)


def manifest_of(artifact: Artifact) -> Blob:
    """The version's list of files; an empty one for a version that was logged without any."""
    if artifact.manifest is None:
        artifact.manifest = storage.keep(team_of(artifact), manifests.EMPTY)
        artifact.save(update_fields=["manifest"])
    return artifact.manifest


def team_of(artifact: Artifact) -> Team:
    """The team whose storage holds the version's bytes."""
    project = artifact.collection.project
    assert project is not None  # versions are logged in projects
    return project.team


def _own_membership(artifact: Artifact) -> Membership:
    found = memberships_of(artifact.collection).filter(artifact=artifact).first()
    if found is None:
        raise Http404(f"{artifact} is gone: somebody removed it meanwhile.")
    return found


def _write_files(artifact: Artifact) -> None:
    """Outside the transaction of the commit, whose lock others wait for: reading 100,000 entries takes its time."""
    team = team_of(artifact)
    manifest, entries = _read(artifact, team)
    blobs = _uploaded(team, entries)
    files = [_file(artifact, entry, blobs) for entry in entries]
    with transaction.atomic():
        pending = Artifact.objects.select_for_update(no_key=True, of=("self",)).filter(pk=artifact.pk)
        if not pending.filter(state=ArtifactState.PENDING).exists():
            return
        ArtifactFile.objects.filter(artifact=artifact).delete()
        ArtifactFile.objects.bulk_create(files, batch_size=ROWS_AT_ONCE)
        pending.update(manifest=manifest, size=sum(file.size for file in files), file_count=len(files))


def _read(artifact: Artifact, team: Team) -> tuple[Blob, list[Entry]]:
    manifest = Blob.objects.filter(team=team, md5=artifact.manifest_md5).first() if artifact.manifest_md5 else None
    if manifest is None:
        raise InvalidManifest("The list of files was not uploaded. Log the artifact again.")
    text = _text_of(manifest)
    if artifact.base is not None:
        text = manifests.merged(text, onto=_text_of(manifest_of(artifact.base)))
        manifest = storage.keep(team, text)
    return manifest, manifests.read(text)


def _text_of(manifest: Blob) -> bytes:
    if manifest.size > manifests.MOST_BYTES:
        raise InvalidManifest(f"The list of files has {manifest.size:,} bytes; at most 100 MB can be read.")
    with storage.open(manifest) as file:
        text: bytes = file.read()
    return text


def _uploaded(team: Team, entries: Sequence[Entry]) -> dict[str, Blob]:
    """What the team has uploaded of the entries, by MD5.

    Raises:
        InvalidManifest: something is missing.
    """
    wanted = sorted({entry.digest for entry in entries if not entry.reference})
    found: dict[str, Blob] = {}
    for start in range(0, len(wanted), ROWS_AT_ONCE):
        some = wanted[start : start + ROWS_AT_ONCE]
        found.update((blob.md5, blob) for blob in Blob.objects.filter(team=team, md5__in=some))
    missing = [entry.path for entry in entries if not entry.reference and entry.digest not in found]
    if missing:
        raise InvalidManifest(
            f"“{missing[0]}” was not uploaded"
            + (f", nor {len(missing) - 1:,} more files" if missing[1:] else "")
            + ". Log the artifact again."
        )
    return found


def _file(artifact: Artifact, entry: Entry, blobs: dict[str, Blob]) -> ArtifactFile:
    blob = None if entry.reference else blobs[entry.digest]
    return ArtifactFile(
        artifact=artifact,
        path=entry.path,
        digest=entry.digest,
        size=blob.size if blob else entry.size,
        blob=blob,
        reference=entry.reference,
    )
