"""The registry of triggers: to add a kind, write its class and name it here."""

from collections.abc import Mapping

from automations.models import EventType, ScopeKind
from automations.triggers.artifacts import AliasTrigger, LinkTrigger, NewVersionTrigger
from automations.triggers.base import InvalidCondition, Match, Rule, Trigger
from automations.triggers.runs import RunMetricTrigger, RunStateTrigger

__all__ = [
    "TRIGGERS",
    "InvalidCondition",
    "Match",
    "Rule",
    "Trigger",
    "event_types_listening_to",
    "trigger_for",
    "triggers_for_scope",
]

TRIGGERS: Mapping[EventType, Trigger] = {
    trigger.event_type: trigger
    for trigger in (
        RunStateTrigger(),
        RunMetricTrigger(),
        NewVersionTrigger(),
        LinkTrigger(),
        AliasTrigger(),
    )
}


def trigger_for(event_type: str) -> Trigger:
    """The trigger of an event type, by its wire name.

    Raises:
        ValueError: there is no such event type.
    """
    return TRIGGERS[EventType(event_type)]


def triggers_for_scope(kind: ScopeKind) -> list[Trigger]:
    """The triggers an automation of this scope may have, in the order people are shown them."""
    return [trigger for trigger in TRIGGERS.values() if kind in trigger.scopes]


def event_types_listening_to(kind: str) -> list[EventType]:
    """The event types whose triggers want facts of this kind."""
    return [event_type for event_type, trigger in TRIGGERS.items() if trigger.listens_to == kind]
