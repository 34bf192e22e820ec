"""Payloads to start from (WH5): what well-known receivers of webhooks want, as templates.

A preset is data: how its endpoint looks, which credentials it wants, and a template for each type of event, so that no
field it must have is ever empty. Values that may be long are kept out of fields that receivers keep short.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext_noop

from automations.models import EventType
from automations.triggers import trigger_for

RUN = {"Run": "${run_name}", "Run id": "${run_id}"}
COLLECTION = {"Collection": "${artifact_collection_name}"}
VERSION = {"Version": "${artifact_version_string}"}
METRIC = {**RUN, "Metric": "${metric_filter}", "Value": "${metric_current_status}"}
PLACE = {"Where": "${entity_name}/${project_name}"}
SILENCE = {"Silent for": "${silent_for}"}
BY = {"By": "${event_author}"}


@dataclass(frozen=True, slots=True)
class Happening:
    """An event in the words of a message: a headline, which stays short, its facts by name, and how urgent it is, as
    PagerDuty says it."""

    headline: str
    facts: Mapping[str, str]
    severity: str = "info"


HAPPENINGS: dict[EventType, Happening] = {
    EventType.RUN_STATE: Happening("Run ${run_name} is ${run_status}", {**RUN, **PLACE, **BY}, "error"),
    EventType.RUN_METRIC: Happening("A metric of run ${run_name} met its condition", {**METRIC, **PLACE}, "warning"),
    EventType.RUN_METRIC_CHANGE: Happening("A metric of run ${run_name} moved", {**METRIC, **PLACE}, "warning"),
    EventType.RUN_METRIC_ZSCORE: Happening(
        "A metric of run ${run_name} is far from other runs", {**METRIC, **PLACE}, "warning"
    ),
    EventType.RUN_ALERT: Happening(
        "Run ${run_name} raised an alert",
        {**RUN, "Alert": "${alert_title}", "Level": "${alert_level}", **PLACE, **BY},
        "warning",
    ),
    EventType.RUN_STALL: Happening("Run ${run_name} stands still", {**RUN, **SILENCE, **PLACE}, "warning"),
    EventType.CREATE_ARTIFACT: Happening("New version of ${artifact_collection_name}", {**VERSION, **PLACE, **BY}),
    EventType.LINK_ARTIFACT: Happening("Version linked to ${artifact_collection_name}", {**VERSION, **PLACE, **BY}),
    EventType.UNLINK_ARTIFACT: Happening(
        "Version unlinked from ${artifact_collection_name}", {**VERSION, **PLACE, **BY}
    ),
    EventType.ADD_ARTIFACT_ALIAS: Happening(
        "Alias ${alias} added in ${artifact_collection_name}", {**VERSION, "Alias": "${alias}", **PLACE, **BY}
    ),
    EventType.ADD_ARTIFACT_TAG: Happening(
        "Tag ${tag} added in ${artifact_collection_name}", {**VERSION, "Tag": "${tag}", **PLACE, **BY}
    ),
    EventType.REMOVE_ARTIFACT_TAG: Happening(
        "Tag ${tag} removed in ${artifact_collection_name}", {**VERSION, "Tag": "${tag}", **PLACE, **BY}
    ),
    EventType.ADD_COLLECTION_TAG: Happening(
        "Tag ${tag} added to ${artifact_collection_name}", {**COLLECTION, "Tag": "${tag}", **PLACE, **BY}
    ),
    EventType.REMOVE_COLLECTION_TAG: Happening(
        "Tag ${tag} removed from ${artifact_collection_name}", {**COLLECTION, "Tag": "${tag}", **PLACE, **BY}
    ),
    EventType.ARTIFACT_ABSENCE: Happening(
        "No new version of ${artifact_collection_name}", {**COLLECTION, **SILENCE, **PLACE}, "warning"
    ),
}


@dataclass(frozen=True, slots=True)
class Preset:
    """A kind of receiver. `url` is how its endpoint looks, `hosts` are how its host names end; `token` says what to
    keep as access token, empty for none."""

    key: str
    name: str
    about: str
    documentation: str
    url: str
    compose: Callable[[EventType], dict[str, Any]] = field(repr=False)
    hosts: tuple[str, ...] = ()
    token: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def payload(self, event_type: str) -> str:
        """The template for this type of event, as an author would write it."""
        return json.dumps(self.compose(EventType(event_type)), ensure_ascii=False, indent=2)


def _plain(event_type: EventType) -> dict[str, Any]:
    # A version's metadata has keys that only its author knows.
    names = [name for name in trigger_for(event_type).variables if "<" not in name]
    return {name: f"${{{name}}}" for name in names}


def _github(event_type: EventType) -> dict[str, Any]:
    kept = {name: text for name, text in _plain(event_type).items() if name in GITHUB_VARIABLES}
    return {"event_type": "${event_type}", "client_payload": kept}


# GitHub takes ten, and no event has more of these.
GITHUB_VARIABLES = frozenset(
    {
        "automation_name",
        "event_author",
        "entity_name",
        "project_name",
        "run_name",
        "run_id",
        "run_status",
        "metric_name",
        "metric_current_status",
        "alert_title",
        "alert_level",
        "silent_for",
        "artifact_collection_name",
        "artifact_version",
        "artifact_version_string",
        "artifact_version_index",
        "alias",
        "tag",
    }
)


def _teams(event_type: EventType) -> dict[str, Any]:
    happening = HAPPENINGS[event_type]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {"type": "TextBlock", "text": "${automation_name}", "weight": "Bolder", "size": "Medium", "wrap": True},
            {"type": "TextBlock", "text": happening.headline, "wrap": True},
            {"type": "FactSet", "facts": [{"title": name, "value": text} for name, text in happening.facts.items()]},
        ],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _discord(event_type: EventType) -> dict[str, Any]:
    happening = HAPPENINGS[event_type]
    lines = [happening.headline, *(f"{name}: {text}" for name, text in happening.facts.items())]
    return {
        # Nobody pings a channel by the name of a run.
        "allowed_mentions": {"parse": []},
        "embeds": [{"title": "${automation_name}", "description": "\n".join(lines)}],
    }


def _pagerduty(event_type: EventType) -> dict[str, Any]:
    happening = HAPPENINGS[event_type]
    return {
        "routing_key": "${ACCESS_TOKEN}",
        "event_action": "trigger",
        "payload": {
            "summary": f"${{automation_name}}: {happening.headline}",
            "source": "${entity_name}/${project_name}",
            "severity": happening.severity,
            "class": "${event_type}",
            "custom_details": dict(happening.facts),
        },
    }


PRESETS: tuple[Preset, ...] = (
    Preset(
        key="github",
        name="GitHub repository_dispatch",
        about=gettext_noop("Starts the workflows of a repository that listen for this event type."),
        documentation="https://docs.github.com/en/rest/repos/repos#create-a-repository-dispatch-event",
        url="https://api.github.com/repos/OWNER/REPOSITORY/dispatches",
        hosts=("api.github.com",),
        token=gettext_noop("A fine-grained personal access token with write access to the repository's contents."),
        headers={"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
        compose=_github,
    ),
    Preset(
        key="teams",
        name="Microsoft Teams",
        about=gettext_noop("Posts an Adaptive Card to a channel or chat, through a workflow with a webhook trigger."),
        documentation="https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/"
        "add-incoming-webhook",
        url="https://….powerplatform.com/powerautomate/automations/direct/workflows/…",
        hosts=(".powerplatform.com", ".logic.azure.com"),
        compose=_teams,
    ),
    Preset(
        key="discord",
        name="Discord",
        about=gettext_noop("Posts to the channel that the webhook was made for."),
        documentation="https://discord.com/developers/docs/resources/webhook#execute-webhook",
        url="https://discord.com/api/webhooks/…",
        hosts=("discord.com", "discordapp.com"),
        compose=_discord,
    ),
    Preset(
        key="pagerduty",
        name="PagerDuty Events v2",
        about=gettext_noop("Triggers an alert of a service. Its integration key is sent in the body."),
        documentation="https://developer.pagerduty.com/docs/send-alert-event",
        url="https://events.pagerduty.com/v2/enqueue",
        hosts=("events.pagerduty.com", "events.eu.pagerduty.com"),
        token=gettext_noop("The integration key of the service's Events API v2 integration."),
        compose=_pagerduty,
    ),
    Preset(
        key="generic",
        name=gettext_noop("All variables"),
        about=gettext_noop("One flat object with every variable that fits the event, for a receiver of your own."),
        documentation="https://www.standardwebhooks.com",
        url="https://hooks.example.com/…",
        compose=_plain,
    ),
)


def closest_to(url: str) -> tuple[Preset, ...]:
    """All presets, the one for the receiver at this address first."""
    host = urlsplit(url).hostname or ""
    return tuple(sorted(PRESETS, key=lambda preset: not host.endswith(preset.hosts)))


def preset_named(key: str) -> Preset | None:
    """The preset with this key, if there is one."""
    return next((preset for preset in PRESETS if preset.key == key), None)
