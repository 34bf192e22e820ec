"""Scopes of automations: how the client names them, and what of them it lists where."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import BadRequest
from django.db.models import Q, QuerySet
from django.http import Http404

from automations.access import Scope
from projects.models import Organization, Project, Team, User
from registries.models import Collection, Registry
from wandb_gateway import homes, ids


def scope_of(user: User, *, kind: str, text: str) -> Scope:
    """The scope with this id, which is of the kind the client says.

    Raises:
        BadRequest: there is none the user may see. Not a 404, which the client would take for the automation's own.
    """
    try:
        if kind == "PROJECT":
            return homes.numbered(user, text)
        found = (_collections if kind == "ARTIFACT_COLLECTION" else _entities)(user, text).first()
    except (ids.UnknownId, Http404) as error:
        raise BadRequest(f"scopeID: {error}") from error
    if found is None:
        raise BadRequest("scopeID: There is no such scope, or you may not see it.")
    scope: Scope = found
    return scope


def _collections(user: User, text: str) -> QuerySet[Collection]:
    found = Collection.objects.visible_to(user).filter(pk=ids.number(text, "ArtifactCollection"))
    return found.select_related("project__team__organization", "registry__organization")


def _entities(user: User, text: str) -> QuerySet[Team] | QuerySet[Organization]:
    model, number = ids.entity(text)
    found: QuerySet[Team] | QuerySet[Organization] = model.objects.visible_to(user).filter(pk=number)
    return found


def within_entity(entity: Team | Organization) -> Q:
    """Automations whose scope is the entity, or is in it. Teams are entities of their own, not parts of another."""
    if isinstance(entity, Organization):
        return Q(organization=entity) | Q(registry__organization=entity) | Q(collection__registry__organization=entity)
    return Q(team=entity) | Q(project__team=entity) | Q(collection__project__team=entity)


def within_projects(found: Iterable[Project | Registry]) -> Q:
    """Automations of these projects and registries, and of their collections."""
    both = list(found)
    projects = [one for one in both if isinstance(one, Project)]
    registries = [one for one in both if isinstance(one, Registry)]
    return (
        Q(project__in=projects)
        | Q(collection__project__in=projects)
        | Q(registry__in=registries)
        | Q(collection__registry__in=registries)
    )
