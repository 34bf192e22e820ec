"""Projects and registries, which are one kind of thing to the client: a registry is a project of the organization's
entity, and has a name that begins with `wandb-registry-`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.http import Http404

from projects import access
from projects.models import Organization, Project, Team, User
from registries import access as registries_access
from registries.models import Registry
from wandb_gateway import ids

REGISTRY_PREFIX = "wandb-registry-"
KINDS = ("Project", "Registry")

Home = Project | Registry
Found = TypeVar("Found")


def name_of(home: Home) -> str:
    """The name as the client writes it."""
    return f"{REGISTRY_PREFIX}{home.name}" if isinstance(home, Registry) else home.name


def entity_of(home: Home) -> Team | Organization:
    """Whose it is."""
    return home.organization if isinstance(home, Registry) else home.team


def registry_name(name: str) -> str | None:
    """The name of the registry that the client's name means, or None if it is a project's."""
    return name.removeprefix(REGISTRY_PREFIX) if name.startswith(REGISTRY_PREFIX) else None


def named(user: User, entity: str | None, name: str) -> Home:
    """The project or registry of this name; without an entity, of the user's own one.

    Raises:
        Http404: there is none the user may see.
    """
    entity = entity or user.username
    if "\x00" in entity + name:  # which PostgreSQL cannot even be asked for
        raise Http404("There is no such project.")
    registry = registry_name(name)
    try:
        return access.project_for(user, entity, name)
    except Http404:
        if registry is None:
            raise
    return registries_access.registry_for(user, entity, registry)


def numbered(user: User, id: str) -> Home:
    """The project or registry with this id.

    Raises:
        UnknownId, Http404: there is none the user may see.
    """
    kind, number = ids.decode(id, *KINDS)
    found: Home | None
    if kind == "Registry":
        found = Registry.objects.visible_to(user).select_related("organization").filter(pk=number).first()
    else:
        found = Project.objects.visible_to(user).select_related("team__organization").filter(pk=number).first()
    if found is None:
        raise Http404("There is no such project.")
    return found


def or_none(look: Callable[[], Found]) -> Found | None:
    """What is found; None stands for what is not there, or not to be seen."""
    try:
        return look()
    except (Http404, ids.UnknownId):
        return None
