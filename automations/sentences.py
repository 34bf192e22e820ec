"""An automation as one sentence: the same in the wizard, the list, the history and the API."""

from __future__ import annotations

from typing import Protocol

from automations.models import ActionKind, Webhook
from automations.triggers import InvalidCondition, trigger_for


class Described(Protocol):
    """What a sentence is made of: an automation, or the draft of one."""

    event_type: str
    filter: dict[str, object]
    condition: dict[str, object]
    action_kind: str
    webhook: Webhook | None


def summary(automation: Described) -> str:
    """`When a run fails, where run name matches ^prod-, call webhook pager`."""
    return (
        f"{when_clause(automation.event_type, automation.condition, automation.filter)}, "
        f"{do_clause(automation.action_kind, automation.webhook)}"
    )


def when_clause(event_type: str, condition: object, filter: object) -> str:
    """`When a run fails, where run name matches ^prod-`; a rule that became invalid is said to be."""
    trigger = trigger_for(event_type)
    try:
        return f"When {trigger.clause(condition, filter)}"
    except InvalidCondition as error:
        return f"When {trigger.label.lower()} meets a condition that cannot be evaluated ({error.message})"


def do_clause(action_kind: str, webhook: Webhook | None) -> str:
    """`call webhook pager`, or `do nothing but record it`."""
    if action_kind == ActionKind.NO_OP:
        return "do nothing but record it"
    return f"call webhook {webhook.name}" if webhook else "call a webhook"
