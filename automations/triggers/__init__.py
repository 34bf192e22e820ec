"""The registry of triggers: to add a kind, write its class and name it here."""

from collections.abc import Mapping

from automations.models import EventType, ScopeKind
from automations.triggers.artifacts import (
    AliasTrigger,
    CollectionTagTrigger,
    CollectionUntagTrigger,
    LinkTrigger,
    NewVersionTrigger,
    TagTrigger,
    UnlinkTrigger,
    UntagTrigger,
)
from automations.triggers.base import InvalidCondition, Match, Rule, Trigger
from automations.triggers.runs import (
    MetricTrigger,
    RunAlertTrigger,
    RunMetricChangeTrigger,
    RunMetricTrigger,
    RunMetricZScoreTrigger,
    RunStateTrigger,
)
from automations.triggers.silence import AbsenceTrigger, StallTrigger

__all__ = [
    "METRIC_EVENTS",
    "TRIGGERS",
    "WATCHING_EVENTS",
    "InvalidCondition",
    "Match",
    "MetricTrigger",
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
        RunMetricChangeTrigger(),
        RunMetricZScoreTrigger(),
        RunAlertTrigger(),
        StallTrigger(),
        NewVersionTrigger(),
        LinkTrigger(),
        UnlinkTrigger(),
        AliasTrigger(),
        TagTrigger(),
        UntagTrigger(),
        CollectionTagTrigger(),
        CollectionUntagTrigger(),
        AbsenceTrigger(),
    )
}

# Those that judge logged metrics, point by point.
METRIC_EVENTS = tuple(kind for kind, trigger in TRIGGERS.items() if isinstance(trigger, MetricTrigger))
# Those for which windows of metrics are kept: a stall is not judged by what is logged, but must know when that was.
WATCHING_EVENTS = (*METRIC_EVENTS, EventType.RUN_STALL)


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
