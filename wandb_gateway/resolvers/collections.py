"""Types and collections of artifacts, in projects and registries alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ariadne import InterfaceType, ObjectType, QueryType
from django.db.models import Min, QuerySet
from graphql import GraphQLResolveInfo

from automations.filters import Field, Kind
from registries import access
from registries.models import AcceptedType, Alias, Artifact, Collection, Membership, Registry
from wandb_gateway import homes, ids
from wandb_gateway.connections import connection
from wandb_gateway.filtering import narrowed, ordered
from wandb_gateway.homes import Home
from wandb_gateway.versionlists import versions_in
from wandb_gateway.whereabouts import LATEST, collection_named, collection_numbered, collections_in, home_of

Page = dict[str, Any]

query = QueryType()
project = ObjectType("Project")
artifact_type = ObjectType("ArtifactType")
collection = InterfaceType("ArtifactCollection")
sequence = ObjectType("ArtifactSequence")
alias = ObjectType("ArtifactAlias")
tag = ObjectType("Tag")

COLLECTION_FIELDS = (
    Field("id", Kind.NUMBER, "id", "The number in its id.", also=("collection_id", "artifact_collection_id")),
    Field("name", Kind.TEXT, "name", "The collection's name."),
    Field("type", Kind.TEXT, "type", "The type of its versions."),
    Field("tag", Kind.TEXTS, "tag", "Any of its tags.", also=("tags",)),
    Field("description", Kind.TEXT, "description", "What people wrote about it."),
    Field("created_at", Kind.NUMBER, "created", "When it was made.", also=("createdAt",)),
    Field("updated_at", Kind.NUMBER, "updated", "When it was changed.", also=("updatedAt",)),
)
COLLECTION_MOMENTS = frozenset({"created_at", "createdAt", "updated_at", "updatedAt"})
COLLECTION_COLUMNS = {"name": "name", "type": "type", "created_at": "created_at", "updated_at": "updated_at"}


@dataclass(frozen=True, slots=True)
class TypeIn:
    """A type of artifacts in a project or registry: there once a collection is of it, or a registry accepts it.

    Of a version that is nowhere any more it is in none.
    """

    home: Home | None
    name: str
    created_at: datetime
    description: str = ""


def types_in(home: Home) -> list[TypeIn]:
    """The types of a project or registry, by name."""
    of_home = collections_in(home).select_related(None).prefetch_related(None).order_by("type").values_list("type")
    found = dict(of_home.annotate(first=Min("created_at")))
    if isinstance(home, Registry):
        accepted = AcceptedType.objects.filter(registry=home).values_list("name", flat=True)
        found = dict.fromkeys(accepted, home.created_at) | found
    return [TypeIn(home, name, found[name]) for name in sorted(found)]


def collection_facts(found: Collection) -> dict[str, Any]:
    """A collection as filters read it; `tags` are loaded."""
    return {
        "id": found.pk,
        "name": found.name,
        "type": found.type,
        "tag": [one.name for one in found.tags.all()],
        "description": found.description,
        "created_at": found.created_at.timestamp(),
        "updated_at": found.updated_at.timestamp(),
    }


def listed(rows: QuerySet[Collection], *, filters: str | None, order: str | None) -> QuerySet[Collection]:
    """The collections that meet the client's filter, in its order; by name if it gives none.

    Raises:
        BadRequest: the filter or the order cannot be used.
    """
    chosen = narrowed(rows, filters, fields=COLLECTION_FIELDS, facts=collection_facts, moments=COLLECTION_MOMENTS)
    return ordered(chosen, order or "name", columns=COLLECTION_COLUMNS)


@query.field("artifactCollection")
def by_id(_root: None, info: GraphQLResolveInfo, id: str) -> Collection | None:
    return homes.or_none(lambda: collection_numbered(info.context.user, id))


@project.field("artifactTypes")
def types_of_project(found: Home, _info: GraphQLResolveInfo, **asked: Any) -> Page:
    asked.pop("includeAll", None)
    return connection(types_in(found), **asked)


@project.field("artifactType")
def type_of_project(found: Home, _info: GraphQLResolveInfo, name: str) -> TypeIn | None:
    return next((one for one in types_in(found) if one.name == name), None)


@project.field("artifactCollections")
def collections_of_project(found: Home, _info: GraphQLResolveInfo, **asked: Any) -> Page:
    filters, order = asked.pop("filters", None), asked.pop("order", None)
    return connection(listed(collections_in(found), filters=filters, order=order), **asked)


@project.field("artifactCollection")
def collection_of_project(found: Home, _info: GraphQLResolveInfo, name: str) -> Collection | None:
    return homes.or_none(lambda: collection_named(found, name))


@artifact_type.field("id")
def type_id(found: TypeIn, _info: GraphQLResolveInfo) -> str:
    place = f"{type(found.home).__name__}:{found.home.pk}" if found.home else "none"
    return ids.of_text("ArtifactType", f"{place}:{found.name}")


@artifact_type.field("artifactCollection")
def collection_of_type(found: TypeIn, _info: GraphQLResolveInfo, name: str) -> Collection | None:
    home = found.home
    there = homes.or_none(lambda: collection_named(home, name)) if home else None
    return there if there is not None and there.type == found.name else None


@artifact_type.field("artifactCollections")
def collections_of_type(found: TypeIn, _info: GraphQLResolveInfo, **asked: Any) -> Page:
    filters, order = asked.pop("filters", None), asked.pop("order", None)
    rows = collections_in(found.home).filter(type=found.name) if found.home else Collection.objects.none()
    return connection(listed(rows, filters=filters, order=order), **asked)


artifact_type.set_alias("createdAt", "created_at")


@collection.type_resolver
def kind(found: Collection, *_: Any) -> str:
    return "ArtifactPortfolio" if found.is_linked else "ArtifactSequence"


@collection.field("id")
def collection_id(found: Collection, _info: GraphQLResolveInfo) -> str:
    return ids.encode("ArtifactCollection", found.pk)


@collection.field("project")
def project_of(found: Collection, _info: GraphQLResolveInfo) -> Home | None:
    """None of a collection that is hidden from who asks."""
    return found.project or found.registry


@collection.field("defaultArtifactType")
def type_of(found: Collection, _info: GraphQLResolveInfo) -> TypeIn:
    return TypeIn(home_of(found), found.type, found.created_at)


@collection.field("state")
def state(found: Collection, _info: GraphQLResolveInfo) -> str:
    return "READY" if found.pk else "DELETED"


@collection.field("tags")
def tags_of(found: Collection, _info: GraphQLResolveInfo) -> dict[str, Any]:
    return {"edges": [{"node": one} for one in found.tags.all()]}


@collection.field("aliases")
def aliases_of(found: Collection, _info: GraphQLResolveInfo, **asked: Any) -> Page:
    rows: list[Alias] = list(found.aliases.select_related("collection").order_by("name"))
    newest = found.memberships.order_by("-version_index").first()
    if newest is not None:
        rows.insert(0, Alias(name=LATEST, membership=newest, collection=found))
    return connection(rows, **asked)


@collection.field("artifacts")
def artifacts_of(found: Collection, info: GraphQLResolveInfo, **asked: Any) -> Page:
    filters, order = asked.pop("filters", None), asked.pop("order", None)
    rows = versions_in(found, by=info.context.user, filters=filters, order=order)
    return connection(
        rows, **asked, node=lambda membership: membership.artifact, version=lambda membership: membership.version
    )


@collection.field("artifactMembership")
def membership_of(found: Collection, _info: GraphQLResolveInfo, aliasName: str) -> Membership | None:  # noqa: N803  # theirs
    return homes.or_none(lambda: access.version_for(found, aliasName)) if "\x00" not in aliasName else None


collection.set_alias("createdAt", "created_at")
collection.set_alias("updatedAt", "updated_at")


@sequence.field("latestArtifact")
def latest_of(found: Collection, _info: GraphQLResolveInfo) -> Artifact | None:
    latest = found.memberships.select_related("artifact").order_by("-version_index").first()
    return latest.artifact if latest else None


sequence.set_field("digestAlgorithm", lambda *_: "MANIFEST_MD5")


@alias.field("id")
def alias_id(found: Alias, _info: GraphQLResolveInfo) -> str:
    # The automatic one is no row.
    is_automatic = found.name == LATEST
    return ids.encode("LatestAlias", found.membership_id) if is_automatic else ids.encode("ArtifactAlias", found.pk)


alias.set_alias("alias", "name")
alias.set_alias("artifactCollection", "collection")


@tag.field("id")
def tag_id(found: Any, _info: GraphQLResolveInfo) -> str:
    return ids.encode(type(found).__name__, found.pk)


BINDABLES = (query, project, artifact_type, collection, sequence, alias, tag)
