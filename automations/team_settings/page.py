"""The page of a team's settings: members, webhooks, secrets, and the API keys of whoever looks at it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from automations.models import Execution, Webhook
from projects.access import Permission, may, require, team_for
from projects.models import ApiKey, Team, User
from projects.pages import PageRequest
from secrets_vault.models import Secret

SECTIONS = (
    ("members", "Members"),
    ("webhooks", "Webhooks"),
    ("secrets", "Team secrets"),
    ("keys", "Your API keys"),
)


@login_required
@require_safe
def show(request: PageRequest, team: str) -> HttpResponse:
    """Every member sees it; who may not change it gets no buttons."""
    found = team_for(request.user, team)
    webhooks = webhooks_of(found, viewer=request.user)
    context: dict[str, Any] = {
        "team": found,
        "sections": [{"label": label, "url": f"#{anchor}"} for anchor, label in SECTIONS],
        "may_edit": may(request.user, Permission.EDIT_SETTINGS, found),
        "members": found.memberships.select_related("user").order_by("user__username"),
        "webhooks": webhooks,
        "secrets": secrets_of(found, webhooks),
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
    last = Execution.objects.filter(webhook=OuterRef("pk")).order_by("-pk")
    webhooks = list(
        Webhook.objects.filter(team=team)
        .select_related("access_token", "secret", "team")
        .prefetch_related("headers__secret")
        .annotate(
            automation_count=Count("automations"),
            last_pk=Subquery(last.values("pk")[:1]),
            last_status=Subquery(last.values("status")[:1]),
            last_at=Subquery(last.values("created_at")[:1]),
        )
        .order_by("name")
    )
    shown = [webhook.last_pk for webhook in webhooks if webhook.last_pk]
    keys = dict(Execution.objects.visible_to(viewer).filter(pk__in=shown).values_list("pk", "key"))
    for webhook in webhooks:
        webhook.last_key = keys.get(webhook.last_pk)  # type: ignore[attr-defined]  # shown by the page
    return webhooks


def secrets_of(team: Team, webhooks: Sequence[Webhook]) -> list[tuple[Secret, list[str]]]:
    """The team's secrets, each with the names of the webhooks that use it. Values stay sealed."""
    users: dict[int, set[str]] = defaultdict(set)
    for webhook in webhooks:
        for pk in (webhook.access_token_id, webhook.secret_id, *(row.secret_id for row in webhook.headers.all())):
            if pk is not None:
                users[pk].add(webhook.name)
    secrets = Secret.objects.filter(team=team).select_related("created_by").order_by("name")
    return [(secret, sorted(users[secret.pk])) for secret in secrets]


def keys_of(user: User) -> QuerySet[ApiKey]:
    """The user's API keys that still work, the newest first."""
    return user.api_keys.filter(revoked_at=None).order_by("-created_at", "-pk")
