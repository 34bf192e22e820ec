"""Triggers on runs: their state, and the metrics they log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automations import filters
from automations.models import EventType
from automations.triggers.base import InvalidCondition, Match, Trigger
from automations.windows import InvalidWindow, Threshold
from projects.events import METRICS_LOGGED, RUN_STATE
from projects.models import RunState

# The states one may ask for, and the run states each stands for: a crash is a failure. Killed and pending never fire.
ASKABLE_STATES: dict[str, frozenset[str]] = {
    "RUNNING": frozenset({RunState.RUNNING.value}),
    "FINISHED": frozenset({RunState.FINISHED.value}),
    "FAILED": frozenset({RunState.FAILED.value, RunState.CRASHED.value}),
}
VERBS = {"RUNNING": "starts running", "FINISHED": "finishes", "FAILED": "fails"}
COMMON_VARIABLES = ("automation_name", "event_type", "event_author", "entity_name", "project_name")
RUN_VARIABLES = (*COMMON_VARIABLES, "run_name", "run_id")


class RunStateTrigger(Trigger):
    event_type = EventType.RUN_STATE
    listens_to = RUN_STATE
    description = "A run starts, finishes, or fails. A crash counts as a failure."
    fields = filters.RUN_FIELDS
    variables = (*RUN_VARIABLES, "run_status")

    def compile_condition(self, condition: Mapping[str, Any]) -> tuple[str, ...]:
        unknown = set(condition) - {"states"}
        if unknown:
            raise InvalidCondition(
                "condition", f"“{min(unknown)}” is not part of a run state condition; it has “states”."
            )
        states = condition.get("states")
        if not isinstance(states, list) or not states:
            raise InvalidCondition("condition.states", "Choose at least one of Running, Finished and Failed.")
        for state in states:
            if not isinstance(state, str) or state not in ASKABLE_STATES:
                raise InvalidCondition(
                    "condition.states",
                    f"“{state}” is not a state an automation can wait for; choose of RUNNING, FINISHED, FAILED.",
                )
        return tuple(name for name in ASKABLE_STATES if name in states)

    def judge(self, condition: Any, facts: Mapping[str, Any], details: Mapping[str, Any]) -> Match:
        state = str(details.get("state", ""))
        for asked in condition:
            if state in ASKABLE_STATES[asked]:
                return Match(True, f"the run is {state}", key=asked)
        wanted = " or ".join(asked.lower() for asked in condition)
        return Match(False, f"the run is {state}, not {wanted}")

    def condition_clause(self, condition: Any) -> str:
        return f"a run {' or '.join(VERBS[asked] for asked in condition)}"


class RunMetricTrigger(Trigger):
    """Judges the window of values that ends at the point the event is about: `details["values"]`, oldest first."""

    event_type = EventType.RUN_METRIC
    listens_to = METRICS_LOGGED
    description = "A metric's latest values cross a threshold, or become NaN or infinite."
    fields = filters.RUN_FIELDS
    variables = (
        *RUN_VARIABLES,
        "metric_name",
        "metric_values",
        "metric_filter",
        "metric_filter_short",
        "metric_current_status",
    )

    def compile_condition(self, condition: Mapping[str, Any]) -> Threshold:
        try:
            return Threshold.from_condition(dict(condition))
        except InvalidWindow as error:
            field = f"condition.{error.field}" if error.field else "condition"
            raise InvalidCondition(field, error.message) from error

    def judge(self, condition: Any, facts: Mapping[str, Any], details: Mapping[str, Any]) -> Match:
        if details.get("metric") != condition.name:
            return Match(False, f"the values are of {details.get('metric')}, not of {condition.name}")
        values = [float(value) for value in details.get("values", [])]
        judgement = condition.judge(values)
        return Match(judgement.holds, f"{condition.name}: {judgement.reason}", evaluable=judgement.evaluable)

    def condition_clause(self, condition: Any) -> str:
        clause: str = condition.describe()
        return clause
