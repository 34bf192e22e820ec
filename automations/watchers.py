"""Which automations wait for something in a collection, and how often any of them acted on what happened there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Count

from automations import filters
from automations.models import Automation, Execution, ScopeKind
from automations.models.automation import FITTING_SCOPES
from automations.triggers import trigger_for
from projects.models import User
from registries.events import collection_scopes
from registries.models import Collection

# What happens in collections is what an automation of a single one may wait for.
EVENTS = tuple(kind for kind, scopes in FITTING_SCOPES.items() if ScopeKind.COLLECTION in scopes)
# A collection is known by these; versions that are still to come have labels of which nobody knows.
KNOWN = frozenset({"collection", "type"})
MOST_READ = 500


def of_collection(collection: Collection, user: User) -> list[Automation]:
    """The automations that the user may see and that the collection's name and type do not rule out, those of the
    collection itself first. Its project's team, or its registry, must be loaded."""
    covering = Automation.objects.visible_to(user).covering(collection_scopes(collection)).filter(event_type__in=EVENTS)
    listed = covering.select_related("team", "organization").order_by("name", "pk")[:MOST_READ]
    facts = {"collection": collection.name, "type": collection.type}
    found = [automation for automation in listed if _may_meet(automation, facts)]
    return sorted(found, key=lambda automation: automation.collection_id is None)


def executions_of(collections: Iterable[int], user: User) -> dict[int, int]:
    """How many executions that the user may see there were of events in each of these collections; none is 0."""
    counts = dict.fromkeys(collections, 0)
    rows = Execution.objects.visible_to(user).filter(event__collection__in=list(counts)).order_by()
    return counts | dict(rows.values_list("event__collection").annotate(count=Count("pk")))


def _may_meet(automation: Automation, facts: dict[str, Any]) -> bool:
    fields = trigger_for(automation.event_type).fields
    try:
        return all(filters.compile(part, fields=fields).matches(facts) for part in _known_parts(automation.filter))
    except filters.InvalidFilter:
        return False  # it never meets anything


def _known_parts(document: object) -> Iterator[dict[str, Any]]:
    """What a filter asks of the collection's name or type, whatever else it asks for."""
    if not isinstance(document, dict):
        return
    for key, value in document.items():
        if key == "$and" and isinstance(value, list):
            for one in value:
                yield from _known_parts(one)
        elif key in KNOWN:
            yield {key: value}
