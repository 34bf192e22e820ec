"""Files of versions: the list of them, and where each is downloaded."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from typing import Any

from ariadne import ObjectType
from django.db.models import QuerySet
from django.utils import timezone
from graphql import GraphQLResolveInfo

from projects.jsonvalues import mended
from registries import commits, uploads
from registries.models import Artifact, ArtifactFile, ArtifactManifest, ArtifactState, Membership
from wandb_gateway import ids
from wandb_gateway.connections import connection
from wandb_gateway.files import address, download_address

Page = dict[str, Any]
Shown = dict[str, Any]

# What the client calls the list of files, and where it believes files to be.
MANIFEST_NAME = "wandb_manifest.json"
STORED_UNDER = "wandb_artifacts"

artifact = ObjectType("Artifact")
manifest = ObjectType("ArtifactManifest")
membership = ObjectType("ArtifactCollectionMembership")


@artifact.field("currentManifest")
def current_manifest(found: Artifact, _info: GraphQLResolveInfo) -> ArtifactManifest | None:
    if found.state != ArtifactState.COMMITTED:
        return None
    commits.manifest_of(found, at=timezone.now())
    return ArtifactManifest.objects.select_related("blob", "artifact").get(artifact=found)


@manifest.field("id")
def manifest_id(found: ArtifactManifest, _info: GraphQLResolveInfo) -> str:
    return ids.encode("ArtifactManifest", found.pk)


manifest.set_alias("digest", "md5")


@manifest.field("file")
def manifest_file(found: ArtifactManifest, info: GraphQLResolveInfo) -> Shown:
    request = info.context.request
    url = download_address(request, found.blob, MANIFEST_NAME) if found.blob else ""
    return {
        "id": ids.encode("ManifestFile", found.pk),
        "name": MANIFEST_NAME,
        "displayName": MANIFEST_NAME,
        "directUrl": url,
        "url": lambda _info, **_asked: url,
        "uploadUrl": address(request, uploads.manifest_token(found)),
        "uploadHeaders": [],
        "sizeBytes": found.blob.size if found.blob else 0,
        "md5": found.md5,
        "digest": found.md5,
        "artifact": found.artifact,
    }


@artifact.field("files")
def files_of_version(
    found: Artifact, info: GraphQLResolveInfo, *, names: list[str] | None = None, **asked: Any
) -> Page:
    return connection(_files(found, names), **asked, node=lambda file: shown(file, found, info))


@membership.field("files")
def files_of_place(
    found: Membership, info: GraphQLResolveInfo, *, names: list[str] | None = None, **asked: Any
) -> Page:
    version = found.artifact
    return connection(_files(version, names), **asked, node=lambda file: shown(file, version, info))


@artifact.field("filesByManifestEntries")
def files_by_entries(
    found: Artifact, info: GraphQLResolveInfo, *, entries: list[Mapping[str, Any]] | None = None, **asked: Any
) -> Page:
    names = [entry["name"] for entry in entries or []]
    paging = {name: asked[name] for name in ("first", "after") if name in asked}
    return connection(_files(found, names), **paging, node=lambda file: shown(file, found, info))


def _files(found: Artifact, names: list[str] | None) -> QuerySet[ArtifactFile]:
    """Files that are kept here; the client fetches what is referred to where that is."""
    rows = ArtifactFile.objects.filter(artifact=found, blob__isnull=False).select_related("blob").order_by("path")
    return rows.filter(path__in=mended(names)) if names else rows


def shown(file: ArtifactFile, found: Artifact, info: GraphQLResolveInfo) -> Shown:
    """A file as the client reads it."""
    assert file.blob is not None  # the query asks for those
    url = download_address(info.context.request, file.blob, file.path)
    return {
        "id": ids.encode("ArtifactFile", file.pk),
        "name": file.path,
        "displayName": file.path,
        "url": lambda _info, **_asked: url,
        "directUrl": url,
        "sizeBytes": file.size,
        "storagePath": storage_path(found, file.path),
        "mimetype": mimetypes.guess_type(file.path)[0] or "application/octet-stream",
        "updatedAt": found.created_at,
        "digest": file.digest,
        "md5": file.digest,
        "artifact": found,
    }


def storage_path(found: Artifact, path: str) -> str:
    """Where the client believes a file to be; it says so in its messages."""
    return f"{STORED_UNDER}/{found.pk}/{path}"


BINDABLES = (artifact, manifest, membership)
