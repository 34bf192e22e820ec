"""The fields of what each event type alone asks for, and how a stored condition is written in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.functional import keep_lazy_text
from django.utils.translation import gettext_lazy

from automations.models import EventType
from automations.triggers.runs import ALERT_LEVELS
from automations.triggers.silence import METRIC, SOURCES
from automations.windows import AGGREGATES, CHANGE_TYPES, COMPARISONS, NONFINITE

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

STATES = [
    ("RUNNING", gettext_lazy("Running")),
    ("FINISHED", gettext_lazy("Finished")),
    ("FAILED", gettext_lazy("Failed or crashed")),
]
DIRECTIONS = [
    ("INCREASE", gettext_lazy("increases")),
    ("DECREASE", gettext_lazy("decreases")),
    ("ANY", gettext_lazy("changes either way")),
]
SIDES = [
    ("ANY", gettext_lazy("away from")),
    ("INCREASE", gettext_lazy("above")),
    ("DECREASE", gettext_lazy("below")),
]
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


def _words(known: Mapping[str, str]) -> list[tuple[str, _StrPromise]]:
    return [(value, gettext_lazy(word)) for value, word in known.items()]


@keep_lazy_text
def missing(message: Any, what: Any) -> str:
    """That a field was left empty, said when it is shown."""
    said: str = message % {"what": what}
    return said


class AggregateField(forms.ChoiceField):
    """An aggregate, or nothing chosen for the latest value."""

    def clean(self, value: Any) -> str:
        return "" if value in self.empty_values else super().clean(value)


def _number(label: _StrPromise, *, size: int, **attributes: Any) -> forms.TextInput:
    return forms.TextInput({"inputmode": "decimal", "size": size, "aria-label": label, **attributes})


def _count(label: _StrPromise, initial: int) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        initial=initial,
        widget=_number(label, size=5, inputmode="numeric"),
        error_messages={"required": missing(gettext_lazy("%(what)s is missing; write a whole number."), label)},
    )


def _amount(label: _StrPromise, **options: Any) -> forms.FloatField:
    attributes = options.pop("attributes", {})
    return forms.FloatField(
        label=label,
        widget=_number(label, size=9, **attributes),
        error_messages={"required": missing(gettext_lazy("%(what)s is missing; write a number."), label)},
        **options,
    )


def _choice(label: _StrPromise, choices: Any, **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        choices=choices,
        label=label,
        widget=forms.Select(attrs={"aria-label": label}),
        error_messages={"required": missing(gettext_lazy("%(what)s is missing."), label)},
        **options,
    )


def _pattern(label: _StrPromise, placeholder: _StrPromise) -> forms.CharField:
    return forms.CharField(
        required=False,
        label=label,
        help_text=gettext_lazy("A regular expression; it may match anywhere."),
        widget=forms.TextInput(attrs={"class": "mono", "placeholder": placeholder}),
    )


class ConditionFields(forms.Form):
    """The fields of all event types, of which the page shows those of the chosen one and only those count."""

    states = forms.MultipleChoiceField(
        choices=STATES,
        label=gettext_lazy("When a run becomes"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one of Running, Finished and Failed.")},
    )
    metric_name = forms.CharField(
        label=gettext_lazy("Metric"),
        widget=forms.TextInput(
            attrs={"list": "metric-names", "placeholder": "loss", "aria-label": gettext_lazy("Metric")}
        ),
        error_messages={"required": gettext_lazy("The metric is missing; write the key under which it is logged.")},
    )
    agg_op = AggregateField(
        choices=[("", gettext_lazy("latest value")), *_words(AGGREGATES)],
        label=gettext_lazy("Aggregate"),
        widget=forms.Select(attrs={"aria-label": gettext_lazy("Aggregate")}),
    )
    window_size = _count(gettext_lazy("The number of values"), 5)
    cmp_op = _choice(
        gettext_lazy("The comparison"),
        [
            *((symbol, gettext_lazy(comparison.words)) for symbol, comparison in COMPARISONS.items()),
            (NONFINITE, gettext_lazy("is NaN or infinite")),
        ],
    )
    threshold = _amount(gettext_lazy("The threshold"), attributes={"placeholder": "0.9"})
    current_window_size = _count(gettext_lazy("The number of last values"), 10)
    prior_window_size = _count(gettext_lazy("The number of values before"), 50)
    change_dir = _choice(gettext_lazy("The direction"), DIRECTIONS, initial="ANY")
    change_amount = _amount(gettext_lazy("The amount"), initial=0.25)
    change_type = _choice(gettext_lazy("The kind of change"), _words(CHANGE_TYPES), initial="RELATIVE")
    side = _choice(gettext_lazy("The side"), SIDES, initial="ANY")
    deviations = _amount(gettext_lazy("The number of deviations"), initial=3.0)
    run_count = _count(gettext_lazy("The number of other runs"), 30)
    stall_source = _choice(gettext_lazy("What stands still"), _words(SOURCES), initial=METRIC)
    stall_minutes = _count(gettext_lazy("The number of minutes"), 30)
    absence_hours = _count(gettext_lazy("The number of hours"), 24)
    alert_title = _pattern(gettext_lazy("Title matches"), gettext_lazy("any title"))
    alert_text = _pattern(gettext_lazy("Text matches"), gettext_lazy("any text"))
    alert_levels = forms.MultipleChoiceField(
        choices=[(level, level) for level in ALERT_LEVELS],
        required=False,
        label=gettext_lazy("Levels"),
        help_text=gettext_lazy("None chosen: any level."),
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
