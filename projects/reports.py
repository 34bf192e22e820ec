"""What a script reports from time to time: lines it logged and printed, its summary, that it lives, how it ended.

This is logging as the wandb client does it. Unlike `metrics.append`, nothing is refused that makes sense at all: a
client whose report is refused gives up, and what it has is lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from projects import console, held, metrics, runs
from projects.events import Fact, announce
from projects.jsonvalues import fitting, mended
from projects.metrics import Batch
from projects.models import Run, RunState
from projects.models.history import Stream


@dataclass(frozen=True, slots=True)
class Lines:
    """Rows of one stream, and the number of the first of them."""

    first: int
    batch: Batch


@dataclass(frozen=True, slots=True)
class Printed:
    """Lines of the console, which overwrite what was there, and the number of the first of them."""

    first: int
    lines: list[str]


@dataclass(frozen=True, slots=True)
class Report:
    """One report. What is None or empty was not in it; one with nothing in it is a heartbeat."""

    history: Lines | None = None
    system: Lines | None = None
    printed: Printed | None = None
    summary: dict[str, Any] | None = None
    preempting: bool = False
    exit_code: int | None = None

    @property
    def is_heartbeat(self) -> bool:
        """Whether it says nothing but that the script lives."""
        return self == HEARTBEAT


HEARTBEAT = Report()


@dataclass(slots=True)
class _Taking:
    """The run while a report is taken: what of it has changed, and what to announce once it is saved."""

    run: Run
    at: datetime
    changed: set[str] = field(default_factory=set)
    facts: list[Fact] = field(default_factory=list)

    def set(self, name: str, value: Any) -> None:
        setattr(self.run, name, value)
        self.changed.add(name)


def take(run: Run, report: Report, *, at: datetime) -> None:
    """Keep what a report says, and let automations judge it in the same transaction.

    Taking one again changes nothing: lines are known by their number. A pending run begins with its first report, a
    crashed one is running again; one that is over stays so, but keeps what arrives late.

    Raises:
        Run.DoesNotExist: it was deleted meanwhile.
    """
    if report.is_heartbeat:
        _note_life(run, at=at)
        return
    with transaction.atomic():
        taking = _Taking(run=_awake(held.hold(run.pk), report, at=at), at=at)
        _take_system(taking, report)
        _take_history(taking, report)
        _take_printed(taking, report)
        if report.preempting:
            taking.set("preempting", True)
        if taking.run.state == RunState.RUNNING:
            taking.set("heartbeat_at", max(taking.run.heartbeat_at, at))
        if taking.changed:
            taking.run.save(update_fields=sorted(taking.changed))
        for fact in taking.facts:
            announce(fact)
        if report.exit_code is not None:
            _end(taking.run, report.exit_code, at=at)


def _note_life(run: Run, *, at: datetime) -> None:
    """One statement, unless the run is not running."""
    if not Run.objects.filter(pk=run.pk, state=RunState.RUNNING).update(heartbeat_at=at):
        runs.heartbeat(run, at=at)


def _awake(run: Run, report: Report, *, at: datetime) -> Run:
    given_up = run.state == RunState.CRASHED and report.exit_code is None
    if given_up or run.state == RunState.PENDING:
        return runs.start(run, by=run.user, at=at)
    return run


def _take_history(taking: _Taking, report: Report) -> None:
    run = taking.run
    fresh = _fresh(report.history, stored=run.history_lines)
    if report.summary is not None:
        taking.set("summary", fitting(report.summary))
        taking.set("keeps_summary", True)
    elif fresh and not run.keeps_summary:
        taking.set("summary", _latest(run.summary, fresh))
    if fresh:
        taking.facts.append(metrics.keep(run, fresh.batch, stream=Stream.HISTORY, first_line=fresh.first, at=taking.at))
        taking.set("history_lines", fresh.first + len(fresh.batch.rows))


def _take_system(taking: _Taking, report: Report) -> None:
    run = taking.run
    fresh = _fresh(report.system, stored=run.system_lines)
    if fresh:
        taking.facts.append(metrics.keep(run, fresh.batch, stream=Stream.SYSTEM, first_line=fresh.first, at=taking.at))
        taking.set("system_lines", fresh.first + len(fresh.batch.rows))
        latest = _latest(run.system_metrics, fresh)
        # Names with “_” are the client's own.
        taking.set("system_metrics", {name: value for name, value in latest.items() if not name.startswith("_")})


def _take_printed(taking: _Taking, report: Report) -> None:
    if report.printed and report.printed.lines:
        run, printed = taking.run, report.printed
        console.keep(run, printed.lines, first_line=printed.first, at=taking.at)
        taking.set("console_lines", max(run.console_lines, printed.first + len(printed.lines)))


def _fresh(lines: Lines | None, *, stored: int) -> Lines | None:
    """What of the lines is not stored yet. Lines that were skipped are gone, and no reason to refuse these."""
    if lines is None:
        return None
    batch = metrics.unseen(lines.batch, lines.first, stored=stored)
    return Lines(first=max(lines.first, stored), batch=batch) if batch.rows else None


def _latest(summary: dict[str, Any], lines: Lines) -> dict[str, Any]:
    latest = dict(summary)
    for row in lines.batch.rows:
        metrics.merge_into(latest, row)
    return fitting(mended(latest))


def _end(run: Run, exit_code: int, *, at: datetime) -> None:
    try:
        runs.finish(run, exit_code=exit_code, by=run.user, at=at)
    except runs.InvalidTransition:
        # It was over already, by another end: the report may be a late one, and the first word stands.
        return
