"""Triggers on what does not happen: a running run that stands still, a collection that gets no new version.

Nobody announces these: `automations.silence` looks for them every minute, and measures how long it has been silent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from automations import filters, words
from automations.models import EventType
from automations.triggers.base import InvalidCondition, Match, Trigger
from automations.triggers.runs import COMMON_VARIABLES, ONCE_PER_RUN, RUN_VARIABLES
from automations.windows import InvalidWindow, check_name

# The kinds of fact; see `projects.events` for those that are announced.
RUN_STALLED = "RUN_STALL"
VERSION_MISSED = "ARTIFACT_ABSENCE"

METRIC, STEP, HEARTBEAT = "METRIC", "STEP", "HEARTBEAT"
# What may stand still, and the words for it.
SOURCES = {METRIC: gettext_noop("a metric"), STEP: gettext_noop("the step"), HEARTBEAT: gettext_noop("the heartbeat")}
MOST_MINUTES = 30 * 24 * 60
MOST_HOURS = 365 * 24
SILENCE_VARIABLES = ("silent_for", "silent_since")


@dataclass(frozen=True, slots=True)
class Stall:
    """What has to stand still, and for how long; `name` is the metric's, "" for the other sources."""

    source: str
    name: str
    minutes: int

    @property
    def what(self) -> str:
        return words.named(self.name) if self.name else _(SOURCES[self.source])

    @property
    def patience(self) -> timedelta:
        return timedelta(minutes=self.minutes)


class StallTrigger(Trigger):
    """Judges how long a running run has stood still: `details["silent_of"]` and `details["silent_seconds"]`."""

    event_type = EventType.RUN_STALL
    listens_to = RUN_STALLED
    description = gettext_noop("A run is running, but a metric, the step or the heartbeat no longer moves.")
    fields = filters.RUN_FIELDS
    variables: ClassVar[tuple[str, ...]] = (*RUN_VARIABLES, "metric_name", *SILENCE_VARIABLES)
    fires_once = ONCE_PER_RUN

    def compile_condition(self, condition: Mapping[str, Any]) -> Stall:
        refuse_unknown(condition, "source", "name", "minutes", what=_("a stall"))
        source = condition.get("source")
        if not isinstance(source, str) or source not in SOURCES:
            raise InvalidCondition(
                "condition.source", _("What stands still is one of %(sources)s.") % {"sources": ", ".join(SOURCES)}
            )
        minutes = whole(condition.get("minutes"), part="minutes", most=MOST_MINUTES)
        name = condition.get("name")
        if source == METRIC:
            try:
                check_name(name)
            except InvalidWindow as error:
                raise InvalidCondition("condition.name", error.message) from error
        elif name:
            raise InvalidCondition(
                "condition.name",
                _("%(source)s has no name; leave that out.") % {"source": _(SOURCES[source]).capitalize()},
            )
        if source == HEARTBEAT and minutes * 60 >= settings.CRASHED_AFTER:
            raise InvalidCondition(
                "condition.minutes",
                _(
                    "A run without a heartbeat for %(crashed_after)s seconds is given up as crashed. Write"
                    " fewer minutes, or listen to failed runs."
                )
                % {"crashed_after": settings.CRASHED_AFTER},
            )
        return Stall(source, str(name or ""), minutes)

    def judge(self, condition: Any, facts: Mapping[str, Any], details: Mapping[str, Any]) -> Match:
        if details.get("silent_of") != [condition.source, condition.name]:
            return Match(False, _("something else stood still than %(what)s") % {"what": condition.what})
        minutes = int(details["silent_seconds"]) // 60
        reason = _("%(what)s has not moved for %(minutes)s min") % {"what": condition.what, "minutes": f"{minutes:,}"}
        if minutes < condition.minutes:
            return Match(
                False,
                _("%(reason)s, %(minutes)s min are asked for")
                % {"reason": reason, "minutes": f"{condition.minutes:,}"},
            )
        return Match(True, reason)

    def condition_clause(self, condition: Any) -> str:
        return _("a run is running and %(what)s has not moved for %(minutes)s min") % {
            "what": condition.what,
            "minutes": f"{condition.minutes:,}",
        }


@dataclass(frozen=True, slots=True)
class Absence:
    """For how long no version must have come."""

    hours: int

    @property
    def patience(self) -> timedelta:
        return timedelta(hours=self.hours)


class AbsenceTrigger(Trigger):
    """Judges how long a collection has had no new version: `details["silent_seconds"]`."""

    event_type = EventType.ARTIFACT_ABSENCE
    listens_to = VERSION_MISSED
    description = gettext_noop("A collection has had no new version for some hours.")
    # The scope is one collection: there is nothing to filter.
    fields = ()
    variables: ClassVar[tuple[str, ...]] = (*COMMON_VARIABLES, "artifact_collection_name", *SILENCE_VARIABLES)
    fires_once = gettext_noop("once for each silence; the next version ends it")

    def compile_condition(self, condition: Mapping[str, Any]) -> Absence:
        refuse_unknown(condition, "hours", what=_("an absence"))
        return Absence(whole(condition.get("hours"), part="hours", most=MOST_HOURS))

    def judge(self, condition: Any, facts: Mapping[str, Any], details: Mapping[str, Any]) -> Match:
        hours = int(details["silent_seconds"]) // 3_600
        last = details.get("last_version")
        if last is None:
            reason = _("there has been no version for %(hours)s h") % {"hours": f"{hours:,}"}
        else:
            reason = _("the last new version, %(last)s, came %(hours)s h ago") % {"last": last, "hours": f"{hours:,}"}
        if hours < condition.hours:
            return Match(
                False, _("%(reason)s, %(hours)s h are asked for") % {"reason": reason, "hours": f"{condition.hours:,}"}
            )
        return Match(True, reason)

    def condition_clause(self, condition: Any) -> str:
        return _("no new version has come for %(hours)s h") % {"hours": f"{condition.hours:,}"}


def refuse_unknown(condition: Mapping[str, Any], *known: str, what: str) -> None:
    """Refuse parts that a condition does not have.

    Raises:
        InvalidCondition: with the part.
    """
    unknown = set(condition) - set(known)
    if unknown:
        raise InvalidCondition(
            "condition",
            _("“%(part)s” is not part of the condition of %(what)s; it has %(known)s.")
            % {"part": min(unknown), "what": what, "known": ", ".join(known)},
        )


def whole(value: object, *, part: str, most: int) -> int:
    """A whole number of minutes or hours.

    Raises:
        InvalidCondition: it is none, or out of bounds.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise InvalidCondition(
            f"condition.{part}",
            _("The time is a whole number of %(part)s from 1 to %(most)s.") % {"part": part, "most": f"{most:,}"},
        )
    return value
