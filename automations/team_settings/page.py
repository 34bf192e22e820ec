"""The page of a team's settings: members, integrations, secrets, and the API keys of whoever looks at it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from csp.decorators import csp_update
from django.contrib.auth.decorators import login_required
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from automations import readymade
from automations.access import may_edit as may_automate
from automations.models import Automation, Execution, ReasonCode, SlackChannel, SlackWorkspace, Webhook
from automations.slack import oauth
from automations.team_settings import budgets
from automations.uses import Use, uses_in
from projects import audit, invitations, members, service_accounts
from projects.access import Permission, may, require, role_in_organization, team_for
from projects.models import ApiKey, Role, Team, User
from projects.pages import PageRequest
from secrets_vault.models import Secret

Target = TypeVar("Target", Webhook, SlackChannel)
SECTIONS = (
    ("members", gettext_lazy("Members")),
    ("service-accounts", gettext_lazy("Service accounts")),
    ("webhooks", gettext_lazy("Webhooks")),
    ("slack", "Slack"),
    ("alerts", _("Alerts")),
    ("automations", gettext_lazy("Automations")),
    ("secrets", gettext_lazy("Team secrets")),
    ("language", _("Language")),
    ("limits", _("Limits and budgets")),
    ("keys", gettext_lazy("Your API keys")),
)
AUDIT = ("audit", gettext_lazy("Audit log"))
CHANGES_SHOWN = 5


@login_required
@require_safe
def show(request: PageRequest, team: str) -> HttpResponse:
    """Every member sees it; who may not change it gets no buttons."""
    found = team_for(request.user, team)
    webhooks, channels = webhooks_of(found, viewer=request.user), channels_of(found, viewer=request.user)
    may_edit = may(request.user, Permission.EDIT_SETTINGS, found)
    sections = (*SECTIONS, AUDIT) if may_edit else SECTIONS
    workspaces = workspaces_of(found)
    context: dict[str, Any] = {
        "team": found,
        "sections": [{"label": label, "url": f"#{anchor}"} for anchor, label in sections],
        "may_edit": may_edit,
        "members": members.people_of(found),
        "accounts": service_accounts.of_team(found),
        "webhooks": webhooks,
        "channels": channels,
        "workspaces": workspaces,
        "slack_app": oauth.is_offered(),
        "wide": {
            "team": Automation.objects.filter(team=found).count(),
            "organization": Automation.objects.filter(organization=found.organization).count()
            if found.organization
            else 0,
        },
        "secrets": secrets_of(found, viewer=request.user),
        "keys": keys_of(request.user),
    }
    context |= {"alerts": readymade.rows(found, reader=request.user), "may_automate": may_automate(request.user, found)}
    context |= budgets.context_of(found, channels, viewer=request.user, at=timezone.now())
    if may_edit:
        context |= _newest_changes(found, request.user)
        context["invitations"] = invitations.open_ones(found, at=timezone.now())
    answer = render(request, "automations/settings/page.html", context)
    if oauth.is_offered():
        # The button “Connect Slack” is a form that leads there.
        csp_update({"form-action": [oauth.origin()]})(lambda _: answer)(request)
    return answer


def _newest_changes(team: Team, reader: User) -> dict[str, Any]:
    newest = audit.of_team(team, reader=reader)[:CHANGES_SHOWN]
    return {
        "audit_rows": [(record, audit.differences(record)) for record in newest],
        "may_read_organization": role_in_organization(reader, team.organization) is Role.ADMIN,
    }


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
    """The team's webhooks with `automation_count`, `last_at` of the newest execution, and its `last_key`
    where the viewer may see it."""
    found = Webhook.objects.filter(team=team).select_related("access_token", "secret", "team")
    found = found.defer("access_token__value", "secret__value")
    return _with_use(found.prefetch_related("headers__secret").order_by("name"), "webhook", viewer=viewer)


def channels_of(team: Team, *, viewer: User) -> Sequence[SlackChannel]:
    """The team's Slack channels, with the same about their use."""
    found = SlackChannel.objects.filter(team=team).select_related("team").order_by("channel")
    return _with_use(found, "slack_channel", viewer=viewer)


def workspaces_of(team: Team) -> list[SlackWorkspace]:
    """The Slack workspaces the team is connected to, each with its `channel_count`."""
    found = SlackWorkspace.objects.filter(team=team).annotate(channel_count=Count("channels"))
    return list(found.order_by("name", "pk"))


def _with_use(rows: QuerySet[Target], field: str, *, viewer: User) -> Sequence[Target]:
    # What was only rehearsed, or was one too many, used nothing.
    used = Execution.objects.filter(**{field: OuterRef("pk")}, shadow=False).exclude(reason_code=ReasonCode.RATE_LIMIT)
    last = used.order_by("-pk")
    found = list(
        rows.annotate(
            automation_count=Count("automations"),
            last_pk=Subquery(last.values("pk")[:1]),
            last_at=Subquery(last.values("created_at")[:1]),
        )
    )
    shown = [row.last_pk for row in found if row.last_pk]
    keys = dict(Execution.objects.visible_to(viewer).filter(pk__in=shown).values_list("pk", "key"))
    for row in found:
        row.last_key = keys.get(row.last_pk)  # type: ignore[attr-defined]  # shown by the page
    return found


def secrets_of(team: Team, *, viewer: User) -> list[tuple[Secret, list[Use]]]:
    """The team's secrets, each with what uses it. Values stay sealed."""
    rows = Secret.objects.filter(team=team).with_overlap(at=timezone.now())
    found = list(rows.select_related("created_by").order_by("name"))
    uses = uses_in(team, secrets=found, reader=viewer)
    return [(secret, uses.get(secret.pk, [])) for secret in found]


def keys_of(user: User) -> QuerySet[ApiKey]:
    """The user's API keys that still work, the newest first."""
    return user.api_keys.filter(revoked_at=None).order_by("-created_at", "-pk")
