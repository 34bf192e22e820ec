"""Replaying history for one automation, saved or not."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from automations import covering
from automations.backtest import batches, gaps, holding, occurrences, points
from automations.backtest.result import Period, Result, counted
from automations.backtest.steps import Step
from automations.models import Automation
from automations.models.automation import WIDE_SCOPES
from automations.silence import SILENT_EVENTS
from automations.triggers import InvalidCondition, MetricTrigger, Rule, trigger_for
from automations.watching import stream_of
from projects.models import User

PERIODS: Final = (7, 30, 90)
# A web worker does nothing else meanwhile.
LONGEST: Final = 5.0
TOLD_EVERY: Final = 0.2
# What fires more often than that is no automation anybody wants; more need not be kept.
MOST_FIRINGS: Final = 10_000

# Each silence is looked for while one automation waits for it, and is recorded for that one alone.
NOT_STORED: Final = gettext_noop(
    "What does not happen is looked for by the clock while an automation waits for it, and not stored otherwise: it"
    " cannot be replayed."
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of the history was looked at."""

    done: int
    total: int


@dataclass(slots=True)
class _Tally:
    """What came of the replay so far."""

    result: Result
    quiet: holding.OncePerDay = field(default_factory=holding.OncePerDay)

    def take(self, step: Step) -> None:
        self.result.looked_at += step.count
        candidate = step.candidate
        if candidate is None:
            return
        fires = candidate.once is None or self.quiet.claim(candidate.once, at=candidate.at)
        self.result.held_back += candidate.times - 1 if fires else candidate.times
        if fires:
            self.result.firings.append(candidate.tell())


def replay(
    automation: Automation, *, period: Period, reader: User, within: float = LONGEST
) -> Generator[Progress | Result, None, None]:
    """Look through the history of the automation's scope that the reader may see, oldest first; the last thing told is
    the result. Whoever stops listening stops it. After `within` seconds it ends with what it found so far."""
    trigger = trigger_for(automation.event_type)
    try:
        rule = trigger.compile(automation.condition, automation.filter)
    except InvalidCondition as error:
        yield Result(period, notes=[_("It cannot be evaluated: %(message)s") % {"message": error.message}])
        return
    if automation.event_type in SILENT_EVENTS:
        yield Result(period, notes=[_(NOT_STORED)])
        return
    tally = _Tally(Result(period, unit="point" if isinstance(trigger, MetricTrigger) else "event"))
    total, steps = _history(automation, rule, period, reader=reader)
    begun = told = monotonic()
    yield Progress(0, total)
    for step in steps:
        tally.take(step)
        now = monotonic()
        reason = _enough(tally.result, seconds=now - begun, within=within)
        if reason:
            tally.result.notes.append(
                _("%(reason)s It looked at %(done)s of %(total)s.")
                % {"reason": reason, "done": f"{tally.result.looked_at:,}", "total": counted(total, "row")}
            )
            break
        if now - told >= TOLD_EVERY:
            told = now
            yield Progress(tally.result.looked_at, total)
    yield _limited(tally.result, automation, rule, reader=reader)


def outcome(automation: Automation, *, period: Period, reader: User) -> Result:
    """The result of the replay, without being told how far it is."""
    result = Result(period)
    for told in replay(automation, period=period, reader=reader):
        if isinstance(told, Result):
            result = told
    return result


def _history(automation: Automation, rule: Rule, period: Period, *, reader: User) -> tuple[int, Iterator[Step]]:
    """How much there is to look at, and the steps of looking at it."""
    if isinstance(trigger_for(automation.event_type), MetricTrigger):
        projects = list(covering.projects_in(automation.scope, reader=reader))
        stream = stream_of(rule.condition.name)
        total = sum(batches.count_lines(project, stream, period) for project in projects)
        return total, points.steps(automation, rule, projects, period)
    events = occurrences.events_of(automation, period, reader=reader)
    return events.count(), occurrences.steps(automation, events, reader=reader)


def _enough(result: Result, *, seconds: float, within: float) -> str:
    """Why not to go on, as a sentence."""
    if seconds > within:
        return _("There is more history than can be replayed in %(within)s seconds; choose fewer days.") % {
            "within": f"{within:g}"
        }
    if len(result.firings) >= MOST_FIRINGS:
        return _("It would have fired more than %(most_firings)s times; the replay ended there.") % {
            "most_firings": f"{MOST_FIRINGS:,}"
        }
    return ""


def _limited(result: Result, automation: Automation, rule: Rule, *, reader: User) -> Result:
    """The result as it is told: in order of time, without what wide scopes skip, with what is not known."""
    result.firings.sort(key=lambda firing: firing.at)
    if automation.scope_kind in WIDE_SCOPES:
        fits = list(holding.within_limits([firing.at for firing in result.firings]))
        result.skipped = fits.count(False)
        result.firings = [firing for firing, fit in zip(result.firings, fits, strict=True) if fit]
    result.notes += gaps.notes(automation, rule, result.period, reader=reader)
    return result
