"""What is in the registries of an organization: its collections and versions, over all of them at once."""

from __future__ import annotations

from typing import Any

from ariadne import ObjectType
from django.db.models import Q, QuerySet
from graphql import GraphQLResolveInfo

from projects.models import Organization, Team, User
from registries.models import Collection, CollectionKind, Membership
from wandb_gateway import versionlists
from wandb_gateway.connections import connection
from wandb_gateway.listing import projects_in
from wandb_gateway.resolvers import collections
from wandb_gateway.whereabouts import with_homes

entity = ObjectType("Entity")

Entity = Team | Organization


def collections_of(found: Entity, *, by: User, projects: str | None, filters: str | None, order: str | None) -> Any:
    """The collections that meet the filter, in the projects or registries that meet theirs."""
    homes = projects_in(found, by=by, filters=projects).order_by().values("pk")
    within = Q(registry__in=homes) if isinstance(found, Organization) else Q(project__in=homes)
    rows: QuerySet[Collection] = collections.listed(
        with_homes(Collection.objects.filter(within)), filters=filters, order=order
    )
    return rows


@entity.field("artifactCollections")
def collections_of_entity(found: Entity, info: GraphQLResolveInfo, **asked: Any) -> dict[str, Any]:
    kinds = [CollectionKind[name] for name in asked.pop("collectionTypes", None) or CollectionKind.names]
    rows = collections_of(
        found,
        by=info.context.user,
        projects=asked.pop("projectFilters", None),
        filters=asked.pop("filters", None),
        order=asked.pop("order", None),
    )
    return connection(rows.filter(kind__in=kinds), **asked)


@entity.field("artifactMemberships")
def versions_of_entity(found: Entity, info: GraphQLResolveInfo, **asked: Any) -> dict[str, Any]:
    asking: User = info.context.user
    within = collections_of(
        found,
        by=asking,
        projects=asked.pop("projectFilters", None),
        filters=asked.pop("collectionFilters", None),
        order=None,
    )
    rows = versionlists.listed(
        Membership.objects.filter(collection__in=within.order_by().values("pk")),
        by=asking,
        filters=asked.pop("filters", None),
        order=asked.pop("order", None) or "created_at",
    )
    return connection(rows, **asked)


BINDABLES = (entity,)
