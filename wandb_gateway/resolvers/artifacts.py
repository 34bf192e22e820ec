"""What the client reads of a version, and of its places in collections."""

from __future__ import annotations

from typing import Any

from ariadne import ObjectType, QueryType, UnionType
from graphql import GraphQLResolveInfo

from projects.models import Run, User
from registries import lineage
from registries.models import Alias, Artifact, Collection, Membership, Tag
from wandb_gateway import homes, ids
from wandb_gateway.connections import connection
from wandb_gateway.homes import Home
from wandb_gateway.resolvers.collections import TypeIn
from wandb_gateway.whereabouts import (
    aliases_of,
    artifact_numbered,
    collection_shown,
    home_of,
    membership_named,
    places_of,
    shows_source,
    source_of,
    with_places,
)
from wandb_gateway.wrapping import text_of

Page = dict[str, Any]

# What the client takes for “is kept for ever”.
NO_TTL = -2
HIDDEN = "hidden"

query = QueryType()
project = ObjectType("Project")
run = ObjectType("Run")
artifact = ObjectType("Artifact")
membership = ObjectType("ArtifactCollectionMembership")
creator = UnionType("ArtifactCreator")


@query.field("artifact")
def by_id(_root: None, info: GraphQLResolveInfo, id: str) -> Artifact | None:
    return homes.or_none(lambda: artifact_numbered(info.context.user, id))


@query.field("clientIDMapping")
def by_client_id(_root: None, info: GraphQLResolveInfo, clientID: str) -> dict[str, str] | None:  # noqa: N803  # theirs
    """References between artifacts that were written before either had an id."""
    found = lineage.named_by_client(clientID, info.context.user)
    return {"serverID": ids.encode("Artifact", found.pk)} if found else None


@project.field("artifactCollectionMembership")
def membership_by_name(found: Home, _info: GraphQLResolveInfo, name: str) -> Membership | None:
    return homes.or_none(lambda: membership_named(found, name))


@project.field("artifact")
def artifact_by_name(found: Home, _info: GraphQLResolveInfo, name: str) -> Artifact | None:
    there = homes.or_none(lambda: membership_named(found, name))
    return there.artifact if there else None


@run.field("outputArtifacts")
def outputs(found: Run, info: GraphQLResolveInfo, **asked: Any) -> Page:
    asking: User = info.context.user
    return connection(with_places(lineage.outputs_of(found, asking), asking), **asked)


@run.field("inputArtifacts")
def inputs(found: Run, info: GraphQLResolveInfo, **asked: Any) -> Page:
    asking: User = info.context.user
    return connection(with_places(lineage.inputs_of(found, asking), asking), **asked)


for theirs, ours in {
    "commitHash": "commit_hash",
    "fileCount": "file_count",
    "historyStep": "history_step",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
}.items():
    artifact.set_alias(theirs, ours)


@artifact.field("id")
def artifact_id(found: Artifact, _info: GraphQLResolveInfo) -> str:
    return ids.encode("Artifact", found.pk)


artifact.set_field("digestAlgorithm", lambda *_: "MANIFEST_MD5")


@artifact.field("metadata")
def metadata(found: Artifact, _info: GraphQLResolveInfo) -> str:
    return text_of(found.metadata)


@artifact.field("ttlDurationSeconds")
def ttl(found: Artifact, _info: GraphQLResolveInfo) -> int:
    return found.ttl_seconds or NO_TTL


@artifact.field("ttlIsInherited")
def ttl_is_inherited(found: Artifact, _info: GraphQLResolveInfo) -> bool:
    return found.ttl_seconds is None


@artifact.field("tags")
def tags(found: Artifact, _info: GraphQLResolveInfo) -> list[Tag]:
    return list(found.tags.all())


@artifact.field("versionIndex")
def version_index(found: Artifact, info: GraphQLResolveInfo) -> int | None:
    """Where it was logged; who may not see that is told the number it has where they see it."""
    asking: User = info.context.user
    place = source_of(found, asking) or next(iter(places_of(found, asking)), None)
    return place.version_index if place else None


@artifact.field("aliases")
def aliases_everywhere(found: Artifact, info: GraphQLResolveInfo) -> list[Alias]:
    asking: User = info.context.user
    return [alias for place in places_of(found, asking) for alias in aliases_of(place, asking)]


@artifact.field("artifactType")
def type_of(found: Artifact, info: GraphQLResolveInfo) -> TypeIn:
    """The type leads on to the collections around it, so it is that of a place which who asks may see."""
    seen = collection_shown(found, info.context.user)
    if seen is None:
        return TypeIn(None, found.collection.type, found.created_at)
    return TypeIn(home_of(seen), found.collection.type, seen.created_at)


@artifact.field("artifactSequence")
def sequence_of(found: Artifact, info: GraphQLResolveInfo) -> Collection:
    """Where it was logged. One that is hidden from who asks is in no project: the client knows that case."""
    return found.collection if shows_source(found, info.context.user) else Collection(name=HIDDEN)


@artifact.field("artifactMemberships")
def memberships(found: Artifact, info: GraphQLResolveInfo, **asked: Any) -> Page:
    return connection(places_of(found, info.context.user), **asked)


@artifact.field("createdBy")
def created_by(found: Artifact, info: GraphQLResolveInfo) -> Run | User | None:
    visible = Run.objects.visible_to(info.context.user).filter(artifacts=found).first()
    return visible or found.user


@creator.type_resolver
def kind_of_creator(found: Run | User, *_: Any) -> str:
    return type(found).__name__


@artifact.field("usedBy")
def used_by(found: Artifact, info: GraphQLResolveInfo, **asked: Any) -> Page:
    runs = lineage.users_of(found, info.context.user).select_related("project__team__organization", "user")
    return connection(runs, **asked)


@membership.field("id")
def membership_id(found: Membership, _info: GraphQLResolveInfo) -> str:
    return ids.encode("ArtifactCollectionMembership", found.pk)


@membership.field("aliases")
def aliases_here(found: Membership, info: GraphQLResolveInfo) -> list[Alias]:
    return aliases_of(found, info.context.user)


membership.set_alias("versionIndex", "version_index")
membership.set_alias("createdAt", "created_at")
membership.set_alias("artifactCollection", "collection")

BINDABLES = (query, project, run, artifact, membership, creator)
