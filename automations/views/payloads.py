"""The editors of step 2, of a payload or a message: variables to insert, what is odd, and what would be sent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations import presets, preview, templating
from automations.forms import ActionForm
from automations.models import ActionKind, Event, SlackChannel, Webhook
from automations.slack import drawing
from automations.triggers import trigger_for
from projects.access import Permission, may

if TYPE_CHECKING:
    from automations.editing import Draft
    from automations.views.steps import Steps

ABOUT = {
    "automation_name": gettext_lazy("This automation's name"),
    "event_type": gettext_lazy("Wire name of the event"),
    "event_author": gettext_lazy("Who caused it"),
    "entity_name": gettext_lazy("Team or organization"),
    "project_name": gettext_lazy("Project or registry"),
    "run_name": gettext_lazy("The run's display name"),
    "run_id": gettext_lazy("The run's id"),
    "run_status": gettext_lazy("The state it entered"),
    "metric_name": gettext_lazy("The metric's key"),
    "metric_values": gettext_lazy("Values in the window"),
    "metric_filter": gettext_lazy("The rule, in words"),
    "metric_filter_short": gettext_lazy("The rule, in short"),
    "metric_current_status": gettext_lazy("Value against threshold"),
    "artifact_collection_name": gettext_lazy("The collection's name"),
    "artifact_version": gettext_lazy("Link to the version"),
    "artifact_version_string": "team/project/name:version",
    "artifact_version_index": gettext_lazy("The version's number"),
    "artifact_metadata.KEY": gettext_lazy("A key of its metadata"),
    "alias": gettext_lazy("The alias added"),
    "tag": gettext_lazy("The tag added or removed"),
    "alert_title": gettext_lazy("The alert's title"),
    "alert_text": gettext_lazy("The alert's text"),
    "alert_level": gettext_lazy("INFO, WARN or ERROR"),
}


def context_of(form: Steps) -> dict[str, Any]:
    """What the editor shows beside the payload that was typed so far."""
    draft = form.draft()
    if draft is None:
        return {}
    action = form.action
    action.is_valid()
    webhook: Webhook | None = action.cleaned_data.get("webhook")
    draft.action_kind = action.cleaned_data.get("action_kind") or ActionKind.WEBHOOK.value
    event = preview.recent_event(form.scope, draft)
    shown = _message(draft, action, event) if draft.action_kind == ActionKind.SLACK else {}
    return {
        "settings_url": settings_url(form),
        "variables": variables(draft.event_type, webhook),
        "presets": [
            {"name": _(preset.name), "payload": preset.payload(draft.event_type)}
            for preset in presets.closest_to(webhook.url if webhook else "")
        ],
        "message_variables": variables(draft.event_type, None),
        "event": event,
        "reacts": event is not None and preview.reacts(draft, event),
        **(shown or _payload(draft, action, webhook, event)),
    }


def settings_url(form: Steps) -> str:
    """Where the chosen team's webhooks and Slack channels are, for those who may add one."""
    owner = form.action.owner
    if owner is None or not may(form.by, Permission.EDIT_SETTINGS, owner):
        return ""
    return reverse("team_settings", kwargs={"team": owner.name})


def variables(event_type: str, webhook: Webhook | None) -> list[dict[str, str]]:
    """The variables that fit the event, as they are written, with a word about each."""
    fitting = [name.replace("<KEY>", "KEY") for name in trigger_for(event_type).variables]
    named = [{"text": f"${{{name}}}", "about": str(ABOUT.get(name, ""))} for name in fitting]
    secret = [{"text": f"${{{name}}}", "about": _("Secret")} for name in preview.secret_names(webhook)]
    return named + secret


def _payload(draft: Draft, action: ActionForm, webhook: Webhook | None, event: Event | None) -> dict[str, Any]:
    payload = action.data.get("payload", "")
    draft = replace(draft, payload=payload, webhook=webhook)
    try:
        warnings = preview.lint(payload, event_type=draft.event_type, webhook=webhook)
        shown = preview.rendered(draft, event=event) if event else ""
    except (templating.InvalidTemplate, templating.RenderedTooLarge) as error:
        return {"faults": [preview.fault(error)]}
    return {"warnings": warnings, "preview": shown}


def _message(draft: Draft, action: ActionForm, event: Event | None) -> dict[str, Any]:
    texts = {name: action.data.get(name, "") for name in ("title", "message")}
    channel: SlackChannel | None = action.cleaned_data.get("slack_channel")
    draft = replace(draft, **texts, severity=action.cleaned_data.get("severity") or "", slack_channel=channel)
    try:
        warnings = preview.lint_texts(texts, event_type=draft.event_type)
        shown = preview.message(draft, event=event) if event else None
    except (templating.InvalidTemplate, templating.RenderedTooLarge) as error:
        return {"faults": [preview.fault(error, field="message")]}
    return {"warnings": warnings, "blocks": drawing.drawn(shown.blocks()) if shown else [], "channel": channel}
