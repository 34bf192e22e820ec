"""The three steps of an automation's form over one set of answers: which are sound, what they ask for, and how the
sentence reads so far."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from automations import hits, reach, sentences
from automations.access import Scope
from automations.editing import Draft, draft_of
from automations.forms import ActionForm, EventForm, NameForm, answers_of
from automations.forms.conditions import SEVERAL, field_of
from automations.hits import Hits
from automations.models import ActionKind, Automation, EventType
from automations.models.automation import TARGETS
from automations.reach import Reach
from automations.views.drafts import Answers
from automations.views.places import Place

if TYPE_CHECKING:
    from projects.models import User

Step = EventForm | ActionForm | NameForm
EVENT, ACTION, NAME = 1, 2, 3
TITLES = {EVENT: gettext_lazy("Event"), ACTION: gettext_lazy("Action"), NAME: gettext_lazy("Name")}
FIELDS: dict[int, tuple[str, ...]] = {
    EVENT: tuple(EventForm.base_fields),
    ACTION: tuple(ActionForm.base_fields),
    NAME: tuple(NameForm.base_fields),
}
ANY_EVENT = gettext_noop("an event happens")
UNFINISHED = {
    EventType.RUN_STATE.value: gettext_noop("a run changes its state"),
    EventType.RUN_METRIC.value: gettext_noop("a metric crosses a threshold"),
    EventType.RUN_METRIC_CHANGE.value: gettext_noop("a metric moves"),
    EventType.RUN_METRIC_ZSCORE.value: gettext_noop("a metric is far from other runs"),
    EventType.RUN_ALERT.value: gettext_noop("an alert is raised"),
    EventType.RUN_STALL.value: gettext_noop("a run stands still"),
    EventType.CREATE_ARTIFACT.value: gettext_noop("a new version is logged"),
    EventType.LINK_ARTIFACT.value: gettext_noop("a version is linked"),
    EventType.UNLINK_ARTIFACT.value: gettext_noop("a version is unlinked"),
    EventType.ADD_ARTIFACT_ALIAS.value: gettext_noop("an alias is added"),
    EventType.ADD_ARTIFACT_TAG.value: gettext_noop("a tag is added to a version"),
    EventType.REMOVE_ARTIFACT_TAG.value: gettext_noop("a tag is removed from a version"),
    EventType.ADD_COLLECTION_TAG.value: gettext_noop("a tag is added to a collection"),
    EventType.REMOVE_COLLECTION_TAG.value: gettext_noop("a tag is removed from a collection"),
    EventType.ARTIFACT_ABSENCE.value: gettext_noop("no new version comes"),
}


@dataclass
class Steps:
    """One person's answers, for a new automation of the place or for an existing one."""

    place: Place
    by: User
    answers: Answers
    automation: Automation | None = None

    @cached_property
    def event(self) -> EventForm:
        """The first step, checked."""
        return self._event(data=MultiValueDict(self.answers))

    @cached_property
    def action(self) -> ActionForm:
        """The second step, checked."""
        return self._action(data=MultiValueDict(self.answers))

    @cached_property
    def name(self) -> NameForm:
        """The third step, checked."""
        return NameForm(MultiValueDict(self.answers), original=self.automation)

    def checked(self, step: int) -> Step:
        """The form of a step with what is wrong with it."""
        forms: dict[int, Step] = {EVENT: self.event, ACTION: self.action, NAME: self.name}
        return forms[step]

    def plain(self, step: int) -> Step:
        """The form of a step with what was typed, nothing held against it yet."""
        initial = {name: values if name in SEVERAL else values[-1] for name, values in self.answers.items() if values}
        if step == EVENT:
            return self._event(initial=initial)
        if step == ACTION:
            return self._action(initial=initial)
        initial.setdefault("name", self.suggested_name())
        return NameForm(initial=initial)

    def first_faulty(self, upto: int = NAME) -> int | None:
        """The first step, up to this one, that cannot stay as it is."""
        return next((step for step in range(EVENT, upto + 1) if not self.checked(step).is_valid()), None)

    @property
    def scope(self) -> Scope:
        """What the automation covers, as far as it was said."""
        self.event.is_valid()
        return self.event.scope

    def draft(self) -> Draft | None:
        """What is asked for, as far as the first two steps are sound; None while the event is not."""
        if not self.event.is_valid() or self.event.asked is None:
            return None
        event_type, condition, document = self.event.asked
        action = self.action.cleaned_data if self.action.is_valid() else {}
        name = self.name.cleaned_data if self.name.is_valid() else {}
        return Draft(
            name=name.get("name", ""),
            description=name.get("description", ""),
            enabled=self.automation.enabled if self.automation else True,
            shadow=name.get("shadow", False),
            event_type=event_type.value,
            condition=condition,
            filter=document,
            action_kind=action.get("action_kind", ""),
            webhook=action.get("webhook"),
            payload=action.get("payload", ""),
            slack_channel=action.get("slack_channel"),
            title=action.get("title", ""),
            message=action.get("message", ""),
            severity=action.get("severity", ""),
        )

    def hits(self) -> dict[str, Hits]:
        """What the patterns of the chosen event match now, by the names of their fields."""
        chosen = (self.answers.get("event_type") or [""])[-1]
        if chosen not in EventType.values:
            return {}
        return hits.hits_in(self.answers, EventType(chosen), self.scope, reader=self.by)

    def covered(self) -> str:
        """What a wide scope holds now for the chosen event, "" as long as none is."""
        chosen = (self.answers.get("event_type") or [""])[-1]
        if chosen not in EventType.values or not reach.is_wide(self.scope):
            return ""
        return reach.covered(EventType(chosen), self.scope, reader=self.by)

    @cached_property
    def reach(self) -> Reach | None:
        """How far it would reach; None for what is not wide, and as long as the event is not complete."""
        draft = self.draft()
        if draft is None or not reach.is_wide(self.scope):
            return None
        return reach.reach_of(draft, self.scope, reader=self.by)

    def confirmation(self) -> Reach | None:
        """What is to be confirmed before it may be saved: that it would fire very often. What only rehearses need not
        be, nor what is live already."""
        draft = self.draft()
        if draft is None or draft.shadow or not reach.is_wide(self.scope):
            return None
        saved = draft_of(self.automation) if self.automation else None
        if saved is not None and not saved.shadow and reach.asks_the_same(draft, saved):
            return None
        far = self.reach
        return far if far and far.is_far and self.answers.get("confirmed", [""])[-1:] != [far.stamp] else None

    def when(self) -> str:
        """The first half of the sentence, "" while the event is not complete."""
        draft = self.draft()
        return sentences.when_clause(draft.event_type, draft.condition, draft.filter) if draft else ""

    def whatever(self) -> str:
        """What starts it while that is not complete: the event chosen, or any."""
        return _(UNFINISHED.get((self.answers.get("event_type") or [""])[-1], ANY_EVENT))

    def do(self) -> str:
        """The second half of the sentence, "" while the action is not complete."""
        if not self.action.is_valid():
            return ""
        action = self.action.cleaned_data
        return sentences.do_clause(action["action_kind"], action["webhook"] or action["slack_channel"])

    def suggested_name(self) -> str:
        """A name made of the sentence: `A run fails → pager`."""
        draft = self.draft()
        if draft is None or not draft.action_kind:
            return ""
        name = sentences.capitalized(sentences.happening(draft.event_type, draft.condition, draft.filter))
        return f"{name} → {draft.target}"[:255] if draft.target else name[:255]

    def blame(self, error: ValidationError) -> int:
        """Put what saving found on the fields it is about; returns the first step that has to change."""
        faulty = set()
        for key, messages in error.message_dict.items():
            name = field_of((self.answers.get("event_type") or [""])[-1], key)
            step = next((step for step, names in FIELDS.items() if name in names), NAME)
            form = self.checked(step)
            form.add_error(name if name in form.fields else None, messages)
            faulty.add(step)
        return min(faulty, default=NAME)

    def _event(self, **given: Any) -> EventForm:
        automation = self.automation
        return EventForm(
            home=self.place.home,
            fixed=automation.scope if automation else None,
            original=automation,
            usernames=self.place.members.values_list("user__username", flat=True).distinct(),
            **given,
        )

    def _action(self, **given: Any) -> ActionForm:
        return ActionForm(by=self.by, home=self.place.home, original=self.automation, **given)


def answers_from(automation: Automation) -> Answers:
    """The form's answers that say what the automation is."""
    draft = draft_of(automation)
    answers = answers_of(draft.event_type, draft.condition, draft.filter)
    answers["action_kind"] = [draft.action_kind]
    if draft.target is not None:
        answers["team"] = [str(draft.target.team_id)]
        answers[TARGETS[ActionKind(draft.action_kind)]] = [str(draft.target.pk)]
    for name in ("payload", "title", "message", "severity"):
        answers[name] = [getattr(draft, name)] if getattr(draft, name) else []
    answers["name"] = [draft.name]
    answers["description"] = [draft.description]
    answers["shadow"] = ["on"] if draft.shadow else []
    return answers
