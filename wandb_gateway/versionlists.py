"""Lists of versions in collections, with the filters and orders that the client writes for them."""

from __future__ import annotations

from typing import Any

import orjson
from django.db.models import QuerySet

from automations.filters import ARTIFACT_FIELDS, Field, Kind
from projects.models import User
from registries.events import artifact_facts
from registries.models import Collection, Membership
from wandb_gateway.filtering import narrowed, ordered
from wandb_gateway.whereabouts import memberships_with_places

VERSION_FIELDS = (
    *ARTIFACT_FIELDS,
    Field("state", Kind.TEXT, "state", "COMMITTED: others are not listed."),
    Field("version_index", Kind.NUMBER, "version", "The version's index in its collection.", prefix="v"),
    Field("id", Kind.NUMBER, "id", "The number in the version's id."),
    Field("digest", Kind.TEXT, "digest", "What tells the version's content apart."),
    Field("created_at", Kind.NUMBER, "created", "When it was logged.", also=("createdAt",)),
    Field("updated_at", Kind.NUMBER, "updated", "When it was changed.", also=("updatedAt",)),
)
VERSION_MOMENTS = frozenset({"created_at", "createdAt", "updated_at", "updatedAt"})
VERSION_COLUMNS = {
    "version_index": "version_index",
    "version": "version_index",
    "created_at": "artifact__created_at",
    "createdAt": "artifact__created_at",
    "updated_at": "artifact__updated_at",
    "id": "artifact",
    "size": "artifact__size",
    "metadata.*": "artifact__metadata",
}
# What the client always asks for, and what all versions that anybody finds are.
COMMITTED = {"state": "COMMITTED"}


def version_facts(membership: Membership) -> dict[str, Any]:
    """A version in a collection as filters read it."""
    artifact = membership.artifact
    return {
        **artifact_facts(membership),
        "version": membership.version_index,
        "version_index": membership.version_index,
        "state": artifact.state,
        "id": artifact.pk,
        "digest": artifact.digest,
        "created_at": artifact.created_at.timestamp(),
        "updated_at": artifact.updated_at.timestamp(),
    }


def versions_in(collection: Collection, *, by: User, filters: str | None, order: str | None) -> QuerySet[Membership]:
    """The collection's versions, the newest first unless the client wants another order.

    Raises:
        BadRequest: the filter or the order cannot be used.
    """
    return listed(Membership.objects.filter(collection=collection), by=by, filters=filters, order=order)


def listed(
    memberships: QuerySet[Membership], *, by: User, filters: str | None, order: str | None
) -> QuerySet[Membership]:
    """Of these versions those that meet the client's filter, in its order.

    Raises:
        BadRequest: the filter or the order cannot be used.
    """
    rows = memberships_with_places(memberships, by)
    if filters and not _asks_nothing(filters):
        rows = narrowed(rows, filters, fields=VERSION_FIELDS, facts=version_facts, moments=VERSION_MOMENTS)
    return ordered(rows, order or "-version_index", columns=VERSION_COLUMNS)


def _asks_nothing(filters: str) -> bool:
    try:
        return bool(orjson.loads(filters) == COMMITTED)
    except orjson.JSONDecodeError:
        return False
