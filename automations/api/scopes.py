"""Scopes by name: `{"kind": "project", "name": "research/digits"}`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404

from automations.access import Scope
from automations.models import Automation
from projects import access as projects_access
from projects.api.roles import organization_for
from projects.models import User
from registries import access as registries_access
from registries.models import Collection


def _project_collection(user: User, team: str, project: str, collection: str) -> Collection:
    return registries_access.collection_for(user, collection, project=(team, project))


def _registry_collection(user: User, organization: str, registry: str, collection: str) -> Collection:
    return registries_access.collection_for(user, collection, registry=(organization, registry))


# Each kind, how its name is written, and who finds it. A collection's kind says where it is, because teams and
# organizations may have the same name.
KINDS: dict[str, tuple[str, Callable[..., Scope]]] = {
    "organization": ("organization", organization_for),
    "team": ("team", projects_access.team_for),
    "project": ("team/project", projects_access.project_for),
    "registry": ("organization/registry", registries_access.registry_for),
    "collection": ("team/project/collection", _project_collection),
    "registry_collection": ("organization/registry/collection", _registry_collection),
}


def scope_named(user: User, *, kind: str, name: str) -> Scope:
    """The scope a body names.

    Raises:
        ValidationError: for `scope`: the name is not written as its kind asks, or there is none the user may see.
    """
    shape, find = KINDS[kind]
    parts = name.split("/")
    if len(parts) != shape.count("/") + 1 or not all(parts):
        raise ValidationError({"scope": f"“{name}” does not name a {_words(kind)}. Write it as {shape}."})
    try:
        return find(user, *parts)
    except Http404 as error:
        raise ValidationError({"scope": str(error)}) from error


def scope_of(automation: Automation) -> dict[str, Any]:
    """How `scope_named` would be asked for the automation's scope."""
    scope = automation.scope
    kind = automation.scope_kind.value
    if isinstance(scope, Collection) and scope.registry_id is not None:
        kind = "registry_collection"
    return {"kind": kind, "name": str(scope)}


def _words(kind: str) -> str:
    return "collection of a registry" if kind == "registry_collection" else kind
