"""What a payload will look like, before anything is saved: rendered on a real event of the scope, secrets masked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import translation

from automations import retelling, sentences, templating
from automations.access import Scope
from automations.documents import default_document
from automations.editing import Draft, kind_of
from automations.models import Event, Webhook
from automations.records import in_english
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


def reacts(draft: Draft, event: Event) -> bool:
    """Whether the draft would react to the event, which may be the latest of its kind and no more."""
    trigger = trigger_for(draft.event_type)
    try:
        return trigger.match(trigger.compile(draft.condition, draft.filter), event.facts, event.details).matched
    except InvalidCondition:
        return False


@in_english
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
        body = default_document(event, rule, execution=None, because=_because(draft, event))
    return json.dumps(json.loads(body), ensure_ascii=False, indent=2)


def message(draft: Draft, *, event: Event) -> Message:
    """The Slack message as it would be posted for this event, in the language of the channel's team.

    Raises:
        InvalidTemplate, RenderedTooLarge: title or text cannot be rendered.
    """
    channel = draft.slack_channel
    with translation.override(channel.team.language if channel else translation.get_language()):
        return message_of(event, _rule(draft), because=_because(draft, event))


def _because(draft: Draft, event: Event) -> str:
    """Why the draft would react to the event, or would not."""
    trigger = trigger_for(draft.event_type)
    try:
        return trigger.match(trigger.compile(draft.condition, draft.filter), event.facts, event.details).reason
    except InvalidCondition as error:
        return str(error)


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


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a text that will not do, or is odd; and where: in which field of the form, line and column from
    1, both 0 where it is about all of it."""

    message: str
    field: str = "payload"
    line: int = 0
    column: int = 0


def fault(error: templating.InvalidTemplate | templating.RenderedTooLarge, *, field: str = "payload") -> Remark:
    """Why there is nothing to show."""
    if isinstance(error, templating.InvalidTemplate):
        return Remark(error.message, field, error.line, error.column)
    return Remark(retelling.told(str(error)), field)


def lint(payload: str, *, event_type: str, webhook: Webhook | None) -> list[Remark]:
    """Sentences about variables that are unknown, or that never apply to this event.

    Raises:
        InvalidTemplate: the payload is not a template at all.
    """
    if not payload.strip():
        return []
    return _remarks(payload, templating.parse(payload), event_type, secret_names(webhook), field="payload")


def lint_texts(texts: Mapping[str, str], *, event_type: str) -> list[Remark]:
    """The same about texts that are no JSON, by the names of their fields.

    Raises:
        InvalidTemplate: one of them is not a template at all.
    """
    return [
        remark
        for field, text in texts.items()
        for remark in _remarks(text, templating.parse(json.dumps(text)), event_type, [], field=field)
    ]


def _remarks(
    text: str, template: templating.Template, event_type: str, secrets: list[str], *, field: str
) -> list[Remark]:
    known = {name for trigger in TRIGGERS.values() for name in trigger.variables}
    applicable = trigger_for(event_type).variables
    warnings = templating.lint(template, known={*known, *secrets}, applicable={*applicable, *secrets})
    return [
        Remark(warning.message, field, *_place(text, warning.name if "${" in warning.name else f"${{{warning.name}}}"))
        for warning in warnings
    ]


def _place(text: str, part: str) -> tuple[int, int]:
    """Line and column of the first place where the text has this part; JSON may spell it otherwise."""
    at = text.find(part)
    if at < 0:
        return 0, 0
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def secret_names(webhook: Webhook | None) -> list[str]:
    """The variables that resolve to secrets while sending (PL4)."""
    if webhook is None:
        return []
    names = ["ACCESS_TOKEN"] if webhook.access_token_id else []
    return names + ([webhook.secret.name] if webhook.secret else [])
