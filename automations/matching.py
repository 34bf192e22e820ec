"""From an event to executions, in the transaction of the change that made the event true (RE1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog

from automations import candidates, causes, cooldowns, limits, loops, sentences, snoozing, wake
from automations.models import (
    ActionKind,
    Automation,
    Event,
    Execution,
    ReasonCode,
    SlackChannel,
    Status,
    Webhook,
)
from automations.models.automation import WIDE_SCOPES
from automations.records import in_english
from automations.triggers import InvalidCondition, Match, trigger_for
from projects.events import Scopes

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Hit:
    """An automation whose condition an event meets, and why; `skipped` is why it must not run all the same."""

    automation: Automation
    match: Match
    code: ReasonCode = ReasonCode.NONE
    skipped: str = ""

    def skip(self, code: ReasonCode, why: str, *, key: str) -> Hit:
        """The same, not to be run. It is noted once in a day for each run under a key of its own: it arms nothing."""
        return replace(self, code=code, skipped=why, match=replace(self.match, key=key))


def start_executions(event: Event, scopes: Scopes, *, at: datetime) -> list[Execution]:
    """Match an event against every automation that listens in its scopes, and start what follows."""
    judged = [Hit(automation, judge(automation, event)) for automation in candidates.met_by(event, scopes)]
    matched = [_awake(hit, hit.automation.snoozed_until, at=at) for hit in judged if hit.match.matched]
    return _start(matched, event, at=at)


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
    """Write one execution for each hit that may fire (EV11), and wake workers; or skip it, if its automation is
    snoozed, if it would close a loop or is one too many for a wide scope (EV12). In a constant number of queries."""
    return _start(_standing(hits, at=at), event, at=at)


def _start(hits: Sequence[Hit], event: Event, *, at: datetime) -> list[Execution]:
    """The same for hits whose automations are held."""
    allowed = _allowed(_without_loops(hits, event), event, at=at)
    if not allowed:
        return []
    refused = _over_the_limit(allowed, at=at)
    rows = Execution.objects.bulk_create([_execution(hit, event, at=at, refused=refused) for hit in allowed])
    _note_trigger(allowed, at=at)
    if not all(row.is_over for row in rows):
        wake.announce_due()
    return rows


def _over_the_limit(hits: Sequence[Hit], *, at: datetime) -> dict[int, str]:
    """Why automations of wide scopes may not fire once more, by their key."""
    wide = {hit.automation.pk for hit in hits if not hit.skipped and hit.automation.scope_kind in WIDE_SCOPES}
    refused = wide - limits.take(wide, at=at) if wide else set()
    return limits.reasons(refused, at=at) if refused else {}


def _without_loops(hits: Sequence[Hit], event: Event) -> list[Hit]:
    """The hits, those that would close a loop marked with the reason."""
    chain = causes.chain_of(event)
    if not chain:
        return list(hits)
    subject = causes.subject_of(event)
    judged = [(hit, loops.objection(chain, hit.automation.pk, subject=subject)) for hit in hits]
    return [hit.skip(ReasonCode.LOOP, loop, key=loops.QUIET_KEY) if loop else hit for hit, loop in judged]


def _standing(hits: Sequence[Hit], *, at: datetime) -> list[Hit]:
    """The hits whose automation was neither deleted nor disabled since it was read, those of snoozed ones marked; held,
    in one order for everybody, so that it cannot be deleted before its execution is written."""
    pks = [hit.automation.pk for hit in hits]
    held = Automation.objects.filter(pk__in=pks, enabled=True).order_by("pk").select_for_update(no_key=True)
    snoozed = dict(held.values_list("pk", "snoozed_until")) if pks else {}
    return [_awake(hit, snoozed[hit.automation.pk], at=at) for hit in hits if hit.automation.pk in snoozed]


def _awake(hit: Hit, snoozed_until: datetime | None, *, at: datetime) -> Hit:
    if snoozed_until is None or snoozed_until <= at:
        return hit
    why = snoozing.reason(snoozed_until)
    return hit.skip(ReasonCode.SNOOZED, why, key=snoozing.quiet_key(hit.match.key))


def _allowed(hits: Sequence[Hit], event: Event, *, at: datetime) -> list[Hit]:
    if event.run is None or not fires_once_a_day(event):
        return list(hits)
    won = cooldowns.claim([(hit.automation.pk, hit.match.key) for hit in hits], run=event.run, at=at)
    return [hit for hit in hits if (hit.automation.pk, hit.match.key) in won]


def fires_once_a_day(event: Event) -> bool:
    """Whether it is about a run (EV11): versions and collections have runs too, but each of their events is news."""
    return event.artifact_id is None and "collection" not in event.details


def _execution(hit: Hit, event: Event, *, at: datetime, refused: Mapping[int, str]) -> Execution:
    automation = hit.automation
    outcome: dict[str, Any] = {"status": Status.PENDING, "next_attempt_at": at}
    reason = hit.skipped or refused.get(automation.pk)
    if reason:
        code = hit.code or ReasonCode.RATE_LIMIT
        outcome = {"status": Status.SKIPPED, "reason_code": code, "result": reason, "finished_at": at}
    return Execution(
        automation=automation,
        event=event,
        project_id=event.project_id,
        registry_id=event.registry_id,
        matched_because=hit.match.reason,
        rule=rule_of(automation),
        event_type=automation.event_type,
        action_kind=automation.action_kind,
        webhook=automation.webhook,
        slack_channel=automation.slack_channel,
        target=target_of(automation.webhook, automation.slack_channel, automation.action_kind),
        shadow=automation.shadow,
        created_at=at,
        **outcome,
    )


@in_english
def target_of(webhook: Webhook | None, channel: SlackChannel | None, action_kind: str) -> str:
    """Where it goes, in words."""
    if webhook is not None:
        return f"{webhook.name} → {webhook.url}"
    return f"{channel} in {channel.workspace}" if channel else str(ActionKind(action_kind).label)


@in_english
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
