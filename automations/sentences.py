"""An automation as one sentence: the same in the wizard, the list, the history and the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from automations.models import ActionKind, SlackChannel, Webhook
from automations.triggers import InvalidCondition, trigger_for

HIDDEN = {
    ActionKind.WEBHOOK.value: "a webhook of another team",
    ActionKind.SLACK.value: "a Slack channel of another team",
}
VERBS = {ActionKind.WEBHOOK.value: "call", ActionKind.SLACK.value: "post to"}


class Described(Protocol):
    """What a sentence is made of: an automation, or the draft of one."""

    event_type: str
    filter: dict[str, object]
    condition: dict[str, object]
    action_kind: str

    @property
    def target(self) -> Webhook | SlackChannel | None: ...


def summary(automation: Described, *, target_hidden: bool = False) -> str:
    """`When a run fails, where run name matches ^prod-, call webhook pager`; `target_hidden` is for a reader who may
    not see the team of the webhook or Slack channel."""
    return (
        f"{when_clause(automation.event_type, automation.condition, automation.filter)}, "
        f"{do_clause(automation.action_kind, automation.target, hidden=target_hidden)}"
    )


def summary_of(rule: Mapping[str, Any]) -> str:
    """The same of a rule as versions keep it; one that names no target is shown to a reader who may not see it."""
    kind, webhook, channel = rule["action_kind"], rule["webhook"], rule["slack_channel"]
    if kind == ActionKind.NO_OP or (webhook is None and channel is None):
        do = do_clause(kind, None, hidden=True)
    else:
        do = _do(kind, webhook.partition("/")[2] if webhook else f"#{channel.partition('/')[2]}")
    return f"{when_clause(rule['event_type'], rule['condition'], rule['filter'])}, {do}"


def without_target(summary: str, *, action_kind: str, name: str | None) -> str:
    """A summary that was stored, for a reader who may not see the team of its webhook or Slack channel."""
    clause = _do(action_kind, name)
    return f"{summary.removesuffix(clause)}{_hidden(action_kind)}" if summary.endswith(clause) else ""


def when_clause(event_type: str, condition: object, filter: object) -> str:
    """`When a run fails, where run name matches ^prod-`; a rule that became invalid is said to be."""
    trigger = trigger_for(event_type)
    try:
        return f"When {trigger.clause(condition, filter)}"
    except InvalidCondition as error:
        return f"When {trigger.label.lower()} meets a condition that cannot be evaluated ({error.message})"


def do_clause(action_kind: str, target: Webhook | SlackChannel | None, *, hidden: bool = False) -> str:
    """`call webhook pager`, `post to #alerts in Slack`, `call a webhook of another team`, or `do nothing but record
    it`."""
    if action_kind == ActionKind.NO_OP:
        return "do nothing but record it"
    if hidden:
        return _hidden(action_kind)
    return _do(action_kind, str(target) if target else None)


def _do(action_kind: str, name: str | None) -> str:
    if action_kind == ActionKind.SLACK:
        return f"post to {name} in Slack" if name else "post to a Slack channel"
    return f"call webhook {name}" if name else "call a webhook"


def _hidden(action_kind: str) -> str:
    return f"{VERBS[action_kind]} {HIDDEN[action_kind]}"
