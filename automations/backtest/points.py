"""Logged metrics, judged again batch by batch as `automations.watching` judges them while they are logged."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _

from automations import matching
from automations.backtest import batches
from automations.backtest.result import Firing, Mark, Period, Subject
from automations.backtest.steps import Candidate, Step
from automations.models import Automation, Event
from automations.triggers import Match, Rule
from automations.watching import Point, Series, series_of, step_of, stream_of, verdicts_of
from automations.windows import ZScore
from projects import metrics, peers
from projects.events import METRICS_LOGGED, RUN_STATE, run_facts
from projects.models import MetricChunk, Project, Run, RunState


@dataclass(frozen=True, slots=True)
class Judged:
    """A batch that holds the metric, with the rule's verdict after each of its values."""

    chunk: MetricChunk
    rows: list[dict[str, Any]]
    series: Series
    before: list[float]
    others: list[float]
    verdicts: list[bool]

    def point(self, position: int, rule: Rule) -> Point:
        """The value at a position in the batch's series, as an event would tell of it."""
        row = self.series.rows[position]
        line = self.chunk.first_line + row
        window = (self.before + self.series.values[: position + 1])[-rule.condition.capacity :]
        return Point(rule.condition.name, window, self.others, line=line, step=step_of(self.rows[row], line))


class Judge:
    """One rule on a metric, going through batches of runs. Keeps the windows it needs to go on: of one run, or, where
    runs are compared and so come all at once, the last value of each."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.name: str = rule.condition.name
        self.stream = stream_of(self.name)
        self.compares = isinstance(rule.condition, ZScore)
        self._windows: dict[int, list[float]] = {}

    def judge(self, chunk: MetricChunk, *, others: Sequence[float] = ()) -> Judged | None:
        """The batch's verdicts; None if it does not hold the metric."""
        before = self._before(chunk)
        rows = metrics.rows_of(chunk)
        series = series_of(rows, self.name)
        if not series.values:
            return None
        verdicts = verdicts_of(self.rule.condition, series.values, before=before, others=others)
        self._windows[chunk.run_id] = (before + series.values)[-self.rule.condition.capacity :]
        return Judged(chunk, rows, series, before, list(others), verdicts)

    def _before(self, chunk: MetricChunk) -> list[float]:
        known = self._windows.get(chunk.run_id)
        if known is not None:
            return known
        if not self.compares:
            self._windows.clear()
        capacity = self.rule.condition.capacity
        run = Run(pk=chunk.run_id)
        found = metrics.last_values(run, self.name, count=capacity, before_line=chunk.first_line, stream=self.stream)
        self._windows[chunk.run_id] = found
        return found


class Standing:
    """Where the runs of a project are: the latest value of the metric in each, the most recently active last."""

    def __init__(self, judge: Judge, project: Project, period: Period) -> None:
        self._judge, self._period = judge, period
        silent = peers.standing_before(project.pk, judge.name, moment=period.since)
        self._values = OrderedDict(reversed(silent))

    def enter(self, run: int) -> None:
        """A run that logs in the period, with what it had logged before."""
        judge, since = self._judge, self._period.since
        first = Run(pk=run).chunks.filter(stream=judge.stream, created_at__gte=since).order_by("first_line")
        line = first.values_list("first_line", flat=True)[:1]
        before = metrics.last_values(Run(pk=run), judge.name, count=1, before_line=line[0], stream=judge.stream)
        if before:
            self._values[run] = before[-1]
            self._values.move_to_end(run)

    def others(self, run: int, *, count: int) -> list[float]:
        """Those of the other runs, as `projects.peers.latest_values` tells them."""
        known = islice((value for pk, value in reversed(self._values.items()) if pk != run), count)
        return list(known)

    def note(self, judged: Judged) -> None:
        """The run has logged a batch."""
        run = judged.chunk.run_id
        self._values[run] = judged.series.values[-1]
        self._values.move_to_end(run)


