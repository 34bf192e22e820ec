"""From an event to executions, in the transaction of the change that made the event true (RE1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from automations import cooldowns, queueing, sentences
from automations.models import ActionKind, Automation, Event, Execution, Status
from automations.triggers import InvalidCondition, Match, event_types_listening_to, trigger_for
from projects.events import Scopes

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Hit:
    """An automation whose condition an event meets, and why."""

    automation: Automation
    match: Match


def start_executions(event: Event, scopes: Scopes, *, at: datetime) -> list[Execution]:
    """Match an event against every automation that listens in its scopes, and start what follows."""
    listening = Automation.objects.listening_to(event_types_listening_to(event.kind), scopes)
    judged = [
        Hit(automation, judge(automation, event)) for automation in listening.select_related("webhook", "slack_channel")
    ]
    return start([hit for hit in judged if hit.match.matched], event, at=at)


def judge(automation: Automation, event: Event) -> Match:
    """Ask the automation's trigger. An automation that became invalid after it was saved never matches, and says why
    instead of failing the change that happened to meet it."""
    trigger = trigger_for(automation.event_type)
    try:
        rule = trigger.compile(automation.condition, automation.filter)
    except InvalidCondition as error:
        log.warning("automation_not_evaluable", automation=automation.pk, reason=str(error))
        return Match(False, f"cannot be evaluated: {error}", evaluable=False)
    return trigger.match(rule, event.facts, event.details)


def start(hits: Sequence[Hit], event: Event, *, at: datetime) -> list[Execution]:
    """Write one execution for each hit that may fire (EV11), and queue it; in a constant number of queries."""
    allowed = _allowed(_standing(hits), event, at=at)
    if not allowed:
        return []
    rows = Execution.objects.bulk_create([_execution(hit, event, at=at) for hit in allowed])
    _note_trigger(allowed, at=at)
    for row in rows:
        queueing.enqueue_execution(row.pk)
    return rows


def _standing(hits: Sequence[Hit]) -> list[Hit]:
    """The hits whose automation was neither deleted nor disabled since it was read; held, in one order for everybody,
    so that it cannot be deleted before its execution is written."""
    pks = [hit.automation.pk for hit in hits]
    held = Automation.objects.filter(pk__in=pks, enabled=True).order_by("pk")
    standing = set(held.select_for_update(no_key=True).values_list("pk", flat=True)) if pks else set()
    return [hit for hit in hits if hit.automation.pk in standing]


def _allowed(hits: Sequence[Hit], event: Event, *, at: datetime) -> list[Hit]:
    if event.run is None or not fires_once_a_day(event):
        return list(hits)
    won = cooldowns.claim([(hit.automation.pk, hit.match.key) for hit in hits], run=event.run, at=at)
    return [hit for hit in hits if (hit.automation.pk, hit.match.key) in won]


def fires_once_a_day(event: Event) -> bool:
    """Whether it is about a run (EV11): versions and collections have runs too, but each of their events is news."""
    return event.artifact_id is None and "collection" not in event.details


def _execution(hit: Hit, event: Event, *, at: datetime) -> Execution:
    automation = hit.automation
    return Execution(
        automation=automation,
        event=event,
        project_id=event.project_id,
        registry_id=event.registry_id,
        status=Status.PENDING,
        matched_because=hit.match.reason,
        rule=rule_of(automation),
        event_type=automation.event_type,
        webhook=automation.webhook,
        slack_channel=automation.slack_channel,
        target=_target_of(automation),
        created_at=at,
        next_attempt_at=at,
    )


def _target_of(automation: Automation) -> str:
    webhook, channel = automation.webhook, automation.slack_channel
    if webhook is not None:
        return f"{webhook.name} → {webhook.url}"
    return f"{channel} in {channel.workspace}" if channel else str(ActionKind(automation.action_kind).label)


def rule_of(automation: Automation) -> dict[str, object]:
    """The automation as it is now, for the execution to remember."""
    return {
        "version": automation.version,
        "name": automation.name,
        "summary": sentences.summary(automation),
        "event_type": automation.event_type,
        "filter": automation.filter,
        "condition": automation.condition,
        "action_kind": automation.action_kind,
        "webhook": automation.webhook.name if automation.webhook else None,
        # Says who may know of the webhook once it is deleted; likewise of the Slack channel.
        "webhook_team": automation.webhook.team_id if automation.webhook else None,
        "payload": automation.payload,
        "slack_channel": str(automation.slack_channel) if automation.slack_channel else None,
        "slack_channel_team": automation.slack_channel.team_id if automation.slack_channel else None,
        "title": automation.title,
        "message": automation.message,
        "severity": automation.severity,
    }


def _note_trigger(hits: Iterable[Hit], *, at: datetime) -> None:
    Automation.objects.filter(pk__in=[hit.automation.pk for hit in hits]).update(last_triggered_at=at)
