"""Alerts a team switches on and off: each is an automation of the team like any other, made in one go.

A switch remembers nothing. It is on while the team has an automation that always reacts to the event, by whatever name
and made wherever: so it says what is so, also after somebody edited or deleted the automation elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from automations import disclosure, editing, sentences
from automations.editing import Draft
from automations.models import ActionKind, Automation, EventType, Severity, SlackChannel, Webhook

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

    from projects.models import Team, User

MOST_NAMES = 100


@dataclass(frozen=True, slots=True)
class Alert:
    """What a switch is about; `key` names it in addresses, `name` is what its automation is called."""

    key: str
    name: StrPromise
    about: StrPromise
    event_type: EventType
    severity: Severity
    condition: Mapping[str, Any] = field(default_factory=dict)

    def is_made_by(self, automation: Automation) -> bool:
        """Whether the automation always reacts to what this is about, and to nothing else."""
        asked = {name: value for name, value in automation.condition.items() if value not in (None, "", [])}
        return automation.event_type == self.event_type and not automation.filter and asked == self.condition


ALERTS = (
    Alert(
        key="run-failed",
        name=_("Run failed or crashed"),
        about=_("A run ends with an error, or is no longer heard of."),
        event_type=EventType.RUN_STATE,
        condition={"states": ["FAILED"]},
        severity=Severity.ERROR,
    ),
    Alert(
        key="run-finished",
        name=_("Run finished"),
        about=_("A run ends well."),
        event_type=EventType.RUN_STATE,
        condition={"states": ["FINISHED"]},
        severity=Severity.INFO,
    ),
    Alert(
        key="script-alert",
        name=_("Alert raised by a script"),
        about=_("A script calls run.alert()."),
        event_type=EventType.RUN_ALERT,
        severity=Severity.WARN,
    ),
)


@dataclass(frozen=True, slots=True)
class Switch:
    """An alert with the team's automations that make it."""

    alert: Alert
    automations: list[Automation]

    @property
    def on(self) -> bool:
        """Whether any of them sends."""
        return any(automation.enabled and not automation.shadow for automation in self.automations)

    @property
    def shown(self) -> Automation | None:
        """The one a row shows: one that sends, else the newest."""
        sending = [automation for automation in self.automations if automation.enabled and not automation.shadow]
        return next(iter([*sending, *reversed(self.automations)]), None)


def of_team(team: Team) -> list[Switch]:
    """The switches as they are, in one query."""
    kinds = {alert.event_type for alert in ALERTS}
    rows = Automation.objects.filter(team=team, event_type__in=kinds).order_by("pk")
    found = list(rows.select_related("team__organization", "webhook__team", "slack_channel__team"))
    return [Switch(alert, [one for one in found if alert.is_made_by(one)]) for alert in ALERTS]


def rows(team: Team, *, reader: User) -> list[tuple[Switch, str]]:
    """The switches, each with what the automation that is shown of it does, as far as the reader may know."""
    switches = of_team(team)
    hidden = disclosure.hidden_targets(reader, [switch.shown for switch in switches if switch.shown is not None])
    return [(switch, _does(switch.shown, hidden=hidden)) for switch in switches]


def _does(automation: Automation | None, *, hidden: set[int]) -> str:
    if automation is None:
        return ""
    return sentences.do_clause(automation.action_kind, automation.target, hidden=automation.pk in hidden)


def named(team: Team, key: str) -> Switch | None:
    """The team's switch with this key."""
    return next((switch for switch in of_team(team) if switch.alert.key == key), None)


def create(team: Team, alert: Alert, *, target: Webhook | SlackChannel, by: User) -> Automation:
    """Make the automation that a switch stands for.

    Raises:
        ValidationError: by field.
        Http404, PermissionDenied: the user may not.
    """
    draft = Draft(name="", event_type=alert.event_type.value, condition=dict(alert.condition), action_kind="")
    if isinstance(target, Webhook):
        draft.action_kind, draft.webhook = ActionKind.WEBHOOK.value, target
    else:
        draft.action_kind, draft.slack_channel = ActionKind.SLACK.value, target
        draft.severity = alert.severity.value
    name = str(alert.name)
    for number in range(1, MOST_NAMES):
        draft.name = name if number == 1 else f"{name} {number}"
        try:
            return editing.create(draft, scope=team, by=by)
        except editing.NameTaken:
            continue
    raise ValidationError(
        {
            "target": _("There are %(count)d automations called “%(name)s” already. Delete some.")
            % {"count": MOST_NAMES, "name": name}
        }
    )


def switch_on(switch: Switch, *, by: User) -> Automation | None:
    """Enable the newest automation that there is; None if none is.

    Raises:
        Http404, PermissionDenied: the user may not.
    """
    found = switch.shown
    if found is None or switch.on:
        return found
    with transaction.atomic():
        if not found.enabled:
            editing.set_enabled(found, True, by=by)
        if found.shadow:
            editing.make_live(found, by=by)
    return found


def switch_off(switch: Switch, *, by: User) -> int:
    """Disable all that send, so that it is quiet. Says how many these were.

    Raises:
        Http404, PermissionDenied: the user may not.
    """
    sending = [automation for automation in switch.automations if automation.enabled and not automation.shadow]
    with transaction.atomic():
        for automation in sending:
            editing.set_enabled(automation, False, by=by)
    return len(sending)
