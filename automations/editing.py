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
from django.utils.translation import gettext as _

from automations import actionfields, auditing, stamps, versions
from automations.access import Scope, require_edit
from automations.models import ActionKind, Automation, EventType, ScopeKind, Severity, SlackChannel, Webhook
from automations.models.automation import TARGETS
from automations.triggers import InvalidCondition, trigger_for
from projects import conflicts
from projects.audit import Deed
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


class NameTaken(ValidationError):
    """There is an automation of this name in the scope already; a conflict rather than bad input."""

    def __init__(self, name: str, scope: Scope) -> None:
        super().__init__(
            {
                "name": _("There is an automation “%(name)s” in %(scope)s already. Choose another name.")
                % {"name": name, "scope": scope}
            }
        )


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


def mark_of(automation: Automation) -> str:
    """Changes with anything that can be set of it, its scope included."""
    names = {field.name for field in dataclass_fields(Draft)} - set(TARGETS.values())
    keys = [f"{name}_id" for name in (*TARGETS.values(), *(kind.value for kind in ScopeKind))]
    return conflicts.mark_of({name: getattr(automation, name) for name in (*names, *keys)})


def create(draft: Draft, *, scope: Scope, by: User) -> Automation:
    """Save a new automation of the scope.

    Raises:
        ValidationError: by field. NameTaken, if the name is.
        Http404, PermissionDenied: the user may not; or the scope was deleted meanwhile.
    """
    check(draft, scope=scope, by=by)
    return _save(Automation(created_by=by), draft, scope=scope, by=by)


def update(
    automation: Automation, draft: Draft, *, by: User, scope: Scope | None = None, deed: Deed = Deed.CHANGED
) -> Automation:
    """Save a changed automation; its scope stays what it is, unless it is moved to another one.

    Raises:
        ValidationError: by field. NameTaken, if the name is.
        Http404, PermissionDenied: the user may not; or it was deleted meanwhile.
    """
    with transaction.atomic():
        held = hold(automation)
        if scope is None or scope == automation.scope:
            check(draft, scope=automation.scope, by=by, automation=automation)
            return _save(automation, draft, scope=automation.scope, by=by, held=held, deed=deed)
        require_edit(by, automation.scope)
        # There it is a new one: also its webhook is used for events for which nobody has allowed it yet.
        check(draft, scope=scope, by=by)
        # Saving tells the projects of the new scope; those of the old one have to forget it.
        stamps.raise_stamp(automation)
        return _save(automation, draft, scope=scope, by=by, held=held, deed=deed)


def change(
    automation: Automation, *, by: User, scope: Scope | None = None, deed: Deed = Deed.CHANGED, **fields: Any
) -> Automation:
    """Save some fields of a draft; the others stay as they are now, whoever changes them meanwhile.

    Raises:
        ValidationError: by field. NameTaken, if the name is.
        Http404, PermissionDenied: the user may not; or it was deleted meanwhile.
    """
    with transaction.atomic():
        held = hold(automation)
        return update(held, replace(draft_of(held), **fields), by=by, scope=scope, deed=deed)


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
        held = hold(automation)
        automation.version = held.version
        for name, value in switches.items():
            setattr(automation, name, value)
        automation.save(update_fields=[*switches, "updated_at"])
        versions.record_switches(automation, versions.switched(held, switches), by=by)
        auditing.automation_saved(automation, held, by=by)
    return automation


def duplicate(automation: Automation, *, by: User) -> Automation:
    """A disabled copy under a name of its own."""
    draft = replace(draft_of(automation), enabled=False)
    scope = automation.scope
    for number in range(1, 1000):
        suffix = " " + (_("copy") if number == 1 else f"{_('copy')} {number}")
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
            auditing.record_automation(held, Deed.DELETED, by=by, before=auditing.of_automation(held))
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
        raise ValidationError(
            {
                "event_type": _("“%(event_type)s” is not an event. Choose one of the list.")
                % {"event_type": draft.event_type}
            }
        )
    trigger = trigger_for(draft.event_type)
    kind = kind_of(scope)
    if kind not in trigger.scopes:
        raise ValidationError(
            {
                "event_type": _("“%(label)s” does not happen in a %(lower)s. Choose another event.")
                % {"label": trigger.label, "lower": kind.label.lower()}
            }
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
        raise ValidationError(
            {
                "action_kind": _("“%(action_kind)s” is not an action. Choose one of the list.")
                % {"action_kind": draft.action_kind}
            }
        )
    problems = actionfields.problems_of(draft, scope=scope, user=by, automation=automation)
    if problems:
        raise ValidationError(problems)


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
        raise ValidationError({"name": _("Give the automation a name.")})
    if DECEIVING.search(draft.name):
        raise ValidationError(
            {"name": _("A name has no line breaks, control characters or marks that turn text around.")}
        )
    if len(draft.name) > 255:
        raise ValidationError(
            {"name": _("A name has at most 255 characters; this one has %(name)s.") % {"name": len(draft.name)}}
        )
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


def hold(automation: Automation) -> Automation:
    """The automation as it is now, kept from being changed or deleted until the transaction ends."""
    held = conflicts.hold(Automation.objects.select_related(*TARGETS.values()), automation.pk)
    if held is None:
        raise Http404(_("There is no automation %(pk)s any more.") % {"pk": automation.pk})
    return held


def _save(
    automation: Automation,
    draft: Draft,
    *,
    scope: Scope,
    by: User,
    held: Automation | None = None,
    deed: Deed = Deed.CHANGED,
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
            auditing.automation_saved(automation, held, by=by, deed=deed)
    except IntegrityError:
        # Somebody was faster between the look and the write.
        _refuse_taken(automation.name, scope=scope, automation=automation)
        _refuse_gone(automation, scope=scope)
        raise
    return automation


def _refuse_gone(automation: Automation, *, scope: Scope) -> None:
    if not type(scope).objects.filter(pk=scope.pk).exists():
        raise Http404(_("The %(lower)s was deleted meanwhile.") % {"lower": kind_of(scope).label.lower()})
    if automation.webhook_id is not None and not Webhook.objects.filter(pk=automation.webhook_id).exists():
        raise ValidationError({"webhook": _("This webhook was deleted meanwhile. Choose another one.")})
    channel = automation.slack_channel_id
    if channel is not None and not SlackChannel.objects.filter(pk=channel).exists():
        raise ValidationError({"slack_channel": _("This Slack channel was deleted meanwhile. Choose another one.")})
