"""What the audit log says of automations and of what they send with. Payloads, messages and conditions are in an
automation's versions, whose number is in the log."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from automations.access import team_of
from automations.models import Automation, Redelivery, SlackChannel, SlackWorkspace, Webhook
from automations.records import in_english
from projects import audit
from projects.audit import Deed
from projects.models import Organization, Project, User

AUTOMATION = audit.kind(
    "automation",
    "name",
    "scope",
    "event_type",
    "action_kind",
    "webhook",
    "slack_channel",
    "enabled",
    "shadow",
    "snoozed_until",
    "version",
)
WEBHOOK = audit.kind("webhook", "name", "url", "access_token", "secret", "signature_encoding", "headers", "paused")
SLACK_CHANNEL = audit.kind(
    "Slack channel",
    "workspace",
    "channel",
    "kind",
    "channel_id",
    "credential",
    "messages_an_hour",
    "quiet_hours",
    "errors_pass_quiet_hours",
)
SLACK_WORKSPACE = audit.kind("Slack workspace")
REDELIVERY = audit.kind("redelivery", "executions", "content", "for_real", "reason")
audit.WORDINGS["for_real"] = audit.Wording(
    label=_("rehearsals in shadow mode"), yes=_("are sent for real"), no=_("are left out")
)
# For the catalogue: what kinds and fields are called.
WORDS = (
    gettext_noop("automation"),
    gettext_noop("webhook"),
    gettext_noop("Slack channel"),
    gettext_noop("Slack workspace"),
    gettext_noop("redelivery"),
    gettext_noop("scope"),
    gettext_noop("event type"),
    gettext_noop("action kind"),
    gettext_noop("slack channel"),
    gettext_noop("enabled"),
    gettext_noop("shadow"),
    gettext_noop("snoozed until"),
    gettext_noop("version"),
    gettext_noop("url"),
    gettext_noop("access token"),
    gettext_noop("secret"),
    gettext_noop("signature encoding"),
    gettext_noop("headers"),
    gettext_noop("paused"),
    gettext_noop("workspace"),
    gettext_noop("channel"),
    gettext_noop("kind"),
    gettext_noop("channel id"),
    gettext_noop("credential"),
    gettext_noop("messages an hour"),
    gettext_noop("quiet hours"),
    gettext_noop("errors pass quiet hours"),
    gettext_noop("executions"),
    gettext_noop("content"),
    gettext_noop("reason"),
)
# By what they are, single switches have a word of their own.
SWITCHED = {
    ("enabled", True): Deed.ENABLED,
    ("enabled", False): Deed.DISABLED,
    ("shadow", True): Deed.REHEARSED,
    ("shadow", False): Deed.MADE_LIVE,
}


def automation_saved(
    automation: Automation, held: Automation | None, *, by: User | None, deed: Deed = Deed.CHANGED
) -> None:
    """Put into the log that an automation was made, or changed from what it was in `held`."""
    before = of_automation(held) if held else {}
    after = of_automation(automation)
    differing = [name for name in after if before.get(name) != after[name]]
    if held is None:
        deed = Deed.CREATED
    elif len(differing) == 1:
        deed = SWITCHED.get((differing[0], after[differing[0]]), deed)
    record_automation(automation, deed, by=by, before=before, after=after)


def record_automation(automation: Automation, deed: Deed, *, by: User | None, **states: Any) -> None:
    """Put into the log what was done to an automation; where it is, its scope says."""
    scope = automation.scope
    team = team_of(scope)
    organization = scope if isinstance(scope, Organization) else _organization_of(scope)
    audit.record(
        AUTOMATION,
        deed,
        name=automation.name,
        pk=automation.pk,
        by=by,
        team=team,
        organization=None if team else organization,
        **states,
    )


@in_english
def of_automation(automation: Automation) -> dict[str, Any]:
    """What the log may say of an automation."""
    return {
        "name": automation.name,
        "scope": f"{automation.scope_kind.label.lower()} {automation.scope}",
        "event_type": str(automation.event_type),
        "action_kind": str(automation.action_kind),
        "webhook": _own(automation.webhook, automation),
        "slack_channel": _own(automation.slack_channel, automation),
        "enabled": automation.enabled,
        "shadow": automation.shadow,
        "version": automation.version,
    }


def of_webhook(webhook: Webhook) -> dict[str, Any]:
    """What the log may say of a webhook: of secrets their names, of headers their names."""
    return {
        "name": webhook.name,
        "url": _recognizable(webhook.url),
        "access_token": webhook.access_token and webhook.access_token.name,
        "secret": webhook.secret and webhook.secret.name,
        "signature_encoding": str(webhook.signature_encoding),
        "headers": sorted(header.name for header in webhook.headers.all()),
        "paused": webhook.paused_at is not None,
    }


def record_webhook(webhook: Webhook, deed: Deed, *, by: User | None, **states: Any) -> None:
    """Put into the log what was done to a webhook."""
    audit.record(WEBHOOK, deed, name=webhook.name, pk=webhook.pk, by=by, team=webhook.team, **states)


def of_slack_channel(channel: SlackChannel) -> dict[str, Any]:
    """What the log may say of a Slack channel: of its credential the name of the secret."""
    return {
        "workspace": channel.workspace,
        "channel": channel.channel,
        "kind": str(channel.kind),
        "channel_id": channel.channel_id,
        "credential": channel.credential.name,
    }


@in_english
def of_limits(channel: SlackChannel) -> dict[str, Any]:
    """How much a Slack channel takes."""
    quiet = channel.quiet_hours
    return {
        "messages_an_hour": channel.hourly_budget,
        "quiet_hours": quiet.in_words() if quiet else None,
        "errors_pass_quiet_hours": channel.errors_pass_quiet_hours,
    }


def record_slack_channel(channel: SlackChannel, deed: Deed, *, by: User | None, **states: Any) -> None:
    """Put into the log what was done to a Slack channel."""
    audit.record(SLACK_CHANNEL, deed, name=str(channel), pk=channel.pk, by=by, team=channel.team, **states)


def _recognizable(url: str) -> str:
    """Where an address leads, and a mark by which a change of the rest shows: that rest may be what lets one in."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}/… ({hashlib.sha256(url.encode()).hexdigest()[:8]})"


