"""Triggers on runs: their state, the metrics they log, and the alerts they raise."""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from automations import filters
from automations.models import EventType
from automations.triggers.base import InvalidCondition, Match, Trigger
from automations.windows import Change, InvalidWindow, Judgement, Threshold, ZScore
from projects.events import METRICS_LOGGED, RUN_ALERT, RUN_STATE
from projects.models import RunState

# The states one may ask for, and the run states each stands for: a crash is a failure. Killed and pending never fire.
ASKABLE_STATES: dict[str, frozenset[str]] = {
    "RUNNING": frozenset({RunState.RUNNING.value}),
    "FINISHED": frozenset({RunState.FINISHED.value}),
    "FAILED": frozenset({RunState.FAILED.value, RunState.CRASHED.value}),
}
ALERT_LEVELS = ("INFO", "WARN", "ERROR")
BECOMES = {
    ("RUNNING",): gettext_noop("a run starts running"),
    ("FINISHED",): gettext_noop("a run finishes"),
    ("FAILED",): gettext_noop("a run fails"),
    ("RUNNING", "FINISHED"): gettext_noop("a run starts running or finishes"),
    ("RUNNING", "FAILED"): gettext_noop("a run starts running or fails"),
    ("FINISHED", "FAILED"): gettext_noop("a run finishes or fails"),
    ("RUNNING", "FINISHED", "FAILED"): gettext_noop("a run starts running or finishes or fails"),
}
IS = {
    RunState.RUNNING.value: gettext_noop("the run is running"),
    RunState.FINISHED.value: gettext_noop("the run finished"),
    RunState.FAILED.value: gettext_noop("the run failed"),
    RunState.CRASHED.value: gettext_noop("the run crashed"),
}
ONCE_PER_RUN = gettext_noop("at most once in 24 hours for each run")
COMMON_VARIABLES = ("automation_name", "event_type", "event_author", "entity_name", "project_name")
RUN_VARIABLES = (*COMMON_VARIABLES, "run_name", "run_id")


class RunStateTrigger(Trigger):
    event_type = EventType.RUN_STATE
    listens_to = RUN_STATE
    description = gettext_noop("A run starts, finishes, or fails. A crash counts as a failure.")
    fields = filters.RUN_FIELDS
    variables = (*RUN_VARIABLES, "run_status")
    fires_once = gettext_noop("at most once in 24 hours for each run and state")

    def compile_condition(self, condition: Mapping[str, Any]) -> tuple[str, ...]:
        unknown = set(condition) - {"states"}
        if unknown:
            raise InvalidCondition(
                "condition",
                _("“%(part)s” is not part of a run state condition; it has “states”.") % {"part": min(unknown)},
            )
        states = condition.get("states")
        if not isinstance(states, list) or not states:
            raise InvalidCondition("condition.states", _("Choose at least one of Running, Finished and Failed."))
        for state in states:
            if not isinstance(state, str) or state not in ASKABLE_STATES:
                raise InvalidCondition(
                    "condition.states",
                    _("“%(state)s” is not a state an automation can wait for; choose of RUNNING, FINISHED, FAILED.")
                    % {"state": state},
                )
        return tuple(name for name in ASKABLE_STATES if name in states)

    def judge(self, condition: Any, facts: Mapping[str, Any], details: Mapping[str, Any]) -> Match:
        state = str(details.get("state", ""))
        for asked in condition:
            if state in ASKABLE_STATES[asked]:
                code = details.get("exit_code")
                told = _(IS[state])
                if code:
                    told = _("%(what)s with exit code %(code)s") % {"what": told, "code": code}
                return Match(True, told, key=asked)
        wanted = functools.reduce(_either, (asked.lower() for asked in condition))
        return Match(False, _("the run is %(state)s, not %(wanted)s") % {"state": state, "wanted": wanted})

    def condition_clause(self, condition: Any) -> str:
        return _(BECOMES[condition])


def _either(first: str, second: str) -> str:
    return _("%(first)s or %(second)s") % {"first": first, "second": second}


METRIC_VARIABLES = (
    *RUN_VARIABLES,
    "metric_name",
    "metric_values",
    "metric_filter",
    "metric_filter_short",
    "metric_current_status",
)


