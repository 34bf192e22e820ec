"""The end of an upload: the version's files are held against the list of them, and it gets its number."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import datetime

from django.core.files.storage import default_storage
from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _

from projects import storage
from projects.models import Blob, User
from registries import artifacts, manifests, uploads
from registries.access import memberships_of
from registries.locking import lock_collection
from registries.manifests import Entry, InvalidManifest
from registries.models import Artifact, ArtifactFile, ArtifactManifest, ArtifactState, Membership


def commit(artifact: Artifact, *, by: User, at: datetime) -> Membership:
    """Give the version, whose files are all uploaded, the next number; saying it again changes nothing.

    Raises:
        InvalidManifest: the list of files, or one of the files, is missing or cannot be used.
        NotPending: the version was deleted.
        Http404: its collection was deleted meanwhile.
    """
    if artifact.state == ArtifactState.PENDING:
        # Outside the transaction of the commit, for whose lock others wait: 100,000 files take their time.
        _write_files(artifact, at=at)
    with transaction.atomic():
        lock_collection(artifact.collection_id)
        artifact = Artifact.objects.select_related("collection__project__team").get(pk=artifact.pk)
        if artifact.state == ArtifactState.COMMITTED:
            return _own_membership(artifact)
        if artifact.state == ArtifactState.DELETED:
            raise uploads.NotPending(artifact)
        labels = artifact.labels_at_commit
        artifact.state = ArtifactState.COMMITTED
        artifact.commit_hash = artifacts.new_commit_hash()
        artifact.labels_at_commit = {}
        artifact.save(update_fields=["state", "commit_hash", "labels_at_commit", "updated_at"])
        return artifacts.publish(artifact, aliases=labels["aliases"], tags=labels["tags"], by=by, at=at)


def manifest_of(artifact: Artifact, *, at: datetime) -> Blob:
    """The version's list of files; an empty one for a version that was logged without any."""
    manifest = ArtifactManifest.objects.filter(artifact=artifact).select_related("blob").first()
    if manifest is None or manifest.blob is None:
        return _keep(artifact, manifests.EMPTY, at=at)
    return manifest.blob


def _own_membership(artifact: Artifact) -> Membership:
    found = memberships_of(artifact.collection).filter(artifact=artifact).first()
    if found is None:
        raise Http404(_("%(membership)s is gone: somebody removed it meanwhile.") % {"membership": artifact})
    return found


def _write_files(artifact: Artifact, *, at: datetime) -> None:
    entries = {entry.path: entry for entry in _entries(artifact, at=at)}
    with transaction.atomic():
        locked = Artifact.objects.select_for_update(no_key=True, of=("self",)).get(pk=artifact.pk)
        if locked.state != ArtifactState.PENDING:
            return
        present = dict(ArtifactFile.objects.filter(artifact=artifact).values_list("path", "digest"))
        fresh = [entry for path, entry in entries.items() if present.get(path) != entry.digest]
        gone = [path for path in present if path not in entries or present[path] != entries[path].digest]
        blobs = uploads.blobs_of(uploads.team_of(artifact), [entry.digest for entry in fresh if not entry.reference])
        _refuse_missing(fresh, blobs)
        for start in range(0, len(gone), uploads.AT_ONCE):
            ArtifactFile.objects.filter(artifact=artifact, path__in=gone[start : start + uploads.AT_ONCE]).delete()
        ArtifactFile.objects.bulk_create([_file(artifact, entry, blobs) for entry in fresh], batch_size=uploads.AT_ONCE)
        locked.size, locked.file_count = manifests.total_size(entries.values()), len(entries)
        locked.save(update_fields=["size", "file_count"])


def _entries(artifact: Artifact, *, at: datetime) -> list[Entry]:
    manifest = ArtifactManifest.objects.filter(artifact=artifact).select_related("blob", "base").first()
    if manifest is None or manifest.blob is None:
        raise InvalidManifest("The list of files was not uploaded. Log the artifact again.")
    text = _text_of(manifest.blob)
    if manifest.base is not None:
        text = manifests.merged(text, onto=_text_of(manifest_of(manifest.base, at=at)))
        _keep(artifact, text, at=at)
    return manifests.read(text)


def _text_of(manifest: Blob) -> bytes:
    if manifest.size > manifests.MOST_BYTES:
        raise InvalidManifest(f"The list of files has {manifest.size:,} bytes; at most 100 MB can be read.")
    with default_storage.open(manifest.path) as file:
        text: bytes = file.read()
    return text


def _keep(artifact: Artifact, text: bytes, *, at: datetime) -> Blob:
    """Make this the version's list of files, complete in itself."""

    def attach(blob: Blob, at: datetime) -> None:
        before = ArtifactManifest.objects.filter(artifact=artifact).values_list("blob", flat=True).first()
        ArtifactManifest.objects.update_or_create(
            artifact=artifact, defaults={"blob": blob, "md5": blob.md5, "base": None}
        )
        if before not in {None, blob.pk}:
            storage.release(before)

    return storage.keep(io.BytesIO(text), length=len(text), team=uploads.team_of(artifact), at=at, attach=attach)


def _refuse_missing(entries: Iterable[Entry], blobs: dict[str, Blob]) -> None:
    missing = [entry.path for entry in entries if not entry.reference and entry.digest not in blobs]
    if missing:
        others = f", nor {len(missing) - 1:,} more files" if missing[1:] else ""
        raise InvalidManifest(f"“{missing[0]}” was not uploaded{others}. Log the artifact again.")


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
