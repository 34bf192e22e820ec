"""Scopes, webhooks and Slack channels by name, many at once: the same few queries for any number."""

from __future__ import annotations

from collections.abc import Collection as Container
from collections.abc import Iterable, Mapping
from functools import reduce
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from automations import versions
from automations.access import Scope
from automations.models import Automation, SlackChannel, Webhook
from projects.models import Organization, Project, Team
from registries.models import Collection, Registry

if TYPE_CHECKING:
    from projects.models import User

# Each kind in the words of the REST API: what it is, and the fields that its name is made of.
SCOPES: dict[str, tuple[type[Organization | Team | Project | Registry | Collection], tuple[str, ...]]] = {
    "organization": (Organization, ("name",)),
    "team": (Team, ("name",)),
    "project": (Project, ("team__name", "name")),
    "registry": (Registry, ("organization__name", "name")),
    "collection": (Collection, ("project__team__name", "project__name", "name")),
    "registry_collection": (Collection, ("registry__organization__name", "registry__name", "name")),
}
SHAPES = {
    "organization": "organization",
    "team": "team",
    "project": "team/project",
    "registry": "organization/registry",
    "collection": "team/project/collection",
    "registry_collection": "organization/registry/collection",
}
TARGETS: dict[str, tuple[type[Webhook | SlackChannel], tuple[str, ...]]] = {
    "webhook": (Webhook, ("team__name", "name")),
    "slack_channel": (SlackChannel, ("team__name", "channel")),
}
WORDS = {"registry_collection": "collection of a registry", "slack_channel": "Slack channel"}

Named = tuple[str, str]


def scopes_named(names: Iterable[Named], *, user: User) -> dict[Named, Scope]:
    """The scopes of these kinds and names that the user may see."""
    return _found(names, SCOPES, user=user)


def targets_named(names: Iterable[Named], *, user: User) -> dict[Named, Webhook | SlackChannel]:
    """The webhooks and Slack channels of these names, each with its field, of teams that the user may see."""
    return _found(names, TARGETS, user=user)


def name_of(automation: Automation) -> Named:
    """Kind and name of what an automation covers."""
    scope = automation.scope
    return versions.kind_word(scope, automation.scope_kind), str(scope)


def in_scopes(scopes: Container[Scope]) -> Q:
    """Automations of these scopes themselves, not of what is under them."""
    found = Q(pk__in=[])
    for model in {model for model, _ in SCOPES.values()}:
        keys = [scope.pk for scope in scopes if isinstance(scope, model)]
        found |= Q(**{f"{model._meta.model_name}__in": keys})
    return found


def unknown(kind: str, name: str) -> str:
    """The sentence for a name that nothing was found by."""
    shape = SHAPES.get(kind, "team/name")
    if name.count("/") != shape.count("/"):
        return f"“{name[:200]}” does not name a {word(kind)}. Write it as {shape}."
    return f"There is no {word(kind)} “{name[:200]}”."


def word(kind: str) -> str:
    """A kind in words."""
    return WORDS.get(kind, kind)


def _found(names: Iterable[Named], kinds: Mapping[str, tuple[Any, tuple[str, ...]]], *, user: User) -> dict[Named, Any]:
    asked: dict[str, list[tuple[str, ...]]] = {}
    for kind, name in names:
        asked.setdefault(kind, []).append(tuple(name.split("/")))
    found: dict[Named, Any] = {}
    for kind, parts in asked.items():
        model, fields = kinds[kind]
        fitting = [one for one in parts if len(one) == len(fields)]
        # Every part on its own finds too many; which of them were meant is looked up by their names.
        rows = model.objects.visible_to(user).filter(_all_in(fields, fitting)).select_related(*_above(fields))
        read = [attrgetter(field.replace("__", ".")) for field in fields]
        by_name = {"/".join(part(row) for part in read): row for row in rows}
        found |= {(kind, "/".join(one)): by_name["/".join(one)] for one in fitting if "/".join(one) in by_name}
    return found


def _all_in(fields: tuple[str, ...], parts: list[tuple[str, ...]]) -> Q:
    columns = zip(fields, zip(*parts, strict=True), strict=True) if parts else [("pk", ())]
    return reduce(lambda joined, column: joined & Q(**{f"{column[0]}__in": set(column[1])}), columns, Q())


def _above(fields: tuple[str, ...]) -> list[str]:
    """What the name is read from, and the organization that access is asked of."""
    above = [field.rpartition("__")[0] for field in fields]
    return [path for path in above if path]
