"""The document a webhook without a payload template is sent (WH2). `docs/webhooks.md` describes it for receivers."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.urls import reverse

from automations.models import Event, EventType, Execution
from automations.templating import MAX_RENDERED_CHARACTERS, RenderedTooLarge


def default_document(event: Event, rule: dict[str, Any], *, execution: Execution | None, because: str = "") -> bytes:
    """The event as JSON: what happened, where, to which run or version, and why the automation reacts; that is
    `because` in a preview, which has no execution.

    Raises:
        RenderedTooLarge: it is longer than a rendered template may be.
    """
    details = event.details
    document: dict[str, Any] = {
        "type": EventType(rule["event_type"]).rendered,
        "occurred_at": event.occurred_at.isoformat(),
        "author": event.actor.username if event.actor else None,
        "automation": {"name": rule["name"], "summary": rule.get("summary", "")},
        "entity": details.get("entity"),
        "project": details.get("project"),
        "because": execution.matched_because if execution else because,
        "execution": _execution(execution),
    }
    if "collection" in details and "version" not in details:
        document["collection"] = {"name": details["collection"], "type": event.facts.get("type")}
    elif "collection" in details:
        document["artifact"] = {
            "collection": details["collection"],
            "type": event.facts.get("type"),
            "version": details["version"],
            "aliases": event.facts.get("alias", []),
            "tags": event.facts.get("tag", []),
            "metadata": event.facts.get("metadata", {}),
        }
    else:
        document["run"] = {
            "id": event.facts.get("name"),
            "name": event.facts.get("display_name"),
            "state": details.get("state") or event.facts.get("state"),
            "url": absolute(event.run.get_absolute_url()) if event.run else None,
        }
    document |= {label: details[label] for label in ("alias", "tag") if label in details}
    if "level" in details:
        document["alert"] = {part: details.get(part) for part in ("title", "text", "level")}
    if "metric" in details:
        document["metric"] = {"name": details["metric"]} | {key: details[key] for key in ("value", "values", "step")}
    if "silent_since" in details:
        document["silence"] = {"since": details["silent_since"], "seconds": details["silent_seconds"]}
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    if len(text) > MAX_RENDERED_CHARACTERS:
        raise RenderedTooLarge(
            f"The default payload would be longer than {MAX_RENDERED_CHARACTERS:,} characters; write a payload of your"
            " own with the few variables you need."
        )
    return text.encode()


def _execution(execution: Execution | None) -> dict[str, str] | None:
    if execution is None:
        return None
    # Redelivered as it was, a message says what it said the first time.
    first = execution.message
    return {"id": str(first), "url": absolute(reverse("automations:execution", kwargs={"key": first}))}


def absolute(path: str) -> str:
    """A page's address as it is seen from outside."""
    return settings.PUBLIC_URL.rstrip("/") + path
