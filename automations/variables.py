"""The values of `${…}` in payload templates (PL2, PL3), from the event as it was."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from automations.models import Event, EventType
from automations.records import in_english
from automations.triggers import InvalidCondition, MetricTrigger, trigger_for


@in_english
def values_of(event: Event, rule: Mapping[str, Any]) -> dict[str, str]:
    """Every variable the event gives a value, as text for programs. What is not here renders as the empty string
    (PL5)."""
    return told_of(event, rule)


def told_of(event: Event, rule: Mapping[str, Any]) -> dict[str, str]:
    """The same for people: what is said in words is in the language at hand."""
    details = event.details
    values = {
        "automation_name": str(rule["name"]),
        "event_type": EventType(rule["event_type"]).rendered,
        "event_author": event.actor.username if event.actor else "",
        "entity_name": str(details.get("entity", "")),
        "project_name": str(details.get("project", "")),
    }
    if "collection" in details:
        values |= _artifact_values(event)
    else:
        values |= _run_values(event)
    if "metric" in details:
        values |= _metric_values(event, rule)
    if "silent_since" in details:
        values |= _silence_values(details)
    return values


def artifact_reference(artifact_id: int) -> str:
    """`wandb-artifact://_id/<id>`, with the id as the wandb client spells it."""
    return "wandb-artifact://_id/" + base64.b64encode(f"Artifact:{artifact_id}".encode()).decode()


def _run_values(event: Event) -> dict[str, str]:
    values = {
        "run_name": str(event.facts.get("display_name", "")),
        "run_id": str(event.facts.get("name", "")),
    }
    if "state" in event.details:
        values["run_status"] = str(event.details["state"])
    if "level" in event.details:
        values |= {f"alert_{part}": str(event.details.get(part, "")) for part in ("title", "text", "level")}
    return values


def _artifact_values(event: Event) -> dict[str, str]:
    details = event.details
    values = {"artifact_collection_name": str(details["collection"])}
    values |= {name: str(details[name]) for name in ("alias", "tag") if name in details}
    if "version" not in details:  # of a collection as a whole
        return values
    label = details.get("alias") or details["version"]
    values |= {
        "artifact_version": artifact_reference(details["artifact_id"]),
        "artifact_version_string": f"{details['entity']}/{details['project']}/{details['collection']}:{label}",
        "artifact_version_index": str(details["version_index"]),
    }
    for key, value in event.facts.get("metadata", {}).items():
        values[f"artifact_metadata.{key}"] = as_text(value)
    return values


def _metric_values(event: Event, rule: Mapping[str, Any]) -> dict[str, str]:
    details = event.details
    values = {
        "metric_name": str(details["metric"]),
        "metric_values": as_text(details["values"]),
        "metric_current_status": as_text(details["value"]),
    }
    trigger = trigger_for(str(rule["event_type"]))
    if isinstance(trigger, MetricTrigger):
        try:
            asked = trigger.compile_condition(rule["condition"])
        except InvalidCondition:
            return values
        values["metric_values"] = as_text(details["values"][-asked.capacity :])
        values["metric_filter"] = asked.describe()
        values["metric_filter_short"] = asked.shorthand()
        values["metric_current_status"] = trigger.judgement(asked, details).reason
    return values


def _silence_values(details: Mapping[str, Any]) -> dict[str, str]:
    minutes = int(details["silent_seconds"]) // 60
    values = {"silent_for": _("%(minutes)s min") % {"minutes": minutes}, "silent_since": str(details["silent_since"])}
    if "silent_of" in details:
        values["metric_name"] = str(details["silent_of"][1])
    return values


def as_text(value: object) -> str:
    """A JSON value inside a string: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
