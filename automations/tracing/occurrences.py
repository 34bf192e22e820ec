"""What happened to a run or a version that an automation listens to: the occurrence that came nearest to firing it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import numpy as np
from django.db.models import Q, QuerySet

from automations import matching
from automations.backtest import LONGEST, Period, batches
from automations.backtest.points import Facts, Judge, Judged, match_at
from automations.models import Automation, Event
from automations.silence import SILENT_EVENTS
from automations.tracing.gates import Thing
from automations.triggers import Match, Rule, trigger_for
from automations.triggers.silence import VERSION_MISSED
from automations.windows import ZScore
from projects import peers
from projects.models import Run, User
from registries.events import ADD_COLLECTION_TAG, REMOVE_COLLECTION_TAG

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
LOOKED_AT = 100
# Each may hold a megabyte.
READ_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An event, recorded or made of a logged point, and what the trigger says of it. `count` is how often the like
    happened, `last` when it did so last; `cut` says that there is more than could be looked through."""

    event: Event
    match: Match
    count: int
    last: datetime
    cut: bool = False

    @property
    def at(self) -> datetime:
        return self.event.occurred_at


def nearest(automation: Automation, subject: Thing, rule: Rule, *, reader: User, at: datetime) -> Occurrence | None:
    """The latest that met the rule since the automation was made; else the one that missed it least. None if nothing
    like it has happened."""
    if isinstance(subject, Run) and hasattr(rule.condition, "shortfalls"):
        return _nearest_point(automation, subject, rule, at=at)
    return _nearest_event(automation, events_of(automation, subject, reader=reader), rule)


def events_of(automation: Automation, subject: Thing, *, reader: User) -> QuerySet[Event]:
    """Recorded events about the subject that the automation listens to, the latest first."""
    kind = trigger_for(automation.event_type).listens_to
    events = Event.objects.visible_to(reader).filter(kind=kind).order_by("-pk")
    if automation.event_type in SILENT_EVENTS:
        # Each silence is one automation's; the execution says whose.
        events = events.filter(executions__automation=automation)
    if isinstance(subject, Run):
        return events.filter(run=subject, artifact=None)
    if kind in {ADD_COLLECTION_TAG, REMOVE_COLLECTION_TAG, VERSION_MISSED}:
        return events.filter(collection=subject.collection_id)
    # A link is an event of the project the version is from as well.
    here = Q(collection=subject.collection_id) | Q(**{automation.scope_kind.value: automation.scope})
    return events.filter(here, artifact=subject.artifact_id)


def _nearest_event(automation: Automation, events: QuerySet[Event], rule: Rule) -> Occurrence | None:
    best: tuple[Any, Occurrence] | None = None
    count = events.count()
    for event in events[:LOOKED_AT].iterator(chunk_size=READ_AT_ONCE):
        match = matching.judge(automation, event)
        found = Occurrence(event, match, count, event.occurred_at)
        rank = (event.occurred_at >= automation.created_at, rule.filter.matches(event.facts), match.matched)
        if best is None or rank > best[0]:
            best = (rank, found if best is None else replace(found, last=best[1].last))
    return best[1] if best else None


@dataclass(slots=True)
class _Nearest:
    """The point found so far, and how near it is: since the automation was made, holding, by how little it missed."""

    rank: tuple[Any, ...] = ()
    judged: Judged | None = None
    position: int = 0

    def take(self, judged: Judged, *, rank: tuple[Any, ...], position: int) -> None:
        if not self.rank or rank >= self.rank:
            self.rank, self.judged, self.position = rank, judged, position


def _nearest_point(automation: Automation, run: Run, rule: Rule, *, at: datetime) -> Occurrence | None:
    judge, nearest, count = Judge(rule), _Nearest(), 0
    last, cut, begun = ALWAYS, False, monotonic()
    others = _others(run, rule)
    for chunk in batches.run_by_run([run.pk], judge.stream, Period(ALWAYS, at)):
        judged = judge.judge(chunk, others=others)
        # Also where no batch holds the metric.
        if cut := monotonic() - begun > LONGEST:
            break
        if judged is None:
            continue
        count, last = count + len(judged.series.values), chunk.created_at
        made = chunk.created_at >= automation.created_at
        if any(judged.verdicts):
            nearest.take(judged, rank=(made, True, 0.0), position=judged.verdicts.index(True))
        elif not nearest.rank or (made, False) >= nearest.rank[:2]:
            missed, position = _least_missed(judged, rule)
            nearest.take(judged, rank=(made, False, -missed), position=position)
    if nearest.judged is None:
        return None
    event, match = match_at(automation, nearest.judged, nearest.position, Facts(rule), rule=rule)
    return Occurrence(event, match, count, last, cut)


def _least_missed(judged: Judged, rule: Rule) -> tuple[float, int]:
    """By how much the best of the batch's values missed, and where it is; the last one if that cannot be said."""
    before = judged.others if isinstance(rule.condition, ZScore) else judged.before
    missed = rule.condition.shortfalls(before, judged.series.values)
    position = len(missed) - 1 - int(np.argmin(missed[::-1]))
    return float(missed[position]), position


def _others(run: Run, rule: Rule) -> list[float]:
    """Where other runs are now: where they were is known while all runs of the project are replayed only."""
    if not isinstance(rule.condition, ZScore):
        return []
    return peers.latest_values(run, rule.condition.name, count=rule.condition.window_size)
