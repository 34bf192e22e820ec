"""What pages say about executions: the event in words, its subject as a link, the time it took."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django import template
from django.utils.html import format_html

from automations import retelling, subjects
from automations.models import EventType, Execution

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def event_label(execution: Execution) -> str:
    """The event in words, also one that only another version of this server knows."""
    event_type = str(execution.rule.get("event_type", execution.event.kind))
    return str(EventType(event_type).label) if event_type in EventType.values else event_type


register.filter("told", retelling.told)
register.filter("because", retelling.because)
register.filter("target", retelling.target)


@register.filter
def summary(execution: Execution) -> str:
    """The automation as it was, in one sentence."""
    return retelling.summary(execution.rule)


@register.filter
def outcome(execution: Execution) -> str:
    """How it ended, or why it began."""
    return retelling.told(execution.result) if execution.result else retelling.because(execution)


@register.filter
def took(execution: Execution) -> timedelta | None:
    """From the event to the end of the last attempt; None while it is not over."""
    return execution.finished_at - execution.created_at if execution.finished_at else None


@register.simple_tag
def subject(execution: Execution) -> str | SafeString:
    """The run, version or collection that the event is about, as a link while it exists; a run with the state it
    entered, or the alert it raised."""
    event, details = execution.event, execution.event.details
    name = subjects.name_of(event)
    address = subjects.address_of(event)
    shown = format_html('<a class="name" href="{}" title="{}">{}</a>', address, name, name) if address else name
    if "state" in details:
        return format_html("{} {}", shown, subjects.state_of(event))
    return format_html("{}, “{}”", shown, details["title"]) if "level" in details else shown
