"""Step 1 of an automation's form: what it covers, and the event with its condition."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations import filters
from automations.forms.conditions import PARTS, ConditionFields, condition_answers, field_of
from automations.forms.filterfields import FILTER_FIELDS, FilterField, Values, join, listed, split
from automations.models import Automation, EventType, ScopeKind
from automations.models.automation import FITTING_SCOPES
from automations.triggers import TRIGGERS, InvalidCondition, Trigger, trigger_for, triggers_for_scope
from projects.models import Organization, Project, Team
from registries.models import Collection, Registry

Home = Project | Registry | Team | Organization
OF_ONE_COLLECTION = frozenset({ScopeKind.COLLECTION})
ICONS = {
    EventType.RUN_STATE: "activity",
    EventType.RUN_METRIC: "zap",
    EventType.RUN_METRIC_CHANGE: "zap",
    EventType.RUN_METRIC_ZSCORE: "users",
    EventType.RUN_ALERT: "alert",
    EventType.RUN_STALL: "pause",
    EventType.CREATE_ARTIFACT: "package",
    EventType.LINK_ARTIFACT: "link",
    EventType.UNLINK_ARTIFACT: "slash",
    EventType.ADD_ARTIFACT_ALIAS: "tag",
    EventType.ADD_ARTIFACT_TAG: "plus",
    EventType.REMOVE_ARTIFACT_TAG: "cross",
    EventType.ADD_COLLECTION_TAG: "plus",
    EventType.REMOVE_COLLECTION_TAG: "cross",
    EventType.ARTIFACT_ABSENCE: "clock",
}


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
        return _("Collection %(name)s") % {"name": obj.name}


class EventForm(ConditionFields):
    """Every event's fields, of which the page shows those of the chosen one and only those count.

    `asked` holds, once valid, the event type, condition and filter. `original` is what is stored: condition and filter
    are kept to the letter as long as the fields still say the same. `home` is what the page is about: a project, a
    registry, a team or an organization; an automation that exists keeps its scope, `fixed`.
    """

    use_required_attribute = False

    collection = ScopeField(Collection.objects.none(), label=gettext_lazy("Scope"))
    event_type = forms.ChoiceField(
        choices=EventType.choices,
        label=gettext_lazy("Event"),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose the event that starts the automation.")},
    )
    user = forms.ChoiceField(required=False, label=gettext_lazy("Runs of"))
    run_name = forms.CharField(
        required=False,
        label=gettext_lazy("Run name matches"),
        help_text=gettext_lazy(
            "A regular expression; it may match anywhere in the name. ^prod- means: begins with prod-."
        ),
        widget=forms.TextInput(attrs={"class": "mono", "placeholder": gettext_lazy("any name")}),
    )
    alias_pattern = forms.CharField(
        required=False,
        label=gettext_lazy("Alias matches"),
        help_text=gettext_lazy("A regular expression. ^production$ means: exactly production."),
        widget=forms.TextInput(attrs={"class": "mono", "placeholder": gettext_lazy("any alias")}),
    )
    tag_pattern = forms.CharField(
        required=False,
        label=gettext_lazy("Tag matches"),
        help_text=gettext_lazy("A regular expression. ^approved$ means: exactly approved."),
        widget=forms.TextInput(attrs={"class": "mono", "placeholder": gettext_lazy("any tag")}),
    )
    collection_name = forms.CharField(
        required=False,
        label=gettext_lazy("Collection name matches"),
        help_text=gettext_lazy("A regular expression; it may match anywhere in the name."),
        widget=forms.TextInput(attrs={"class": "mono", "placeholder": gettext_lazy("any collection")}),
    )
    artifact_type = forms.CharField(
        required=False,
        label=gettext_lazy("Artifact type"),
        widget=forms.TextInput(attrs={"placeholder": gettext_lazy("any type")}),
    )
    aliases = forms.CharField(
        required=False,
        label=gettext_lazy("Aliases"),
        help_text=gettext_lazy("Separated by commas; the version comes with at least one of them."),
        widget=forms.TextInput(attrs={"placeholder": gettext_lazy("with or without")}),
    )
    filter_json = forms.CharField(
        required=False,
        strip=False,
        label=gettext_lazy("Also required"),
        help_text=gettext_lazy("A condition in JSON that must hold as well."),
        widget=forms.Textarea(attrs={"class": "code", "rows": 5, "spellcheck": "false"}),
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        home: Home,
        initial: Mapping[str, Any] | None = None,
        fixed: Home | Collection | None = None,
        original: Automation | None = None,
        usernames: Iterable[str] = (),
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self.home = home
        self.fixed = fixed
        self.original = original
        self.asked: tuple[EventType, dict[str, Any], Any] | None = None
        if isinstance(home, Project | Registry):
            choice = cast("ScopeField", self.fields["collection"])
            choice.queryset = Collection.objects.filter(**{_kind(home).value: home})
            choice.empty_label = _("All of %(name)s") % {"name": home.name}
        # Somebody who left may still be asked for; the form must not forget them.
        names = sorted({*usernames, *([self["user"].value()] if self["user"].value() else [])})
        cast("forms.ChoiceField", self.fields["user"]).choices = [
            ("", _("anybody")),
            *((name, name) for name in names),
        ]
        if fixed is not None or not isinstance(home, Project | Registry):
            del self.fields["collection"]

    @property
    def scope(self) -> Home | Collection:
        """What the automation is to cover, as far as it was said."""
        return self.fixed or self.cleaned_data.get("collection") or self.home

    def offers(self) -> list[Offer]:
        """The events as cards, for what is chosen so far, valid or not."""
        chosen = self["event_type"].value()
        logged = isinstance(self.fixed, Collection) and not self.fixed.is_linked
        in_collection = isinstance(self.fixed, Collection)
        if "collection" in self.fields:
            in_collection = bool(self["collection"].value())
        return [
            Offer(
                trigger,
                chosen == trigger.event_type,
                self._refusal(trigger, in_collection=in_collection, logged=logged),
            )
            for trigger in self._triggers()
        ]

    def metric_fields(self) -> list[forms.BoundField]:
        """The fields of the sentence about a metric, for what is wrong with them."""
        rules = (
            *(EventType.RUN_METRIC, EventType.RUN_METRIC_CHANGE, EventType.RUN_METRIC_ZSCORE),
            EventType.RUN_STALL,
        )
        return [self[name] for name in dict.fromkeys(name for rule in rules for name in PARTS[rule].values())]

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
        scope = self.scope
        in_collection = isinstance(scope, Collection)
        logged = isinstance(scope, Collection) and not scope.is_linked
        refusal = self._refusal(trigger, in_collection=in_collection, logged=logged)
        if trigger not in self._triggers():
            refusal = _("“%(label)s” does not happen in a %(lower)s.") % {
                "label": trigger.label,
                "lower": _kind(self.home).label.lower(),
            }
        if refusal:
            self.add_error("event_type", refusal)
        document = self._filter(trigger)
        condition = self._condition_kept(trigger.event_type)
        if not self.errors:
            try:
                trigger.compile(condition, document)
                self.asked = (trigger.event_type, condition, document)
            except InvalidCondition as error:
                name = field_of(event_type, error.field)
                self.add_error(name if name in self.fields else "event_type", error.message)
        return cleaned

    def _triggers(self) -> list[Trigger]:
        """What can be watched there, and what the automation watches already."""
        own = [trigger_for(self.original.event_type)] if self.original else []
        # What only one collection can wait for is shown where there are some; `_refusal` says to choose one.
        inside = isinstance(self.home, Project | Registry)
        of_one = [trigger for trigger in TRIGGERS.values() if inside and trigger.scopes == OF_ONE_COLLECTION]
        return list(dict.fromkeys([*triggers_for_scope(_kind(self.home)), *of_one, *own]))

    def _refusal(self, trigger: Trigger, *, in_collection: bool, logged: bool) -> str:
        """Why the event cannot be watched there, or ""; what is saved already is not argued with. `logged`
        says that the collection holds versions as they were logged, not links."""
        home, original = self.home, self.original
        if not in_collection and FITTING_SCOPES[trigger.event_type] == OF_ONE_COLLECTION:
            return _("This is about one collection: choose it as the scope first.")
        if not in_collection or (original is not None and original.event_type == trigger.event_type):
            return ""
        if ScopeKind.COLLECTION not in FITTING_SCOPES[trigger.event_type]:
            return _("A collection has no runs: to watch them, cover all of %(name)s.") % {"name": home.name}
        of_links = trigger.event_type in {EventType.LINK_ARTIFACT, EventType.UNLINK_ARTIFACT}
        if of_links and logged:
            return _("Versions are logged in this collection, not linked: to watch links, cover all of %(name)s.") % {
                "name": home.name
            }
        return ""

    def _forget_other_events(self, event_type: str | None) -> None:
        """What the fields of other events say, which are out of sight, is not held against this one."""
        own = {"collection", "event_type"}
        if event_type:
            own |= {"filter_json", *PARTS.get(EventType(event_type), {}).values()}
            own |= {field.name for field in FILTER_FIELDS[EventType(event_type)]}
        for name in set(self.errors) - own:
            del self.errors[name]

    def _condition_kept(self, event_type: EventType) -> dict[str, Any]:
        condition = self.condition(event_type)
        original = self.original
        if original is None or original.event_type != event_type or not self.says(event_type, original.condition):
            return condition
        # Also what the fields' own checks would have written otherwise.
        for name in PARTS.get(event_type, {}).values():
            self.errors.pop(name, None)
        return dict(original.condition)

    def _filter(self, trigger: Trigger) -> Any:
        fields = FILTER_FIELDS[trigger.event_type]
        values: Values = {}
        for field in fields:
            value = self._value(field)
            if value:
                values[field.name] = value
                self._check(field, value, trigger)
        rest = self._rest()
        original = self.original
        shown = split(original.filter, fields) if original and original.event_type == trigger.event_type else None
        # As text, since Python takes true for 1.
        if original and json.dumps(shown, sort_keys=True) == json.dumps((values, rest), sort_keys=True):
            return original.filter
        return join(values, rest, fields)

    def _value(self, field: FilterField) -> str | list[str]:
        text: str = self.cleaned_data.get(field.name) or ""
        return listed(text) if field.operator == "$in" else text

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
            self.add_error("filter_json", _("This is not JSON: %(error)s.") % {"error": error})
            return {}
        if not isinstance(rest, dict):
            self.add_error("filter_json", _('A condition is an object, such as {"tags": "nightly"}.'))
            return {}
        return rest


def answers_of(event_type: str, condition: Mapping[str, Any], document: Any) -> dict[str, list[str]]:
    """What to fill in so that the form says this event, condition and filter."""
    values, rest = split(document, FILTER_FIELDS[EventType(event_type)])
    answers = {name: [", ".join(value) if isinstance(value, list) else value] for name, value in values.items()}
    answers["event_type"] = [event_type]
    answers["filter_json"] = [json.dumps(rest, indent=2, ensure_ascii=False)] if rest else []
    return answers | condition_answers(EventType(event_type), condition)


def _kind(scope: Home | Collection) -> ScopeKind:
    return ScopeKind(type(scope).__name__.lower())
