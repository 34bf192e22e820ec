"""The page of a team's settings: members, integrations, secrets, and the API keys of whoever looks at it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, TypeVar

from django.contrib.auth.decorators import login_required
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from automations.models import Automation, Execution, ReasonCode, SlackChannel, Webhook
from projects.access import Permission, may, require, team_for
from projects.models import ApiKey, Team, User
from projects.pages import PageRequest
from secrets_vault.models import Secret

Target = TypeVar("Target", Webhook, SlackChannel)
SECTIONS = (
    ("members", "Members"),
    ("webhooks", "Webhooks"),
    ("slack", "Slack"),
    ("automations", "Automations"),
    ("secrets", "Team secrets"),
    ("keys", "Your API keys"),
)


@login_required
@require_safe
def show(request: PageRequest, team: str) -> HttpResponse:
    """Every member sees it; who may not change it gets no buttons."""
    found = team_for(request.user, team)
    webhooks, channels = webhooks_of(found, viewer=request.user), channels_of(found, viewer=request.user)
    context: dict[str, Any] = {
        "team": found,
        "sections": [{"label": label, "url": f"#{anchor}"} for anchor, label in SECTIONS],
        "may_edit": may(request.user, Permission.EDIT_SETTINGS, found),
        "members": found.memberships.select_related("user").order_by("user__username"),
        "webhooks": webhooks,
        "channels": channels,
        "wide": Automation.objects.aggregate(
            team=Count("pk", filter=Q(team=found)),
            organization=Count("pk", filter=Q(organization=found.organization_id)),
        ),
        "secrets": secrets_of(found, webhooks, channels),
        "keys": keys_of(request.user),
    }
    return render(request, "automations/settings/page.html", context)


def team_to_edit(request: PageRequest, name: str) -> Team:
    """The team whose settings the request changes.

    Raises:
        Http404, PermissionDenied: the user may not see it, or not change it.
    """
    team = team_for(request.user, name)
    require(request.user, Permission.EDIT_SETTINGS, team)
    return team


def address(team: Team, section: str) -> str:
    """The address of a section of the team's settings."""
    return f"{reverse('team_settings', args=[team.name])}#{section}"


def webhooks_of(team: Team, *, viewer: User) -> Sequence[Webhook]:
    """The team's webhooks with `automation_count`, `last_status` and `last_at` of the newest execution, and its
    `last_key` where the viewer may see it."""
    found = Webhook.objects.filter(team=team).select_related("access_token", "secret", "team")
    return _with_use(found.prefetch_related("headers__secret").order_by("name"), "webhook", viewer=viewer)


def channels_of(team: Team, *, viewer: User) -> Sequence[SlackChannel]:
    """The team's Slack channels, with the same about their use."""
    found = SlackChannel.objects.filter(team=team).select_related("team").order_by("channel")
    return _with_use(found, "slack_channel", viewer=viewer)


def _with_use(rows: QuerySet[Target], field: str, *, viewer: User) -> Sequence[Target]:
    # What was only rehearsed, or was one too many, used nothing.
    used = Execution.objects.filter(**{field: OuterRef("pk")}, shadow=False).exclude(reason_code=ReasonCode.RATE_LIMIT)
    last = used.order_by("-pk")
    found = list(
        rows.annotate(
            automation_count=Count("automations"),
            last_pk=Subquery(last.values("pk")[:1]),
            last_status=Subquery(last.values("status")[:1]),
            last_at=Subquery(last.values("created_at")[:1]),
        )
    )
    shown = [row.last_pk for row in found if row.last_pk]
    keys = dict(Execution.objects.visible_to(viewer).filter(pk__in=shown).values_list("pk", "key"))
    for row in found:
        row.last_key = keys.get(row.last_pk)  # type: ignore[attr-defined]  # shown by the page
    return found


def secrets_of(
    team: Team, webhooks: Sequence[Webhook], channels: Sequence[SlackChannel]
) -> list[tuple[Secret, list[str]]]:
    """The team's secrets, each with the names of the webhooks and Slack channels that use it. Values stay sealed."""
    users: dict[int, set[str]] = defaultdict(set)
    for webhook in webhooks:
        for pk in (webhook.access_token_id, webhook.secret_id, *(row.secret_id for row in webhook.headers.all())):
            if pk is not None:
                users[pk].add(webhook.name)
    for channel in channels:
        users[channel.credential_id].add(str(channel))
    secrets = Secret.objects.filter(team=team).select_related("created_by").order_by("name")
    return [(secret, sorted(users[secret.pk])) for secret in secrets]


def keys_of(user: User) -> QuerySet[ApiKey]:
    """The user's API keys that still work, the newest first."""
    return user.api_keys.filter(revoked_at=None).order_by("-created_at", "-pk")
