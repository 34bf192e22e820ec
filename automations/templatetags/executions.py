"""What pages say about executions: the event in words, its subject as a link, the time it took."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django import template
from django.utils.html import format_html

from automations.models import EventType, Execution
from registries.events import UNLINK_ARTIFACT
from registries.models import Membership

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def event_label(execution: Execution) -> str:
    """The event in words, also one that only another version of this server knows."""
    event_type = str(execution.rule.get("event_type", execution.event.kind))
    return str(EventType(event_type).label) if event_type in EventType.values else event_type


@register.filter
def took(execution: Execution) -> timedelta | None:
    """From the event to the end of the last attempt; None while it is not over."""
    return execution.finished_at - execution.created_at if execution.finished_at else None


@register.simple_tag
def subject(execution: Execution) -> str | SafeString:
    """The run, version or collection that the event is about, as a link while it exists; a run with the state it
    entered, or the alert it raised."""
    details = execution.event.details
    if "collection" in details:
        return _version(execution)
    if "state" in details:
        return format_html("{} {}", _run(execution), details["state"])
    return format_html("{}, “{}”", _run(execution), details["title"]) if "level" in details else _run(execution)


def _version(execution: Execution) -> str | SafeString:
    event, details = execution.event, execution.event.details
    if "version" not in details:
        name = str(details["collection"])
        return _link(event.collection.get_absolute_url(), name) if event.collection else name
    name = f"{details['collection']}:{details.get('alias') or details['version']}"
    if event.collection is None or event.artifact_id is None or event.kind == UNLINK_ARTIFACT:
        return name
    # Where the version is in this collection; the membership itself need not be read for its address.
    there = Membership(collection=event.collection, version_index=details["version_index"])
    return _link(there.get_absolute_url(), name)


def _run(execution: Execution) -> str | SafeString:
    event = execution.event
    name = str(event.facts.get("display_name") or (event.run.display_name if event.run else "a deleted run"))
    return _link(event.run.get_absolute_url(), name) if event.run else name


def _link(address: str, name: str) -> SafeString:
    return format_html('<a class="name" href="{}" title="{}">{}</a>', address, name, name)
