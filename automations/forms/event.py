"""Step 1 of an automation's form: what it covers, and the event with its condition."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from django import forms

from automations import filters
from automations.forms.filterfields import FILTER_FIELDS, FilterField, Values, join, split
from automations.models import EventType, ScopeKind
from automations.models.automation import FITTING_SCOPES
from automations.triggers import InvalidCondition, Trigger, trigger_for, triggers_for_scope
from automations.windows import AGGREGATES, COMPARISONS, NONFINITE
from projects.models import Project
from registries.models import Collection, Registry

STATES = [("RUNNING", "Running"), ("FINISHED", "Finished"), ("FAILED", "Failed or crashed")]
ICONS = {
    EventType.RUN_STATE: "activity",
    EventType.RUN_METRIC: "zap",
    EventType.CREATE_ARTIFACT: "package",
    EventType.LINK_ARTIFACT: "link",
    EventType.ADD_ARTIFACT_ALIAS: "tag",
}
# Parts of a condition, by the form's names.
FIELD_OF = {
    "condition.states": "states",
    "condition.name": "metric_name",
    "condition.agg_op": "agg_op",
    "condition.window_size": "window_size",
    "condition.cmp_op": "cmp_op",
    "condition.threshold": "threshold",
    "filter": "filter_json",
}
CONDITION_FIELDS = {
    EventType.RUN_STATE: ("states",),
    EventType.RUN_METRIC: ("metric_name", "agg_op", "window_size", "cmp_op", "threshold"),
}
DEFAULT_WINDOW = 5


@dataclass(frozen=True, slots=True)
class Offer:
    """An event as a card: `refused` says why it does not fit what the automation covers, "" if it does."""

    trigger: Trigger
    chosen: bool
    refused: str

    @property
    def icon(self) -> str:
        return ICONS[self.trigger.event_type]


class ScopeField(forms.ModelChoiceField):
    """A collection, or nothing chosen for all that contains it, which is an answer as well."""

    def clean(self, value: Any) -> Collection | None:
        return None if value in self.empty_values else super().clean(value)

    def label_from_instance(self, obj: Collection) -> str:
        return f"Collection {obj.name}"


class AggregateField(forms.ChoiceField):
    """An aggregate, or nothing chosen for the latest value."""

    def clean(self, value: Any) -> str:
        return "" if value in self.empty_values else super().clean(value)


class EventForm(forms.Form):
    """Every event's fields, of which the page shows those of the chosen one and only those count.

    `asked` holds, once valid, the event type, condition and filter. `original` is an event type and its filter as
    stored, which is kept to the letter as long as the fields still say the same. `home` is the project or registry
    whose page this is; an automation that exists keeps its scope, `fixed`.
    """

    use_required_attribute = False

    collection = ScopeField(Collection.objects.none(), label="Scope")
    event_type = forms.ChoiceField(
        choices=EventType.choices,
        label="Event",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose the event that starts the automation."},
    )
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
    window_size = forms.IntegerField(
        label="Number of values",
        initial=DEFAULT_WINDOW,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "size": 5, "aria-label": "Number of values"}),
        error_messages={"required": "The number of values is missing."},
    )
    cmp_op = forms.ChoiceField(
        choices=[
            *((symbol, f"is {comparison.words}") for symbol, comparison in COMPARISONS.items()),
            (NONFINITE, "is NaN or infinite"),
        ],
        label="Comparison",
        widget=forms.Select(attrs={"aria-label": "Comparison"}),
        error_messages={"required": "The comparison is missing."},
    )
    threshold = forms.FloatField(
        label="Threshold",
        widget=forms.TextInput(
            attrs={"inputmode": "decimal", "size": 9, "placeholder": "0.9", "aria-label": "Threshold"}
        ),
        error_messages={"required": "The threshold is missing; write a number."},
    )
    user = forms.ChoiceField(required=False, label="Runs of")
    run_name = forms.CharField(
        required=False,
        label="Run name matches",
        help_text="A regular expression; it may match anywhere in the name. ^prod- means: begins with prod-.",
        widget=forms.TextInput(attrs={"class": "mono", "placeholder": "any name"}),
    )
    alias_pattern = forms.CharField(
        required=False,
        label="Alias matches",
        help_text="A regular expression. ^production$ means: exactly production.",
        widget=forms.TextInput(attrs={"class": "mono", "placeholder": "any alias"}),
    )
    collection_name = forms.CharField(
        required=False,
        label="Collection name matches",
        help_text="A regular expression; it may match anywhere in the name.",
        widget=forms.TextInput(attrs={"class": "mono", "placeholder": "any collection"}),
    )
    artifact_type = forms.CharField(
        required=False, label="Artifact type", widget=forms.TextInput(attrs={"placeholder": "any type"})
    )
    aliases = forms.CharField(
        required=False,
        label="Aliases",
        help_text="Separated by commas; the version comes with at least one of them.",
        widget=forms.TextInput(attrs={"placeholder": "with or without"}),
    )
    filter_json = forms.CharField(
        required=False,
        strip=False,
        label="Also required",
        help_text="A condition in JSON that must hold as well.",
        widget=forms.Textarea(attrs={"class": "code", "rows": 5, "spellcheck": "false"}),
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        home: Project | Registry,
        initial: Mapping[str, Any] | None = None,
        fixed: Project | Registry | Collection | None = None,
        original: tuple[str, Any] = ("", None),
        usernames: Iterable[str] = (),
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self.home = home
        self.fixed = fixed
        self.original = original
        self.asked: tuple[EventType, dict[str, Any], Any] | None = None
        choice = cast("ScopeField", self.fields["collection"])
        choice.queryset = Collection.objects.filter(**{_kind(home).value: home})
        choice.empty_label = f"All of {home.name}"
        # Somebody who left may still be asked for; the form must not forget them.
        names = sorted({*usernames, *([self["user"].value()] if self["user"].value() else [])})
        cast("forms.ChoiceField", self.fields["user"]).choices = [
            ("", "anybody"),
            *((name, name) for name in names),
        ]
        if fixed is not None:
            del self.fields["collection"]

    @property
    def scope(self) -> Project | Registry | Collection:
        """What the automation is to cover, as far as it was said."""
        return self.fixed or self.cleaned_data.get("collection") or self.home

    def offers(self) -> list[Offer]:
        """The events as cards, for what is chosen so far, valid or not."""
        chosen = self["event_type"].value()
        in_collection = isinstance(self.fixed, Collection)
        if self.fixed is None:
            in_collection = bool(self["collection"].value())
        return [
            Offer(
                trigger,
                chosen == trigger.event_type,
                _refusal(trigger, self.home, in_collection=in_collection),
            )
            for trigger in triggers_for_scope(_kind(self.home))
        ]

    def shows_json(self) -> bool:
        """Whether the condition in JSON must be in sight: it says something, or is wrong."""
        return bool(self["filter_json"].value() or self["filter_json"].errors)

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        event_type = cleaned.get("event_type")
        self._forget_other_events(event_type)
        if not event_type:
            return cleaned
        trigger = trigger_for(event_type)
        refusal = _refusal(trigger, self.home, in_collection=isinstance(self.scope, Collection))
        if trigger not in triggers_for_scope(_kind(self.home)):
            refusal = f"“{trigger.label}” does not happen in a {_kind(self.home).label.lower()}."
        if refusal:
            self.add_error("event_type", refusal)
        document = self._filter(trigger)
        condition = self._condition(trigger.event_type)
        if not self.errors:
            try:
                trigger.compile(condition, document)
                self.asked = (trigger.event_type, condition, document)
            except InvalidCondition as error:
                self.add_error(FIELD_OF.get(error.field, "event_type"), error.message)
        return cleaned

    def _forget_other_events(self, event_type: str | None) -> None:
        """What the fields of other events say, which are out of sight, is not held against this one."""
        own = {"collection", "event_type"}
        if event_type:
            own |= {"filter_json", *CONDITION_FIELDS.get(EventType(event_type), ())}
            own |= {field.name for field in FILTER_FIELDS[EventType(event_type)]}
        for name in set(self.errors) - own:
            del self.errors[name]

    def _condition(self, event_type: EventType) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if event_type is EventType.RUN_STATE:
            return {"states": cleaned.get("states", [])}
        if event_type is not EventType.RUN_METRIC:
            return {}
        nonfinite = cleaned.get("cmp_op") == NONFINITE
        aggregate = None if nonfinite else cleaned.get("agg_op") or None
        if aggregate is None:
            self.errors.pop("window_size", None)
        if nonfinite:
            self.errors.pop("threshold", None)
        return {
            "name": cleaned.get("metric_name", ""),
            "agg_op": aggregate,
            "window_size": (cleaned.get("window_size") or 0) if aggregate else 1,
            "cmp_op": cleaned.get("cmp_op", ""),
            "threshold": None if nonfinite else cleaned.get("threshold"),
        }

    def _filter(self, trigger: Trigger) -> Any:
        fields = FILTER_FIELDS[trigger.event_type]
        values: Values = {}
        for field in fields:
            value = self._value(field)
            if value:
                values[field.name] = value
                self._check(field, value, trigger)
        rest = self._rest()
        event_type, document = self.original
        if event_type == trigger.event_type and split(document, fields) == (values, rest):
            return document
        return join(values, rest, fields)

    def _value(self, field: FilterField) -> str | list[str]:
        text: str = self.cleaned_data.get(field.name) or ""
        if field.operator != "$in":
            return text
        return list(dict.fromkeys(name for part in text.split(",") if (name := part.strip())))

    def _check(self, field: FilterField, value: str | list[str], trigger: Trigger) -> None:
        try:
            filters.compile({field.key: field.write(value)}, fields=trigger.fields)
        except filters.InvalidFilter as error:
            self.add_error(field.name, error.message)

    def _rest(self) -> Any:
        text = self.cleaned_data.get("filter_json") or ""
        if not text.strip():
            return {}
        try:
            rest = json.loads(text)
        except (ValueError, RecursionError) as error:
            self.add_error("filter_json", f"This is not JSON: {error}.")
            return {}
        if not isinstance(rest, dict):
            self.add_error("filter_json", 'A condition is an object, such as {"tags": "nightly"}.')
            return {}
        return rest


def answers_of(event_type: str, condition: Mapping[str, Any], document: Any) -> dict[str, list[str]]:
    """What to fill in so that the form says this event, condition and filter."""
    values, rest = split(document, FILTER_FIELDS[EventType(event_type)])
    answers = {name: [", ".join(value) if isinstance(value, list) else value] for name, value in values.items()}
    answers["event_type"] = [event_type]
    answers["filter_json"] = [json.dumps(rest, indent=2, ensure_ascii=False)] if rest else []
    answers["states"] = [str(state) for state in condition.get("states", [])]
    for key, name in (("name", "metric_name"), ("agg_op", "agg_op"), ("cmp_op", "cmp_op")):
        answers[name] = [condition[key]] if condition.get(key) else []
    if condition.get("agg_op"):
        answers["window_size"] = [str(condition["window_size"])]
    if condition.get("threshold") is not None:
        answers["threshold"] = [repr(condition["threshold"])]
    return answers


def _kind(scope: Project | Registry | Collection) -> ScopeKind:
    return ScopeKind(type(scope).__name__.lower())


def _refusal(trigger: Trigger, home: Project | Registry, *, in_collection: bool) -> str:
    """Why the event cannot be watched there, or ""."""
    if not in_collection:
        return ""
    if ScopeKind.COLLECTION not in FITTING_SCOPES[trigger.event_type]:
        return f"A collection has no runs: to watch them, cover all of {home.name}."
    if trigger.event_type is EventType.LINK_ARTIFACT and isinstance(home, Project):
        return f"Versions are linked in registries: to watch links, cover all of {home.name}."
    return ""
