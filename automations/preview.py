"""What a payload will look like, before anything is saved: rendered on a real event of the scope, secrets masked."""

from __future__ import annotations

import json
from typing import Any

from automations import sentences, templating
from automations.access import Scope
from automations.documents import default_document
from automations.editing import Draft, kind_of
from automations.models import Event, Webhook
from automations.slack.messages import Message, message_of
from automations.triggers import TRIGGERS, InvalidCondition, trigger_for
from automations.unsealing import MASK
from automations.variables import values_of

# Events among which one that fits is looked for, and how many are in memory at once: each may hold a megabyte.
LOOKED_BACK = 20
READ_AT_ONCE = 5


def recent_event(scope: Scope, draft: Draft) -> Event | None:
    """The latest event in the scope that the draft would react to; else the latest of its kind, or None."""
    trigger = trigger_for(draft.event_type)
    events = (
        Event.objects.filter(**{kind_of(scope).value: scope}, kind=trigger.listens_to)
        .select_related(
            "actor",
            "run__project__team",
            "collection__project__team",
            "collection__registry__organization",
        )
        .order_by("-pk")
    )
    try:
        rule = trigger.compile(draft.condition, draft.filter)
    except InvalidCondition:
        return events.first()
    latest = None
    for event in events[:LOOKED_BACK].iterator(chunk_size=READ_AT_ONCE):
        latest = latest or event
        if trigger.match(rule, event.facts, event.details).matched:
            return event
    return latest


def rendered(draft: Draft, *, event: Event) -> str:
    """The body as it would be sent for this event, indented for reading.

    Raises:
        InvalidTemplate, RenderedTooLarge: the template cannot be rendered.
    """
    rule = _rule(draft)
    if draft.payload.strip():
        template = templating.parse(draft.payload)
        body = template.render({**values_of(event, rule), **dict.fromkeys(secret_names(draft.webhook), MASK)})
    else:
        body = default_document(event, rule, execution=None)
    return json.dumps(json.loads(body), ensure_ascii=False, indent=2)


def message(draft: Draft, *, event: Event) -> Message:
    """The Slack message as it would be posted for this event.

    Raises:
        InvalidTemplate, RenderedTooLarge: title or text cannot be rendered.
    """
    trigger = trigger_for(draft.event_type)
    try:
        match = trigger.match(trigger.compile(draft.condition, draft.filter), event.facts, event.details)
        because = match.reason
    except InvalidCondition as error:
        because = str(error)
    return message_of(event, _rule(draft), because=because)


def _rule(draft: Draft) -> dict[str, Any]:
    return {
        "name": draft.name or "…",
        "summary": sentences.summary(draft),
        "event_type": draft.event_type,
        "condition": draft.condition,
        "title": draft.title,
        "message": draft.message,
        "severity": draft.severity,
    }


def lint(payload: str, *, event_type: str, webhook: Webhook | None) -> list[str]:
    """Sentences about variables that are unknown, or that never apply to this event.

    Raises:
        InvalidTemplate: the payload is not a template at all.
    """
    if not payload.strip():
        return []
    secrets = secret_names(webhook)
    known = {name for trigger in TRIGGERS.values() for name in trigger.variables}
    applicable = trigger_for(event_type).variables
    warnings = templating.lint(templating.parse(payload), known={*known, *secrets}, applicable={*applicable, *secrets})
    return [warning.message for warning in warnings]


def secret_names(webhook: Webhook | None) -> list[str]:
    """The variables that resolve to secrets while sending (PL4)."""
    if webhook is None:
        return []
    names = ["ACCESS_TOKEN"] if webhook.access_token_id else []
    return names + ([webhook.secret.name] if webhook.secret else [])
