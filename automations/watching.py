"""Judging logged metrics inside the request that logs them: the hot path.

Which metrics of a project are watched is cached in each process under the version stamp that comes with the project's
row. A batch without watched metrics costs a look into that cache; otherwise one read and one write of the windows of
the metrics it has, whatever the number of automations.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from operator import itemgetter
from typing import Any

from django.utils import timezone

from automations import causes, cooldowns, loops, matching
from automations.filters import Filter
from automations.matching import Hit
from automations.models import Automation, Event
from automations.triggers import METRIC_EVENTS, WATCHING_EVENTS, InvalidCondition, trigger_for
from automations.triggers.silence import Stall
from automations.windows import Change, Threshold, ZScore
from projects import peers, recent
from projects.events import Fact, Scopes, run_facts
from projects.jsonvalues import non_finite_text
from projects.metrics import places_of, value_at
from projects.models import Project, Run
from projects.models.history import Stream

# A system metric is told by its key: rows of the system stream are judged by these rules alone, others never are.
SYSTEM_PREFIX = "system."


@dataclass(frozen=True, slots=True)
class Series:
    """The values of one metric in a batch, in the order logged, each with the index of its row."""

    rows: Sequence[int]
    values: list[float]


@dataclass(frozen=True, slots=True)
class Watch:
    """One automation's rule on a metric, for the runs its filter lets through."""

    automation: int
    rule: Threshold | Change | ZScore
    filter: Filter


Watches = Mapping[str, tuple[Watch, ...]]


@dataclass(frozen=True, slots=True)
class Point:
    """One logged value as triggers judge it: the window that ends with it, and where other runs were, if asked."""

    metric: str
    window: list[float]
    others: list[float]
    line: int
    step: float

    def details(self, run: Run) -> dict[str, Any]:
        """What an event says about it; the run's project and team must be loaded."""
        return {
            "metric": self.metric,
            "value": _json_number(self.window[-1]),
            "values": [_json_number(value) for value in self.window],
            **({"others": [_json_number(value) for value in self.others]} if self.others else {}),
            "line": self.line,
            "step": _json_number(self.step),
            "entity": run.project.team.name,
            "project": run.project.name,
        }


@dataclass(slots=True)
class Batch:
    """A freshly logged batch, with what is read about its run at most once, and only if a rule asks for it."""

    fact: Fact
    run: Run
    watches: Watches
    _facts: dict[str, Any] | None = None

    def facts(self) -> dict[str, Any]:
        """What logging itself does not need of the run."""
        if self._facts is None:
            self._facts = run_facts(Run.objects.select_related("user").get(pk=self.run.pk))
        return self._facts

    def others(self, metric: str) -> list[float]:
        """The metric's latest values in other runs, if a rule of the batch compares with them."""
        counts = [watch.rule.window_size for watch in self.watches[metric] if isinstance(watch.rule, ZScore)]
        return peers.latest_values(self.run, metric, count=max(counts)) if counts else []


def judge(fact: Fact) -> None:
    """Judge every point of a batch by the rules that watch its metrics, in the order logged (EV5)."""
    run = fact.run
    assert run is not None  # METRICS_LOGGED is about a run
    watches = watches_of(run.project_id, run.project.rules_version)
    if not watches:
        return
    logged = _series(fact, watches)
    if not logged:
        return
    batch = Batch(fact, run, watches)
    capacities = {metric: max((watch.rule.capacity for watch in watches[metric]), default=1) for metric in logged}
    before = recent.values_before(run, line=fact.first_line, capacities=capacities, stream=fact.stream)
    windows = {metric: before[metric] + series.values[-capacities[metric] :] for metric, series in logged.items()}
    for metric, series in logged.items():
        _judge_metric(batch, series, before[metric], metric=metric, size=capacities[metric])
    recent.store(
        run,
        next_line=fact.first_line + len(fact.rows),
        capacities=capacities,
        values=windows,
        moved={metric for metric, series in logged.items() if _moved(before[metric], series)},
        at=fact.occurred_at,
    )


@lru_cache(maxsize=2_000)
def watches_of(project: int, version: int) -> Watches:
    """The rules that watch a project's runs, by metric; none for a metric that somebody only waits for to stand still,
    whose window is kept all the same. `version` is the project's `rules_version`: a change of the rules raises it, so
    that an old answer is never asked for again."""
    found: dict[str, list[Watch]] = {}
    for automation in Automation.objects.listening_to(WATCHING_EVENTS, _scopes_of(project)):
        try:
            rule = trigger_for(automation.event_type).compile(automation.condition, automation.filter)
        except InvalidCondition:
            continue  # shown on the automation as one that cannot be evaluated
        if not isinstance(rule.condition, Stall):
            found.setdefault(rule.condition.name, []).append(Watch(automation.pk, rule.condition, rule.filter))
        elif rule.condition.name:
            found.setdefault(rule.condition.name, [])
    return {metric: tuple(watches) for metric, watches in found.items()}


def _scopes_of(project: int) -> Scopes:
    organization, team = Project.objects.values_list("team__organization", "team").get(pk=project)
    return Scopes(organization=organization, team=team, project=project)


