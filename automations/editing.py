"""Creating, changing and deleting automations: the same checks for pages, API and admin."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from dataclasses import fields as dataclass_fields
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.http import Http404

from automations import stamps, templating, versions
from automations.access import Scope, require_edit, slack_channels_usable_by, webhooks_usable_by
from automations.models import ActionKind, Automation, EventType, ScopeKind, Severity, SlackChannel, Webhook
from automations.models.automation import TARGETS
from automations.slack import messages
from automations.triggers import InvalidCondition, trigger_for
from projects.jsonvalues import storable
from projects.models import Organization, Project, Team, User
from registries.models import Collection, Registry

# Characters that are not seen but change what is: a name could pass for another one.
DECEIVING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

SCOPE_KINDS: dict[type, ScopeKind] = {
    Organization: ScopeKind.ORGANIZATION,
    Team: ScopeKind.TEAM,
    Project: ScopeKind.PROJECT,
    Registry: ScopeKind.REGISTRY,
    Collection: ScopeKind.COLLECTION,
}

# What each action has to be told; the others leave it empty.
FIELDS_OF_ACTION: dict[ActionKind, tuple[str, ...]] = {
    ActionKind.WEBHOOK: ("webhook", "payload"),
    ActionKind.SLACK: ("slack_channel", "title", "message", "severity"),
}
LONGEST = {"title": 1_000, "message": 10_000}


class NameTaken(ValidationError):
    """There is an automation of this name in the scope already; a conflict rather than bad input."""

    def __init__(self, name: str, scope: Scope) -> None:
        super().__init__({"name": f"There is an automation “{name}” in {scope} already. Choose another name."})


@dataclass(slots=True)
class Draft:
    """What somebody asks to be saved, not checked yet."""

    name: str
    event_type: str
    action_kind: str
    description: str = ""
    enabled: bool = True
    shadow: bool = False
    filter: dict[str, Any] = field(default_factory=dict)
    condition: dict[str, Any] = field(default_factory=dict)
    webhook: Webhook | None = None
    payload: str = ""
    slack_channel: SlackChannel | None = None
    title: str = ""
    message: str = ""
    severity: str = ""

    @property
    def target(self) -> Webhook | SlackChannel | None:
        """What its action acts on."""
        return self.webhook or self.slack_channel


def draft_of(automation: Automation) -> Draft:
    """The automation as a draft, to be changed and given to `update`."""
    return Draft(**{field.name: getattr(automation, field.name) for field in dataclass_fields(Draft)})


def create(draft: Draft, *, scope: Scope, by: User) -> Automation:
    """Save a new automation of the scope.

    Raises:
        ValidationError: by field. NameTaken, if the name is.
        Http404, PermissionDenied: the user may not; or the scope was deleted meanwhile.
    """
    check(draft, scope=scope, by=by)
    return _save(Automation(created_by=by), draft, scope=scope, by=by)


def update(automation: Automation, draft: Draft, *, by: User, scope: Scope | None = None) -> Automation:
    """Save a changed automation; its scope stays what it is, unless it is moved to another one.

    Raises:
        ValidationError: by field. NameTaken, if the name is.
        Http404, PermissionDenied: the user may not; or it was deleted meanwhile.
    """
    with transaction.atomic():
        held = _hold(automation)
        if scope is None or scope == automation.scope:
            check(draft, scope=automation.scope, by=by, automation=automation)
            return _save(automation, draft, scope=automation.scope, by=by, held=held)
        require_edit(by, automation.scope)
        # There it is a new one: also its webhook is used for events for which nobody has allowed it yet.
        check(draft, scope=scope, by=by)
        # Saving tells the projects of the new scope; those of the old one have to forget it.
        stamps.raise_stamp(automation)
        return _save(automation, draft, scope=scope, by=by, held=held)


def change(automation: Automation, *, by: User, scope: Scope | None = None, **fields: Any) -> Automation:
    """Save some fields of a draft; the others stay as they are now, whoever changes them meanwhile.

    Raises:
        ValidationError: by field. NameTaken, if the name is.
        Http404, PermissionDenied: the user may not; or it was deleted meanwhile.
    """
    with transaction.atomic():
        held = _hold(automation)
        return update(held, replace(draft_of(held), **fields), by=by, scope=scope)


def set_enabled(automation: Automation, enabled: bool, *, by: User) -> Automation:  # noqa: FBT001  reads as a sentence
    """Switch it on or off. A disabled automation sees no events; switching it on again re-arms nothing (EV13).

    Raises:
        Http404, PermissionDenied: the user may not; or it was deleted meanwhile.
    """
    return _switch(automation, by=by, enabled=enabled)


def make_live(automation: Automation, *, by: User) -> Automation:
    """Take it out of shadow mode: what it answers from now on is sent (AC2). It re-arms nothing either.

    Raises:
        Http404, PermissionDenied: the user may not; or it was deleted meanwhile.
    """
    return _switch(automation, by=by, shadow=False)


def _switch(automation: Automation, *, by: User, **switches: bool) -> Automation:
    require_edit(by, automation.scope)
    with transaction.atomic():
        held = _hold(automation)
        automation.version = held.version
        for name, value in switches.items():
            setattr(automation, name, value)
        automation.save(update_fields=[*switches, "updated_at"])
        versions.record_switches(automation, versions.switched(held, switches), by=by)
    return automation


def duplicate(automation: Automation, *, by: User) -> Automation:
    """A disabled copy under a name of its own."""
    draft = replace(draft_of(automation), enabled=False)
    scope = automation.scope
    for number in range(1, 1000):
        suffix = " copy" if number == 1 else f" copy {number}"
        draft.name = automation.name[: 255 - len(suffix)] + suffix
        try:
            return create(draft, scope=scope, by=by)
        except NameTaken:
            continue
    raise NameTaken(draft.name, scope)


def delete(automation: Automation, *, by: User) -> None:
    """Delete the automation; what it did stays in the history."""
    require_edit(by, automation.scope)
    with transaction.atomic():
        # Events that are being matched hold it; what they write is there when its executions are let go.
        held = Automation.objects.select_for_update().filter(pk=automation.pk).first()
        if held is not None:
            held.delete()


def check(draft: Draft, *, scope: Scope, by: User, automation: Automation | None = None) -> None:
    """Everything that is wrong with a draft, at once.

    Raises:
        ValidationError: by field. NameTaken, if that is all.
        Http404, PermissionDenied: the user may not edit automations of this scope.
    """
    require_edit(by, scope)
    problems: dict[str, Any] = {}
    checks: tuple[Callable[[], None], ...] = (
        lambda: check_event(draft, scope=scope),
        lambda: check_action(draft, scope=scope, by=by, automation=automation),
        lambda: check_name(draft, scope=scope, automation=automation),
    )
    taken = None
    for one in checks:
        try:
            one()
        except NameTaken as error:
            taken = error
        except ValidationError as error:
            problems |= error.message_dict
    if problems:
        raise ValidationError({**problems, **(taken.message_dict if taken else {})})
    if taken:
        raise taken


def check_event(draft: Draft, *, scope: Scope) -> None:
    """The first step: the event fits the scope, and its condition and filter can be evaluated.

    Raises:
        ValidationError: by field.
    """
    if draft.event_type not in EventType.values:
        raise ValidationError({"event_type": f"“{draft.event_type}” is not an event. Choose one of the list."})
    trigger = trigger_for(draft.event_type)
    kind = kind_of(scope)
    if kind not in trigger.scopes:
        raise ValidationError(
            {"event_type": f"“{trigger.label}” does not happen in a {kind.label.lower()}. Choose another event."}
        )
    try:
        trigger.compile(draft.condition, draft.filter)
    except InvalidCondition as error:
        raise ValidationError({error.field: error.message}) from error


def check_action(draft: Draft, *, scope: Scope, by: User, automation: Automation | None = None) -> None:
    """The second step: the action has its target, and its payload or message is a template.

    Raises:
        ValidationError: by field.
    """
    if draft.action_kind not in ActionKind.values:
        raise ValidationError({"action_kind": f"“{draft.action_kind}” is not an action. Choose one of the list."})
    kind = ActionKind(draft.action_kind)
    foreign = [name for other, names in FIELDS_OF_ACTION.items() if other is not kind for name in names]
    said = [name for name in foreign if getattr(draft, name)]
    if said:
        words = " and ".join(name.replace("_", " ") for name in said)
        raise ValidationError({"action_kind": f"“{kind.label}” has no {words}; leave that out."})
    problems: dict[str, str] = {}
    if kind in TARGETS:
        problems |= _target_problems(draft, kind, scope=scope, by=by, automation=automation)
    if kind is ActionKind.WEBHOOK and draft.payload.strip():
        problems |= _template_problems("payload", draft.payload, templating.parse)
    if kind is ActionKind.SLACK:
        if draft.severity and draft.severity not in Severity.values:
            problems["severity"] = f"“{draft.severity}” is no severity; choose of {', '.join(Severity.values)}."
        for name in LONGEST:
            problems |= message_problems(name, getattr(draft, name))
    if problems:
        raise ValidationError(problems)


def _target_problems(
    draft: Draft, kind: ActionKind, *, scope: Scope, by: User, automation: Automation | None
) -> dict[str, str]:
    field, target = TARGETS[kind], draft.target
    if target is None:
        return {field: "Choose the webhook to call." if field == "webhook" else "Choose the Slack channel to post to."}
    # Keeping the one it has is no new use: the automation acts for its team, not for who edits it (AZ3).
    if automation is not None and getattr(automation, f"{field}_id") == target.pk:
        return {}
    usable = webhooks_usable_by if isinstance(target, Webhook) else slack_channels_usable_by
    if usable(by, scope).filter(pk=target.pk).exists():
        return {}
    word = "webhook" if field == "webhook" else "Slack channel"
    # It may be of a team the user knows nothing of, if the automation is moved.
    named = f"{word} {target}" if type(target).objects.visible_to(by).filter(pk=target.pk).exists() else f"this {word}"
    return {field: f"You may not use {named}: ask an admin of its team."}


def message_problems(name: str, text: str) -> dict[str, str]:
    """What is wrong with the title or the text of a Slack message, by field."""
    if len(text) > LONGEST[name]:
        return {name: f"This has {len(text):,} characters; at most {LONGEST[name]:,} are sent."}
    return _template_problems(name, text, lambda text: messages.check(text, ""))


def _template_problems(name: str, text: str, parse: Callable[[str], object]) -> dict[str, str]:
    try:
        parse(text)
        storable(text)
    except templating.InvalidTemplate as error:
        return {name: str(error)}
    except ValidationError as error:
        return {name: error.messages[0]}
    return {}


def check_name(draft: Draft, *, scope: Scope, automation: Automation | None = None) -> None:
    """The third step: a name that is free in the scope, and a description that can be stored.

    Raises:
        ValidationError: by field. NameTaken, if the name is.
    """
    for name, text in (("name", draft.name), ("description", draft.description)):
        try:
            storable(text)
        except ValidationError as error:
            raise ValidationError({name: error.messages}) from error
    if not draft.name.strip():
        raise ValidationError({"name": "Give the automation a name."})
    if DECEIVING.search(draft.name):
        raise ValidationError({"name": "A name has no line breaks, control characters or marks that turn text around."})
    if len(draft.name) > 255:
        raise ValidationError({"name": f"A name has at most 255 characters; this one has {len(draft.name)}."})
    _refuse_taken(draft.name.strip(), scope=scope, automation=automation)


def _refuse_taken(name: str, *, scope: Scope, automation: Automation | None) -> None:
    same = Automation.objects.filter(**{kind_of(scope).value: scope}, name=name)
    if automation is not None:
        same = same.exclude(pk=automation.pk)
    if same.exists():
        raise NameTaken(name, scope)


def kind_of(scope: Scope) -> ScopeKind:
    """Which kind of scope a thing is."""
    return SCOPE_KINDS[type(scope)]


def stored(draft: Draft) -> dict[str, Any]:
    """The draft's fields as they are stored."""
    fields = {field.name: getattr(draft, field.name) for field in dataclass_fields(draft)}
    fields |= {"name": draft.name.strip(), "payload": draft.payload if draft.payload.strip() else ""}
    if draft.action_kind == ActionKind.SLACK:
        fields["severity"] = draft.severity or Severity.INFO.value
    return fields


