"""Lists of projects and registries, with the filters and orders that the client writes for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from automations.filters import Field, Kind
from projects.models import Organization, Project, Team, User
from registries.models import Registry
from wandb_gateway import homes, ids
from wandb_gateway.filtering import narrowed, ordered
from wandb_gateway.homes import Home

PROJECT_FIELDS = (
    Field("name", Kind.TEXT, "name", "The name, with “wandb-registry-” in front if it is a registry's."),
    Field("id", Kind.NUMBER, "id", "The number in the internal id.", also=("project_id",)),
    Field("entity_id", Kind.NUMBER, "entity", "The number in the id of the entity."),
    Field("description", Kind.TEXT, "description", "What people wrote about it."),
    Field("created_at", Kind.NUMBER, "created", "When it was made.", also=("createdAt",)),
    Field("updated_at", Kind.NUMBER, "updated", "When it was changed.", also=("updatedAt",)),
)
MOMENTS = frozenset({"created_at", "createdAt", "updated_at", "updatedAt"})
COLUMNS = {"name": "name", "created_at": "created_at", "id": "pk", "description": "description"}
REGISTRY_COLUMNS = COLUMNS | {"updated_at": "updated_at"}


def facts_of(home: Home) -> Mapping[str, Any]:
    """A project or registry as filters read it."""
    updated = home.updated_at if isinstance(home, Registry) else home.created_at
    return {
        "name": homes.name_of(home),
        "id": home.pk,
        "entity_id": ids.number(ids.of_entity(homes.entity_of(home)), "Entity"),
        "description": home.description,
        "created_at": home.created_at.timestamp(),
        "updated_at": updated.timestamp(),
    }


def projects_in(
    entity: Team | Organization, *, by: User, filters: str | None = None, order: str | None = None
) -> QuerySet[Project] | QuerySet[Registry]:
    """The projects of a team, or the registries of an organization, as far as the user may see them; by name.

    Raises:
        BadRequest: the filter or the order cannot be used.
    """
    if isinstance(entity, Organization):
        return registries_in(entity, by=by, filters=filters, order=order)
    rows = Project.objects.filter(team=entity).select_related("team__organization")
    chosen = narrowed(rows, filters, fields=PROJECT_FIELDS, facts=facts_of, moments=MOMENTS)
    return ordered(chosen, order or "name", columns=COLUMNS)


def registries_in(
    organization: Organization, *, by: User, filters: str | None = None, order: str | None = None
) -> QuerySet[Registry]:
    """The organization's registries.

    Raises:
        BadRequest: the filter or the order cannot be used.
    """
    rows = Registry.objects.visible_to(by).filter(organization=organization).select_related("organization")
    chosen = narrowed(rows, filters, fields=PROJECT_FIELDS, facts=facts_of, moments=MOMENTS)
    return ordered(chosen, order or "name", columns=REGISTRY_COLUMNS)