def record_workspace(workspace: SlackWorkspace, deed: Deed, *, by: User) -> None:
    """Put into the log what was done to a connected workspace; a new token is its secret's affair."""
    audit.record(SLACK_WORKSPACE, deed, name=str(workspace), pk=workspace.pk, by=by, team=workspace.team)


def of_redelivery(redelivery: Redelivery) -> dict[str, Any]:
    """What the log may say of a redelivery: how many executions, not what was sent."""
    return {
        "executions": len(redelivery.origins),
        "content": str(redelivery.content),
        "for_real": redelivery.for_real,
        "reason": redelivery.reason,
    }


def record_redelivery(redelivery: Redelivery, deed: Deed, *, by: User, **states: Any) -> None:
    """Put into the log what was done to a redelivery, in the place whose history it is from."""
    home = redelivery.home
    place: dict[str, Any] = {"team": home.team} if isinstance(home, Project) else {"organization": home.organization}
    audit.record(REDELIVERY, deed, name=f"in {home}", pk=redelivery.pk, by=by, **place, **states)


def _own(target: Webhook | SlackChannel | None, automation: Automation) -> str | None:
    """The name of what an automation acts on, if it is of the team that reads the log: others may not see it."""
    if target is None:
        return None
    team = team_of(automation.scope)
    return str(target) if team is not None and target.team_id == team.pk else "of another team"


def _organization_of(scope: Any) -> Organization | None:
    registry = getattr(scope, "registry", None) or scope
    found: Organization | None = getattr(registry, "organization", None)
    return found