def unsaved(draft: Draft, *, scope: Scope) -> Automation:
    """The automation that a draft would become, to ask what it would do; it is not saved."""
    return Automation(**stored(draft), **{kind_of(scope).value: scope})


def _hold(automation: Automation) -> Automation:
    """The automation as it is now, kept from being changed or deleted until the transaction ends."""
    rows = Automation.objects.select_related(*TARGETS.values()).select_for_update(of=("self",))
    held = rows.filter(pk=automation.pk).first()
    if held is None:
        raise Http404(f"There is no automation {automation.pk} any more.")
    return held


def _save(
    automation: Automation, draft: Draft, *, scope: Scope, by: User, held: Automation | None = None
) -> Automation:
    """Write the draft; `held` is the automation as it was, if there was one. A rule that is another one now is the
    automation's next version."""
    fields = stored(draft)
    moved = held is not None and getattr(held, f"{kind_of(scope).value}_id") != scope.pk
    renewed = held is None or moved or versions.differs(held, fields)
    automation.version = (held.version if held else 0) + (1 if renewed else 0)
    for name, value in fields.items():
        setattr(automation, name, value)
    kinds = [kind.value for kind in ScopeKind]
    for kind in kinds:
        setattr(automation, kind, scope if kind == kind_of(scope) else None)
    # What events note of an automation meanwhile is not written over.
    changed = [*fields, *kinds, "version", "updated_at"] if automation.pk else None
    try:
        with transaction.atomic():
            automation.save(update_fields=changed)
            # Databases would say only at the end of the outermost transaction that what it points at is gone.
            connection.check_constraints(table_names=[Automation._meta.db_table])
            if renewed:
                versions.record(automation, by=by)
            if held is not None:
                versions.record_switches(automation, versions.switched(held, fields), by=by)
    except IntegrityError:
        # Somebody was faster between the look and the write.
        _refuse_taken(automation.name, scope=scope, automation=automation)
        _refuse_gone(automation, scope=scope)
        raise
    return automation


def _refuse_gone(automation: Automation, *, scope: Scope) -> None:
    if not type(scope).objects.filter(pk=scope.pk).exists():
        raise Http404(f"The {kind_of(scope).label.lower()} was deleted meanwhile.")
    if automation.webhook_id is not None and not Webhook.objects.filter(pk=automation.webhook_id).exists():
        raise ValidationError({"webhook": "This webhook was deleted meanwhile. Choose another one."})
    channel = automation.slack_channel_id
    if channel is not None and not SlackChannel.objects.filter(pk=channel).exists():
        raise ValidationError({"slack_channel": "This Slack channel was deleted meanwhile. Choose another one."})