class MetricTrigger(Trigger):
    """Judges the window of values that ends at the point the event is about: `details["values"]`, oldest first."""

    listens_to = METRICS_LOGGED
    fields = filters.RUN_FIELDS
    variables = METRIC_VARIABLES
    fires_once = ONCE_PER_RUN
    rule: ClassVar[type[Threshold | Change | ZScore]]

    def compile_condition(self, condition: Mapping[str, Any]) -> Threshold | Change | ZScore:
        try:
            return self.rule.from_condition(dict(condition))
        except InvalidWindow as error:
            field = f"condition.{error.field}" if error.field else "condition"
            raise InvalidCondition(field, error.message) from error

    def judge(self, condition: Any, facts: Mapping[str, Any], details: Mapping[str, Any]) -> Match:
        if details.get("metric") != condition.name:
            return Match(
                False,
                _("the values are of %(metric)s, not of %(name)s")
                % {"metric": details.get("metric"), "name": condition.name},
            )
        judgement = self.judgement(condition, details)
        return Match(judgement.holds, f"{condition.name}: {judgement.reason}", evaluable=judgement.evaluable)

    def judgement(self, rule: Any, details: Mapping[str, Any]) -> Judgement:
        """What the rule says of the event's values."""
        verdict: Judgement = rule.judge(numbers(details.get("values", [])))
        return verdict

    def condition_clause(self, condition: Any) -> str:
        clause: str = condition.describe()
        return clause


class RunMetricTrigger(MetricTrigger):
    event_type = EventType.RUN_METRIC
    description = gettext_noop("A metric's latest values cross a threshold, or become NaN or infinite.")
    rule = Threshold


class RunMetricChangeTrigger(MetricTrigger):
    event_type = EventType.RUN_METRIC_CHANGE
    description = gettext_noop("A metric moves by some amount against the values before.")
    rule = Change


class RunMetricZScoreTrigger(MetricTrigger):
    """Judges the latest value by those of other runs as they were then: `details["others"]`."""

    event_type = EventType.RUN_METRIC_ZSCORE
    description = gettext_noop("A metric is far from where other runs of the project are.")
    rule = ZScore

    def judgement(self, rule: Any, details: Mapping[str, Any]) -> Judgement:
        latest = (numbers(details.get("values", [])) or [math.nan])[-1]
        verdict: Judgement = rule.judge(latest, numbers(details.get("others", [])))
        return verdict


class RunAlertTrigger(Trigger):
    event_type = EventType.RUN_ALERT
    listens_to = RUN_ALERT
    description = gettext_noop("A script raises an alert with run.alert().")
    fields = filters.RUN_FIELDS
    variables = (*RUN_VARIABLES, "alert_title", "alert_text", "alert_level")
    fires_once = gettext_noop("at most once in 24 hours for each run and title")

    def compile_condition(self, condition: Mapping[str, Any]) -> filters.Filter:
        unknown = set(condition) - {"title", "text", "levels"}
        if unknown:
            raise InvalidCondition(
                "condition",
                _("“%(part)s” is not part of an alert's condition; it has “title”, “text”, “levels”.")
                % {"part": min(unknown)},
            )
        asked: dict[str, Any] = {
            part: {"$regex": condition[part]} for part in ("title", "text") if condition.get(part) not in (None, "")
        }
        levels = condition.get("levels") or []
        if not isinstance(levels, list) or not all(isinstance(one, str) and one in ALERT_LEVELS for one in levels):
            raise InvalidCondition(
                "condition.levels",
                _("Levels are a list of %(alert_levels)s.") % {"alert_levels": ", ".join(ALERT_LEVELS)},
            )
        if levels:
            asked["level"] = {"$in": [level for level in ALERT_LEVELS if level in levels]}
        try:
            return filters.compile(asked, fields=filters.ALERT_FIELDS)
        except filters.InvalidFilter as error:
            raise InvalidCondition(f"condition.{error.path.partition('.')[0]}", error.message) from error

    def judge(self, condition: Any, facts: Mapping[str, Any], details: Mapping[str, Any]) -> Match:
        """A title fires once in a day for each run: another title is other news."""
        title = str(details.get("title", ""))
        if not condition.matches(details):
            return Match(False, _("the alert's %(reason)s") % {"reason": condition.explain(details).reason})
        reason = _("the script raised %(level)s “%(title)s”") % {"level": details.get("level", ""), "title": title}
        return Match(True, reason, key=hashlib.sha256(title.encode()).hexdigest()[:16])

    def condition_clause(self, condition: Any) -> str:
        asked = condition.describe()
        return _("an alert is raised whose %(asked)s") % {"asked": asked} if asked else _("an alert is raised")


def numbers(values: Iterable[Any]) -> list[float]:
    """Numbers of an event's details, where NaN and infinities are written as text."""
    return [float(value) for value in values]