class Facts:
    """What filters see of the runs, as far as it is known: the state as it was, all else as it is now."""

    def __init__(self, rule: Rule) -> None:
        self._reads_state = "state" in rule.filter.fields()
        self.run = Run()
        self._facts: dict[str, Any] = {}
        self._changes: list[tuple[datetime, str]] = []

    def at(self, run: int, moment: datetime) -> dict[str, Any]:
        """The run's facts when a batch came; its row is `run` from then on."""
        if self.run.pk != run:
            self.run = Run.objects.select_related("project__team", "user").get(pk=run)
            self._facts = run_facts(self.run)
            self._changes = self._changes_of(run) if self._reads_state else []
        return self._facts | {"state": self._state_at(moment)}

    def _changes_of(self, run: int) -> list[tuple[datetime, str]]:
        changes = Event.objects.filter(run=run, kind=RUN_STATE, artifact=None).order_by("-occurred_at", "-pk")
        return list(changes.values_list("occurred_at", "details__state"))

    def _state_at(self, moment: datetime) -> str:
        """What starts with a batch comes before it, what ends with one after it."""
        for changed_at, state in self._changes:
            if changed_at < moment or (changed_at == moment and state == RunState.RUNNING):
                return state
        return RunState.RUNNING.value


def steps(automation: Automation, rule: Rule, projects: Sequence[Project], period: Period) -> Iterator[Step]:
    """Every batch of the projects' runs, and the first point of it that the automation would have reacted to."""
    judge, facts = Judge(rule), Facts(rule)
    for project in projects:
        runs = batches.runs_that_logged(project, judge.stream, period)
        standing = Standing(judge, project, period) if judge.compares else None
        if standing is not None:
            for run in runs:
                standing.enter(run)
                # So that whoever asked may leave, and time be up, while there are many runs to begin with.
                yield Step(0, None)
        for chunk, judged in _judged(judge, runs, period, standing=standing):
            yield Step(chunk.line_count, _candidate(automation, rule, judged, facts) if judged else None)


def _judged(
    judge: Judge, runs: Sequence[int], period: Period, *, standing: Standing | None
) -> Iterator[tuple[MetricChunk, Judged | None]]:
    if standing is None:
        for chunk in batches.run_by_run(runs, judge.stream, period):
            yield chunk, judge.judge(chunk)
        return
    count = judge.rule.condition.window_size
    for chunk in batches.as_they_came(runs, judge.stream, period):
        judged = judge.judge(chunk, others=standing.others(chunk.run_id, count=count))
        if judged:
            standing.note(judged)
        yield chunk, judged


def _candidate(automation: Automation, rule: Rule, judged: Judged, facts: Facts) -> Candidate | None:
    times, chunk = judged.verdicts.count(True), judged.chunk
    if not times or not rule.filter.matches(facts.at(chunk.run_id, chunk.created_at)):
        return None
    tell = partial(_firing, automation, rule, judged, facts)
    return Candidate(chunk.created_at, tell, once=(chunk.run_id, ""), times=times)


def _firing(automation: Automation, rule: Rule, judged: Judged, facts: Facts) -> Firing:
    position = judged.verdicts.index(True)
    match = match_at(automation, judged, position, facts, rule=rule)[1]
    subject = Subject(_("Run"), facts.run.display_name, facts.run.get_absolute_url())
    point = judged.point(position, rule)
    mark = Mark(facts.run.pk, point.step, point.window[-1])
    return Firing(judged.chunk.created_at, subject, match.reason, mark)


def match_at(automation: Automation, judged: Judged, position: int, facts: Facts, *, rule: Rule) -> tuple[Event, Match]:
    """The event that the point would be, and what the automation's trigger says of it."""
    chunk = judged.chunk
    seen = facts.at(chunk.run_id, chunk.created_at)
    event = Event(
        kind=METRICS_LOGGED,
        occurred_at=chunk.created_at,
        run=facts.run,
        facts=seen,
        details=judged.point(position, rule).details(facts.run),
    )
    return event, matching.judge(automation, event)
