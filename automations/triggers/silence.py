"""Triggers on what does not happen: a running run that stands still, a collection that gets no new version.

Nobody announces these: `automations.silence` looks for them every minute, and measures how long it has been silent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings

from automations import filters
from automations.models import EventType
from automations.triggers.base import InvalidCondition, Match, Trigger
from automations.triggers.runs import COMMON_VARIABLES, ONCE_PER_RUN, RUN_VARIABLES
from automations.windows import InvalidWindow, check_name

# The kinds of fact; see `projects.events` for those that are announced.
RUN_STALLED = "RUN_STALL"
VERSION_MISSED = "ARTIFACT_ABSENCE"

METRIC, STEP, HEARTBEAT = "METRIC", "STEP", "HEARTBEAT"
# What may stand still, and the words for it.
SOURCES = {METRIC: "a metric", STEP: "the step", HEARTBEAT: "the heartbeat"}
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
        return self.name or SOURCES[self.source]

    @property
    def patience(self) -> timedelta:
        return timedelta(minutes=self.minutes)


class StallTrigger(Trigger):
    """Judges how long a running run has stood still: `details["silent_of"]` and `details["silent_seconds"]`."""

    event_type = EventType.RUN_STALL
    listens_to = RUN_STALLED
    description = "A run is running, but a metric, the step or the heartbeat no longer moves."
    fields = filters.RUN_FIELDS
    variables: ClassVar[tuple[str, ...]] = (*RUN_VARIABLES, "metric_name", *SILENCE_VARIABLES)
    fires_once = ONCE_PER_RUN

    def compile_condition(self, condition: Mapping[str, Any]) -> Stall:
        refuse_unknown(condition, "source", "name", "minutes", what="a stall")
        source = condition.get("source")
        if not isinstance(source, str) or source not in SOURCES:
            raise InvalidCondition("condition.source", f"What stands still is one of {', '.join(SOURCES)}.")
        minutes = whole(condition.get("minutes"), part="minutes", most=MOST_MINUTES)
        name = condition.get("name")
        if source == METRIC:
            try:
                check_name(name)
            except InvalidWindow as error:
                raise InvalidCondition("condition.name", error.message) from error
        elif name:
            raise InvalidCondition("condition.name", f"{SOURCES[source].capitalize()} has no name; leave that out.")
        if source == HEARTBEAT and minutes * 60 >= settings.CRASHED_AFTER:
            raise InvalidCondition(
                "condition.minutes",
                f"A run without a heartbeat for {settings.CRASHED_AFTER} seconds is given up as crashed. Write fewer"
                " minutes, or listen to failed runs.",
            )
        return Stall(source, str(name or ""), minutes)

    def judge(self, condition: Any, facts: Mapping[str, Any], details: Mapping[str, Any]) -> Match:
        if details.get("silent_of") != [condition.source, condition.name]:
            return Match(False, f"something else stood still than {condition.what}")
        minutes = int(details["silent_seconds"]) // 60
        reason = f"{condition.what} has not moved for {minutes:,} min"
        if minutes < condition.minutes:
            return Match(False, f"{reason}, {condition.minutes:,} min are asked for")
        return Match(True, reason)

    def condition_clause(self, condition: Any) -> str:
        return f"a run is running and {condition.what} has not moved for {condition.minutes:,} min"


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
    description = "A collection has had no new version for some hours."
    # The scope is one collection: there is nothing to filter.
    fields = ()
    variables: ClassVar[tuple[str, ...]] = (*COMMON_VARIABLES, "artifact_collection_name", *SILENCE_VARIABLES)
    fires_once = "once for each silence; the next version ends it"

    def compile_condition(self, condition: Mapping[str, Any]) -> Absence:
        refuse_unknown(condition, "hours", what="an absence")
        return Absence(whole(condition.get("hours"), part="hours", most=MOST_HOURS))

    def judge(self, condition: Any, facts: Mapping[str, Any], details: Mapping[str, Any]) -> Match:
        hours = int(details["silent_seconds"]) // 3_600
        last = details.get("last_version")
        reason = f"the last new version{f', {last},' if last else ''} came {hours:,} h ago"
        if last is None:
            reason = f"there has been no version for {hours:,} h"
        if hours < condition.hours:
            return Match(False, f"{reason}, {condition.hours:,} h are asked for")
        return Match(True, reason)

    def condition_clause(self, condition: Any) -> str:
        return f"no new version has come for {condition.hours:,} h"


def refuse_unknown(condition: Mapping[str, Any], *known: str, what: str) -> None:
    """Refuse parts that a condition does not have.

    Raises:
        InvalidCondition: with the part.
    """
    unknown = set(condition) - set(known)
    if unknown:
        raise InvalidCondition(
            "condition", f"“{min(unknown)}” is not part of the condition of {what}; it has {', '.join(known)}."
        )


def whole(value: object, *, part: str, most: int) -> int:
    """A whole number of minutes or hours.

    Raises:
        InvalidCondition: it is none, or out of bounds.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise InvalidCondition(f"condition.{part}", f"The time is a whole number of {part} from 1 to {most:,}.")
    return value
