"""The fields of what each event type alone asks for, and how a stored condition is written in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from automations.models import EventType
from automations.triggers.runs import ALERT_LEVELS
from automations.triggers.silence import METRIC, SOURCES
from automations.windows import AGGREGATES, CHANGE_TYPES, COMPARISONS, NONFINITE

STATES = [("RUNNING", "Running"), ("FINISHED", "Finished"), ("FAILED", "Failed or crashed")]
DIRECTIONS = [("INCREASE", "increases"), ("DECREASE", "decreases"), ("ANY", "changes either way")]
SIDES = [("ANY", "away from"), ("INCREASE", "above"), ("DECREASE", "below")]
# Each part of a condition, and the form's field for it.
PARTS: Mapping[EventType, Mapping[str, str]] = {
    EventType.RUN_STATE: {"states": "states"},
    EventType.RUN_METRIC: {
        "name": "metric_name",
        "agg_op": "agg_op",
        "window_size": "window_size",
        "cmp_op": "cmp_op",
        "threshold": "threshold",
    },
    EventType.RUN_METRIC_CHANGE: {
        "name": "metric_name",
        "agg_op": "agg_op",
        "current_window_size": "current_window_size",
        "prior_window_size": "prior_window_size",
        "change_type": "change_type",
        "change_dir": "change_dir",
        "change_amount": "change_amount",
    },
    EventType.RUN_METRIC_ZSCORE: {
        "name": "metric_name",
        "window_size": "run_count",
        "threshold": "deviations",
        "change_dir": "side",
    },
    EventType.RUN_STALL: {"source": "stall_source", "name": "metric_name", "minutes": "stall_minutes"},
    EventType.ARTIFACT_ABSENCE: {"hours": "absence_hours"},
    EventType.RUN_ALERT: {"title": "alert_title", "text": "alert_text", "levels": "alert_levels"},
}
# Fields with several answers.
SEVERAL = frozenset({"states", "alert_levels"})


def field_of(event_type: str, path: str) -> str:
    """The form's field for a place in a condition or filter that was refused: `condition.threshold`."""
    parts = PARTS.get(EventType(event_type), {}) if event_type in EventType.values else {}
    return "filter_json" if path == "filter" else parts.get(path.removeprefix("condition."), path)


def condition_answers(event_type: EventType, condition: Mapping[str, Any]) -> dict[str, list[str]]:
    """What to fill in so that the form says this condition, for every part of it."""
    return {name: _written(condition.get(part)) for part, name in PARTS.get(event_type, {}).items()}


def _written(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(one) for one in value]
    if value is None or value == "":
        return []
    return [value if isinstance(value, str) else repr(value)]


class AggregateField(forms.ChoiceField):
    """An aggregate, or nothing chosen for the latest value."""

    def clean(self, value: Any) -> str:
        return "" if value in self.empty_values else super().clean(value)


def _number(label: str, *, size: int, **attributes: Any) -> forms.TextInput:
    return forms.TextInput({"inputmode": "decimal", "size": size, "aria-label": label, **attributes})


def _count(label: str, initial: int) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        initial=initial,
        widget=_number(label, size=5, inputmode="numeric"),
        error_messages={"required": f"{label} is missing; write a whole number."},
    )


def _amount(label: str, **options: Any) -> forms.FloatField:
    attributes = options.pop("attributes", {})
    return forms.FloatField(
        label=label,
        widget=_number(label, size=9, **attributes),
        error_messages={"required": f"{label} is missing; write a number."},
        **options,
    )


def _choice(label: str, choices: Any, **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        choices=choices,
        label=label,
        widget=forms.Select(attrs={"aria-label": label}),
        error_messages={"required": f"{label} is missing."},
        **options,
    )


def _pattern(label: str, placeholder: str) -> forms.CharField:
    return forms.CharField(
        required=False,
        label=label,
        help_text="A regular expression; it may match anywhere.",
        widget=forms.TextInput(attrs={"class": "mono", "placeholder": placeholder}),
    )


class ConditionFields(forms.Form):
    """The fields of all event types, of which the page shows those of the chosen one and only those count."""

    states = forms.MultipleChoiceField(
        choices=STATES,
        label="When a run becomes",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one of Running, Finished and Failed."},
    )
    metric_name = forms.CharField(
        label="Metric",
        widget=forms.TextInput(attrs={"list": "metric-names", "placeholder": "loss", "aria-label": "Metric"}),
        error_messages={"required": "The metric is missing; write the key under which it is logged."},
    )
    agg_op = AggregateField(
        choices=[("", "latest value"), *AGGREGATES.items()],
        label="Aggregate",
        widget=forms.Select(attrs={"aria-label": "Aggregate"}),
    )
    window_size = _count("The number of values", 5)
    cmp_op = _choice(
        "The comparison",
        [
            *((symbol, f"is {comparison.words}") for symbol, comparison in COMPARISONS.items()),
            (NONFINITE, "is NaN or infinite"),
        ],
    )
    threshold = _amount("The threshold", attributes={"placeholder": "0.9"})
    current_window_size = _count("The number of last values", 10)
    prior_window_size = _count("The number of values before", 50)
    change_dir = _choice("The direction", DIRECTIONS, initial="ANY")
    change_amount = _amount("The amount", initial=0.25)
    change_type = _choice("The kind of change", CHANGE_TYPES.items(), initial="RELATIVE")
    side = _choice("The side", SIDES, initial="ANY")
    deviations = _amount("The number of deviations", initial=3.0)
    run_count = _count("The number of other runs", 30)
    stall_source = _choice("What stands still", SOURCES.items(), initial=METRIC)
    stall_minutes = _count("The number of minutes", 30)
    absence_hours = _count("The number of hours", 24)
    alert_title = _pattern("Title matches", "any title")
    alert_text = _pattern("Text matches", "any text")
    alert_levels = forms.MultipleChoiceField(
        choices=[(level, level) for level in ALERT_LEVELS],
        required=False,
        label="Levels",
        help_text="None chosen: any level.",
        widget=forms.CheckboxSelectMultiple,
    )

    def condition(self, event_type: EventType) -> dict[str, Any]:
        """What the event type alone asks for. Errors of fields that play no part are forgotten."""
        cleaned = self.cleaned_data
        condition = {part: cleaned.get(name) for part, name in PARTS.get(event_type, {}).items()}
        if event_type is EventType.RUN_ALERT:
            return {part: wanted for part, wanted in condition.items() if wanted}
        if condition.get("source") not in (None, METRIC):
            del condition["name"]
            self.errors.pop("metric_name", None)
        if condition.get("cmp_op") == NONFINITE:
            condition |= {"agg_op": None, "threshold": None}
            self.errors.pop("threshold", None)
        if "agg_op" in condition and not condition["agg_op"]:
            sizes = [part for part in condition if part.endswith("window_size")]
            condition |= {"agg_op": None, **dict.fromkeys(sizes, 1)}
            for part in sizes:
                self.errors.pop(part, None)
        return condition

    def says(self, event_type: EventType, condition: Mapping[str, Any]) -> bool:
        """Whether the fields still say what they showed of this condition, to the letter."""
        shown = condition_answers(event_type, condition)
        return all(set(self._typed(name)) == set(answers) for name, answers in shown.items())

    def _typed(self, name: str) -> list[str]:
        data: Any = self.data
        values = data.getlist(name) if hasattr(data, "getlist") else data.get(name) or []
        return [value for value in (values if isinstance(values, list) else [values]) if value]
