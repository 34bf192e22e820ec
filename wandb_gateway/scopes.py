"""Scopes of automations: how the client names them, and what of them it lists where."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import BadRequest
from django.db.models import Q, QuerySet

from automations.access import Scope
from projects.models import Organization, Project, Team, User
from registries.models import Collection, Registry
from wandb_gateway import ids


def scope_of(user: User, *, kind: str, text: str) -> Scope:
    """The scope with this id, which is of the kind the client says.

    Raises:
        BadRequest: there is none the user may see. Not a 404, which the client would take for the automation's own.
    """
    try:
        found = _rows(user, kind, text).first()
    except ids.UnknownId as error:
        raise BadRequest(f"scopeID: {error}") from error
    if found is None:
        raise BadRequest("scopeID: There is no such scope, or you may not see it.")
    scope: Scope = found
    return scope


def _rows(user: User, kind: str, text: str) -> QuerySet[Any]:
    if kind == "PROJECT":
        name, number = ids.decode(text, "Project", "Registry")
        if name == "Registry":
            return Registry.objects.visible_to(user).select_related("organization").filter(pk=number)
        return Project.objects.visible_to(user).select_related("team__organization").filter(pk=number)
    if kind == "ARTIFACT_COLLECTION":
        number = ids.number(text, "ArtifactCollection")
        collections = Collection.objects.visible_to(user).filter(pk=number)
        return collections.select_related("project__team__organization", "registry__organization")
    model, number = ids.entity(text)
    if model is Organization:
        return Organization.objects.visible_to(user).filter(pk=number)
    return Team.objects.visible_to(user).select_related("organization").filter(pk=number)


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
