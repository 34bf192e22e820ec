"""Recorded events, matched again."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from django.db.models import QuerySet

from automations import matching, subjects
from automations.backtest.result import Firing, Period, Subject
from automations.backtest.steps import Candidate, Step
from automations.models import Automation, Event
from automations.triggers import trigger_for
from projects.models import User
from registries.models import Registry

# Each may hold a megabyte.
READ_AT_ONCE = 10


def events_of(automation: Automation, period: Period, *, reader: User) -> QuerySet[Event]:
    """The events of the period in the automation's scope that it listens to and the reader may see, in order."""
    return (
        Event.objects.visible_to(reader)
        .filter(
            **{automation.scope_kind.value: automation.scope},
            kind=trigger_for(automation.event_type).listens_to,
            occurred_at__gte=period.since,
            occurred_at__lte=period.until,
        )
        .order_by("pk")
    )


def steps(automation: Automation, events: QuerySet[Event], *, reader: User) -> Iterator[Step]:
    """Each of the events, and what the automation would have made of it."""
    registries = set(Registry.objects.visible_to(reader).values_list("pk", flat=True))
    shown = events.select_related(
        "run__project__team", "collection__project__team", "collection__registry__organization"
    )
    for event in shown.iterator(chunk_size=READ_AT_ONCE):
        match = matching.judge(automation, event)
        if not match.matched:
            yield Step(1, None)
            continue
        hidden = event.registry_id is not None and event.registry_id not in registries
        tell = partial(_firing, event, match.reason, hidden=hidden)
        once = (_run_of(event), match.key) if matching.fires_once_a_day(event) else None
        yield Step(1, Candidate(event.occurred_at, tell, once=once))


def _firing(event: Event, reason: str, *, hidden: bool) -> Firing:
    address = "" if hidden else subjects.address_of(event)
    return Firing(event.occurred_at, Subject(subjects.kind_of(event), subjects.name_of(event), address), reason)


def _run_of(event: Event) -> object:
    """Which run it is about, also once that is deleted."""
    return event.run_id or (event.project_id, event.facts.get("name"))