def _series(fact: Fact, watches: Watches) -> dict[str, Series]:
    found: dict[str, Series] = {}
    keys: set[str] = set().union(*fact.rows)
    for metric in watches:
        if stream_of(metric) != fact.stream or keys.isdisjoint(places_of(metric)):
            continue
        series = series_of(fact.rows, metric)
        if series.values:
            found[metric] = series
    return found


def _moved(before: list[float], series: Series) -> bool:
    """Whether a value differs from the one before it; NaN is like NaN."""
    values = [*before[-1:], *series.values]
    return not before or any(new != old and not (math.isnan(new) and math.isnan(old)) for old, new in pairwise(values))


def stream_of(metric: str) -> Stream:
    """The stream whose lines hold the metric."""
    return Stream.SYSTEM if metric.startswith(SYSTEM_PREFIX) else Stream.HISTORY


def series_of(rows: Sequence[dict[str, Any]], metric: str) -> Series:
    """The numbers of one metric; rows that have none of it are no points (EV5)."""
    try:
        plain = list(map(itemgetter(metric), rows))
    except KeyError:
        plain = []
    if set(map(type, plain)) == {float}:  # nearly always: a number in every row
        return Series(range(len(rows)), plain)
    found = [(index, value) for index, row in enumerate(rows) if (value := value_at(row, metric)) is not None]
    return Series([index for index, _ in found], [value for _, value in found])


def verdicts_of(
    rule: Threshold | Change | ZScore, new: Sequence[float], *, before: Sequence[float], others: Sequence[float]
) -> list[bool]:
    """Whether the rule holds after each new value; `before` are the run's own values, `others` those of other runs."""
    return rule.judge_batch(others if isinstance(rule, ZScore) else before, new)


def _judge_metric(batch: Batch, series: Series, before: list[float], *, metric: str, size: int) -> None:
    """Start executions at the first point each watching automation reacts to; count its further points as surplus."""
    new = series.values
    others = batch.others(metric)
    first: dict[int, list[int]] = {}  # position in the series → automations that react there first
    further: dict[int, int] = {}  # automation → points it reacts to after that
    for watch in batch.watches[metric]:
        verdicts = verdicts_of(watch.rule, new, before=before, others=others)
        count = verdicts.count(True)
        if count and watch.filter.matches(batch.facts()):
            first.setdefault(verdicts.index(True), []).append(watch.automation)
            further[watch.automation] = count - 1
    if not first:
        return
    quiet = _quiet(further, batch.run)
    for position in sorted(first):
        ready = [pk for pk in first[position] if pk not in quiet]
        if ready:
            row = series.rows[position]
            line = batch.fact.first_line + row
            step = step_of(batch.fact.rows[row], line)
            window = (before + new[: position + 1])[-size:]
            _start(batch, ready, Point(metric, window, others, line=line, step=step))
    _count_surplus(batch.run, further, quiet)


def _quiet(automations: Iterable[int], run: Run) -> set[int]:
    """Automations of which nothing would come now: they have fired for this run, or have been kept from a loop."""
    at = timezone.now()
    quiet = cooldowns.quiet(automations, run=run, at=at)
    if chain := causes.current():
        subject = causes.subject_of(Event(run=run))
        looping = {pk for pk in automations if loops.objection(chain, pk, subject=subject)}
        quiet = (quiet - looping) | cooldowns.quiet(looping, run=run, at=at, state=loops.QUIET_KEY)
    return quiet


def _start(batch: Batch, automations: list[int], point: Point) -> None:
    fact, run = batch.fact, batch.run
    # As they are now: a rule may have been edited since this process compiled it, even into one on another event.
    listening = Automation.objects.listening_to(METRIC_EVENTS, fact.scopes)
    candidates = list(listening.filter(pk__in=automations).select_related("webhook", "slack_channel"))
    metric = hashlib.sha256(point.metric.encode()).hexdigest()[:16]
    event = Event(
        kind=fact.kind,
        dedupe_key=f"{fact.dedupe_key}:{point.line - fact.first_line}:{metric}",
        occurred_at=fact.occurred_at,
        actor=fact.actor,
        run=run,
        organization_id=fact.scopes.organization,
        team_id=fact.scopes.team,
        project_id=fact.scopes.project,
        facts=batch.facts(),
        chain=causes.stored(causes.current()),
        details=point.details(run),
    )
    hits = [Hit(candidate, matching.judge(candidate, event)) for candidate in candidates]
    hits = [hit for hit in hits if hit.match.matched]
    if hits:
        event.save()
        matching.start(hits, event, at=timezone.now())


def step_of(row: dict[str, Any], line: int) -> float:
    """The step a row says it is of, else its line."""
    return value_at(row, "_step") or line


def _json_number(value: float) -> float | str:
    return value if math.isfinite(value) else non_finite_text(value)


def _count_surplus(run: Run, further: Mapping[int, int], quiet: set[int]) -> None:
    """Points that would have fired were it not for EV11: for a quiet automation its first point is one of them."""
    by_count: dict[int, list[int]] = {}
    for automation, count in further.items():
        total = count + 1 if automation in quiet else count
        if total:
            by_count.setdefault(total, []).append(automation)
    for total, automations in by_count.items():
        cooldowns.count_surplus([(pk, "") for pk in automations], run=run, times=total)
