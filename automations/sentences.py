"""An automation as one sentence: the same in the wizard, the list, the history and the API."""

from __future__ import annotations

from typing import Protocol

from automations.models import ActionKind, Webhook
from automations.triggers import InvalidCondition, trigger_for

HIDDEN_WEBHOOK = "a webhook of another team"


class Described(Protocol):
    """What a sentence is made of: an automation, or the draft of one."""

    event_type: str
    filter: dict[str, object]
    condition: dict[str, object]
    action_kind: str
    webhook: Webhook | None


def summary(automation: Described, *, webhook_hidden: bool = False) -> str:
    """`When a run fails, where run name matches ^prod-, call webhook pager`; `webhook_hidden` is for a reader who may
    not see the webhook's team."""
    return (
        f"{when_clause(automation.event_type, automation.condition, automation.filter)}, "
        f"{do_clause(automation.action_kind, automation.webhook, hidden=webhook_hidden)}"
    )


def without_webhook(summary: str, *, name: str | None) -> str:
    """A summary that was stored, for a reader who may not see the webhook's team."""
    clause = f"call webhook {name}"
    return f"{summary.removesuffix(clause)}call {HIDDEN_WEBHOOK}" if summary.endswith(clause) else ""


def when_clause(event_type: str, condition: object, filter: object) -> str:
    """`When a run fails, where run name matches ^prod-`; a rule that became invalid is said to be."""
    trigger = trigger_for(event_type)
    try:
        return f"When {trigger.clause(condition, filter)}"
    except InvalidCondition as error:
        return f"When {trigger.label.lower()} meets a condition that cannot be evaluated ({error.message})"


def do_clause(action_kind: str, webhook: Webhook | None, *, hidden: bool = False) -> str:
    """`call webhook pager`, `call a webhook of another team`, or `do nothing but record it`."""
    if action_kind == ActionKind.NO_OP:
        return "do nothing but record it"
    if hidden:
        return f"call {HIDDEN_WEBHOOK}"
    return f"call webhook {webhook.name}" if webhook else "call a webhook"
