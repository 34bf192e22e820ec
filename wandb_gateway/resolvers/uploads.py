"""How a script logs a version: created, files and the list of them announced and uploaded, committed."""

from __future__ import annotations

from collections import defaultdict

from ariadne import MutationType
from django.core.exceptions import BadRequest
from django.db import transaction
from django.utils import timezone
from graphql import GraphQLResolveInfo

from projects import access as projects_access
from projects.api.runs import project_to_log_to
from projects.models import User
from registries import access, artifacts, commits, lineage, uploads
from registries.models import Artifact
from wandb_gateway import ids
from wandb_gateway.files import address
from wandb_gateway.inputs import Input, Payload, mends
from wandb_gateway.refusals import Unsupported
from wandb_gateway.resolvers.manifests import storage_path
from wandb_gateway.whereabouts import LATEST, artifact_numbered, given
from wandb_gateway.wrapping import document

mutation = MutationType()


def begun(info: GraphQLResolveInfo, id: str) -> Artifact:
    """The version with this id that who asks is logging, or has logged.

    Raises:
        UnknownId, Http404, PermissionDenied: there is none.
    """
    return access.begun_version(info.context.user, ids.number(id, "Artifact"))


@mutation.field("createArtifact")
@mends
def create_artifact(_root: None, info: GraphQLResolveInfo, input: Input) -> Payload:
    by: User = info.context.user
    if input.get("distributedID"):
        raise Unsupported(
            "This server does not take versions that several runs write together (upsert_artifact). Log a version for"
            " each run instead."
        )
    if input.get("digestAlgorithm") not in {None, "MANIFEST_MD5"}:
        raise Unsupported("This server knows files by their MD5.")
    collection = given(
        input.get("artifactCollectionName") or next(iter(input.get("artifactCollectionNames") or []), None),
        "The name of the artifact",
    )
    entity, project = input["entityName"], input["projectName"]
    with transaction.atomic():
        home = project_to_log_to(by, entity, project)
        run = projects_access.run_for(by, entity, project, input["runName"]) if input.get("runName") else None
        artifact = artifacts.begin_version(
            home,
            collection=collection,
            type=input["artifactTypeName"],
            digest=input["digest"],
            by=by,
            at=timezone.now(),
            run=run,
            metadata=document(input.get("metadata"), "metadata"),
            aliases=aliases_in(input.get("aliases")),
            tags=tags_in(input.get("tags")),
            deduplicate=bool(input.get("enableDigestDeduplication")),
            description=input.get("description") or "",
            ttl_seconds=max(input.get("ttlDurationSeconds") or 0, 0) or None,
            history_step=input.get("historyStep"),
            client_id=input.get("clientID") or "",
            sequence_client_id=input.get("sequenceClientID") or "",
        )
    return {"artifact": artifact}


@mutation.field("createArtifactManifest")
@mends
def create_manifest(_root: None, info: GraphQLResolveInfo, input: Input) -> Payload:
    """Said twice: before the files are uploaded, and with the digest afterwards."""
    artifact = begun(info, input["artifactID"])
    if input.get("type") == "PATCH":
        raise Unsupported("This server takes whole lists of files, and those of additions, but no patches.")
    base = begun(info, given(input.get("baseArtifactID"), "baseArtifactID")) if _adds(input) else None
    return {"artifactManifest": uploads.promise_manifest(artifact, md5=input["digest"], base=base)}


def _adds(input: Input) -> bool:
    """Whether the list has only what is added to the version before; the first one has none before it."""
    return input.get("type") == "INCREMENTAL" and bool(input.get("baseArtifactID"))


@mutation.field("updateArtifactManifest")
@mends
def update_manifest(_root: None, info: GraphQLResolveInfo, input: Input) -> Payload:
    """What the client says instead the second time, of a list of additions."""
    manifest = uploads.manifest_numbered(ids.number(input["artifactManifestID"], "ArtifactManifest"))
    artifact = begun(info, ids.encode("Artifact", manifest.artifact_id))
    base = begun(info, input["baseArtifactID"]) if input.get("baseArtifactID") else manifest.base
    return {"artifactManifest": uploads.promise_manifest(artifact, md5=input.get("digest") or "", base=base)}


@mutation.field("createArtifactFiles")
@mends
def create_files(_root: None, info: GraphQLResolveInfo, input: Input) -> Payload:
    """An address for each file, in the order asked; none for content that the team has already."""
    specs = input["artifactFiles"]
    digests: dict[str, dict[str, str]] = defaultdict(dict)
    for spec in specs:
        digests[spec["artifactID"]][spec["name"]] = spec["md5"]
    versions = {one: begun(info, one) for one in digests}
    tokens = {one: uploads.promise_files(versions[one], files) for one, files in digests.items()}
    edges = [
        {"node": _upload(versions[spec["artifactID"]], spec, tokens[spec["artifactID"]].get(spec["name"]), info)}
        for spec in specs
    ]
    return {"files": {"edges": edges, "pageInfo": {"hasNextPage": False}, "totalCount": len(edges)}}


def _upload(artifact: Artifact, spec: Input, token: str | None, info: GraphQLResolveInfo) -> Payload:
    return {
        "id": ids.of_text("ArtifactUpload", f"{artifact.pk}:{spec['name']}"),
        "name": spec["name"],
        "displayName": spec["name"],
        "storagePath": storage_path(artifact, spec["name"]),
        "uploadUrl": address(info.context.request, token) if token else None,
        # Large files are taken in one piece as well: they are streamed.
        "uploadMultipartUrls": None,
        "uploadHeaders": [],
        "artifact": artifact,
    }


@mutation.field("completeMultipartUploadArtifact")
@mends
def complete_multipart(_root: None, _info: GraphQLResolveInfo, input: Input) -> Payload:
    raise Unsupported("This server hands out no addresses for parts of files: each is uploaded in one piece.")


@mutation.field("commitArtifact")
@mends
def commit_artifact(_root: None, info: GraphQLResolveInfo, input: Input) -> Payload:
    version = commits.commit(begun(info, input["artifactID"]), by=info.context.user, at=timezone.now())
    return {"artifact": version.artifact}


@mutation.field("useArtifact")
@mends
def use_artifact(_root: None, info: GraphQLResolveInfo, input: Input) -> Payload:
    by: User = info.context.user
    path = {"team": input["entityName"], "project": input["projectName"], "run_id": input["runName"]}
    artifact = artifact_numbered(by, input["artifactID"])
    lineage.use(artifact, run=projects_access.run_to_log_to(by, **path), at=timezone.now())
    return {"artifact": artifact}


def aliases_in(given: list[Input] | None) -> list[str]:
    """The aliases of an input, without the one that every newest version has by itself."""
    return [one["alias"] for one in given or [] if one["alias"] != LATEST]


def tags_in(given: list[Input] | None) -> list[str]:
    """The tags of an input.

    Raises:
        BadRequest: one is in a category, of which there are none here.
    """
    if any(one.get("tagCategoryName") for one in given or []):
        raise BadRequest("Tags have no categories on this server.")
    return [one["tagName"] for one in given or []]


BINDABLES = (mutation,)
