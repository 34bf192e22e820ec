"""How far an automation of a team, an organization or a registry reaches: what it covers, how often it would fire.

Whoever makes one that would fire very often is asked to confirm it (UI2): what fires for everything tells nobody
anything, and fills a receiver besides.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from automations import backtest, covering, editing
from automations.backtest import Period, Progress, Result
from automations.models import EventType
from automations.models.automation import WIDE_SCOPES
from automations.silence import SILENT_EVENTS
from automations.triggers import trigger_for

if TYPE_CHECKING:
    from datetime import datetime

    from automations.access import Scope
    from automations.editing import Draft
    from projects.models import User

# What is replayed to tell how often it would fire, and for how many seconds: somebody waits for the page.
DAYS = 7
WITHIN = 2.0
# Runs count as covered for so long.
RECENT = 30
# Seconds for which an estimate is good: the page is asked for again with each word that is typed into it.
GOOD_FOR = 600


@dataclass(frozen=True, slots=True)
class Reach:
    """`a_day` is how often it is expected to fire, `at_most` says that this is only a bound. `stamp` stands for what
    was asked: a confirmation of something else confirms nothing."""

    a_day: float
    at_most: bool
    stamp: str

    @property
    def is_far(self) -> bool:
        """Whether whoever makes it is to confirm that."""
        return self.a_day > settings.CONFIRM_FIRINGS_PER_DAY

    @property
    def expected(self) -> str:
        """How often it would fire, as a sentence."""
        rate = _rate(self.a_day)
        number = 1 if rate == "1" else 2
        if self.at_most:
            return ngettext(
                "It would fire up to %(rate)s time a day.", "It would fire up to %(rate)s times a day.", number
            ) % {"rate": rate}
        if not self.a_day:
            return _("It would not have fired in the last %(days)s days.") % {"days": DAYS}
        return ngettext(
            "Going by the last %(days)s days, it would fire about %(rate)s time a day.",
            "Going by the last %(days)s days, it would fire about %(rate)s times a day.",
            number,
        ) % {"days": DAYS, "rate": rate}


def is_wide(scope: Scope) -> bool:
    """Whether it holds many projects or collections."""
    return editing.kind_of(scope) in WIDE_SCOPES


def covered(event_type: EventType, scope: Scope, *, reader: User) -> str:
    """What the scope holds now for such an event, as a sentence; two queries at most."""
    if trigger_for(event_type).about_runs:
        since = timezone.now() - timedelta(days=RECENT)
        projects = covering.projects_in(scope, reader=reader).count()
        runs = covering.runs_in(scope, reader=reader).filter(heartbeat_at__gte=since).count()
        counted = {"runs": f"{runs:,}", "projects": _projects(projects)}
        return (
            ngettext(
                "Now: %(projects)s, %(runs)s run in the last 30 days.",
                "Now: %(projects)s, %(runs)s runs in the last 30 days.",
                runs,
            )
            % counted
        )
    count = covering.collections_in(scope, event_type, reader=reader).count()
    return ngettext("Now: %(count)s collection.", "Now: %(count)s collections.", count) % {"count": f"{count:,}"}


def reach_of(draft: Draft, scope: Scope, *, reader: User) -> Reach:
    """How far the draft would reach. An estimate is kept for a while."""
    stamp = _stamp(draft, scope)
    key = f"reach:{reader.pk}:{stamp}"
    estimate: tuple[float, bool] | None = cache.get(key)
    if estimate is None:
        estimate = _estimate(draft, scope, reader=reader, at=timezone.now())
        cache.set(key, estimate, GOOD_FOR)
    return Reach(*estimate, stamp)


def asks_the_same(draft: Draft, saved: Draft) -> bool:
    """Whether both react to the same."""
    return all(getattr(draft, name) == getattr(saved, name) for name in ("event_type", "condition", "filter"))


def _estimate(draft: Draft, scope: Scope, *, reader: User, at: datetime) -> tuple[float, bool]:
    """Firings a day, and whether that is only a bound, where it cannot be replayed."""
    automation = editing.unsaved(draft, scope=scope)
    if draft.event_type in SILENT_EVENTS:
        return _runs_a_day(scope, reader=reader, at=at), True
    period = Period.of_days(DAYS, until=at)
    total, result = 0, None
    try:
        with backtest.turn():
            for told in backtest.replay(automation, period=period, reader=reader, within=WITHIN):
                if isinstance(told, Progress):
                    total = told.total
                elif isinstance(told, Result):
                    result = told
    except backtest.ReplaysAreRunning:
        return _events_a_day(draft, scope, reader=reader, period=period), True
    if result is None or not result.looked_at:
        return 0.0, False
    fired = len(result.firings) + result.skipped
    # Where there was more history than time, the rest is taken to be like what was looked at.
    return fired * max(total, result.looked_at) / result.looked_at / DAYS, False


def _runs_a_day(scope: Scope, *, reader: User, at: datetime) -> float:
    """How many runs there were a day: an automation fires for each at most once a day."""
    recent = covering.runs_in(scope, reader=reader).filter(heartbeat_at__gte=at - timedelta(days=DAYS))
    return recent.count() / DAYS


def _events_a_day(draft: Draft, scope: Scope, *, reader: User, period: Period) -> float:
    """How many events of the kind there were a day; of logged metrics, how many runs."""
    if trigger_for(EventType(draft.event_type)).about_runs:
        return _runs_a_day(scope, reader=reader, at=period.until)
    automation = editing.unsaved(draft, scope=scope)
    return backtest.events_of(automation, period, reader=reader).count() / DAYS


def _stamp(draft: Draft, scope: Scope) -> str:
    asked = [editing.kind_of(scope).value, scope.pk, draft.event_type, draft.condition, draft.filter]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:32]


def _projects(count: int) -> str:
    return ngettext("%(count)s project", "%(count)s projects", count) % {"count": f"{count:,}"}


def _rate(a_day: float) -> str:
    """A number of firings as people say it: `0.4`, `3.5`, `1,240`."""
    return f"{a_day:,.0f}" if a_day >= 10 else f"{max(a_day, 0.1):.1f}".removesuffix(".0")
