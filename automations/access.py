"""The door to automations, integrations and executions, with the same rules as `projects.access`."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404
from django.utils.translation import gettext as _

from automations.models import Automation, AutomationVersion, Execution, Redelivery, SlackChannel, Webhook
from projects import access as projects_access
from projects.models import Organization, Project, Role, Team, TeamMember
from registries import access as registries_access
from registries.models import Collection, Registry

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.db.models import QuerySet

    from projects.models import User

Scope = Organization | Team | Project | Registry | Collection
# What the name of an automation's scope takes, and what its page shows.
SCOPES = (
    "organization",
    "team__organization",
    "project__team__organization",
    "registry__organization",
    "collection__project__team__organization",
    "collection__registry__organization",
)
WITH_SCOPES = (*SCOPES, "webhook__team", "slack_channel__team", "created_by", "rearmed_by")


def automation_for(user: User | AnonymousUser, pk: int) -> Automation:
    """The automation with this number.

    Raises:
        Http404: there is none the user may see.
    """
    found = Automation.objects.visible_to(user).select_related(*WITH_SCOPES).filter(pk=pk).first()
    if found is None:
        raise Http404(_("There is no automation %(pk)s.") % {"pk": pk})
    return found


def version_for(automation: Automation, number: int) -> AutomationVersion:
    """The version with this number of an automation that the user was found to see.

    Raises:
        Http404: it has none.
    """
    found = automation.versions.select_related("created_by").filter(number=number).first()
    if found is None:
        raise Http404(_("“%(automation)s” has no version %(number)s.") % {"automation": automation, "number": number})
    return found


def execution_for(user: User | AnonymousUser, key: uuid.UUID) -> Execution:
    """The execution with this key, with its event and attempts.

    Raises:
        Http404: there is none the user may see.
    """
    found = (
        Execution.objects.visible_to(user)
        .select_related(
            "automation__collection",
            "event__actor",
            "event__run__project__team",
            "event__artifact__collection__project__team",
            "project__team",
            "registry__organization",
            "webhook__team",
            "slack_channel__team",
            "origin",
            "redelivery__asked_by",
            "digest",
        )
        .prefetch_related("attempts")
        .filter(key=key)
        .first()
    )
    if found is None:
        raise Http404(_("There is no execution %(key)s.") % {"key": key})
    return found


def redelivery_for(user: User | AnonymousUser, key: uuid.UUID) -> Redelivery:
    """The redelivery with this key.

    Raises:
        Http404: there is none the user may see.
    """
    found = (
        Redelivery.objects.visible_to(user)
        .select_related("project__team", "registry__organization", "asked_by", "cancelled_by")
        .filter(key=key)
        .first()
    )
    if found is None:
        raise Http404(_("There is no redelivery %(key)s.") % {"key": key})
    return found


def may_redeliver(user: User | AnonymousUser, home: Project | Registry) -> bool:
    """Whether the user may redeliver, try and cancel executions of this project or registry."""
    if isinstance(home, Registry):
        return registries_access.may(user, registries_access.Permission.REDELIVER, home)
    return projects_access.may(user, projects_access.Permission.REDELIVER, home.team)


def require_redeliver(user: User | AnonymousUser, home: Project | Registry) -> None:
    """Let pass who may redeliver, try and cancel executions of this project or registry.

    Raises:
        Http404: the user may not even see it.
        PermissionDenied: with a sentence for the user.
    """
    if isinstance(home, Registry):
        registries_access.require(user, registries_access.Permission.REDELIVER, home)
    else:
        projects_access.require(user, projects_access.Permission.REDELIVER, home.team)


def webhook_for(user: User | AnonymousUser, team: Team, name: str) -> Webhook:
    """The team's webhook of this name.

    Raises:
        Http404: there is none the user may see.
    """
    found = (
        Webhook.objects.visible_to(user)
        .select_related("team", "access_token", "secret")
        .defer("access_token__value", "secret__value")
        .prefetch_related("headers__secret")
        .filter(team=team, name=name)
        .first()
    )
    if found is None:
        raise Http404(_("There is no webhook “%(name)s” in %(team)s.") % {"name": name, "team": team})
    return found


def slack_channel_for(user: User | AnonymousUser, team: Team, channel: str) -> SlackChannel:
    """The team's Slack channel of this name, its credential sealed.

    Raises:
        Http404: there is none the user may see.
    """
    found = (
        SlackChannel.objects.visible_to(user)
        .select_related("team")
        .filter(team=team, channel=channel.lstrip("#"))
        .first()
    )
    if found is None:
        raise Http404(_("%(team)s has no Slack channel “%(channel)s”.") % {"team": team, "channel": channel})
    return found


def may_edit(user: User | AnonymousUser, scope: Scope) -> bool:
    """Whether the user may create, edit and delete automations of this scope."""
    try:
        require_edit(user, scope)
    except (PermissionDenied, Http404):
        return False
    return True


def require_edit(user: User | AnonymousUser, scope: Scope) -> None:
    """Let pass who may create, edit and delete automations of this scope.

    Raises:
        Http404: the user may not even see it.
        PermissionDenied: with a sentence for the user.
    """
    if isinstance(scope, Collection):
        require_edit(user, scope.registry or scope.project)  # type: ignore[arg-type]  # one of both is set
    elif isinstance(scope, Registry):
        registries_access.require(user, registries_access.Permission.EDIT_AUTOMATIONS, scope)
    elif isinstance(scope, Organization):
        _require_organization(user, scope)
    else:
        team = scope if isinstance(scope, Team) else scope.team
        projects_access.require(user, projects_access.Permission.EDIT_AUTOMATIONS, team)


def _require_organization(user: User | AnonymousUser, organization: Organization) -> None:
    role = projects_access.role_in_organization(user, organization)
    if role is None and not Organization.objects.visible_to(user).filter(pk=organization.pk).exists():
        raise Http404(_("There is no organization “%(organization)s”.") % {"organization": organization})
    if role is not Role.ADMIN:
        raise PermissionDenied(
            _("Only admins of the organization %(organization)s may change automations that cover all of it.")
            % {"organization": organization}
        )


def webhooks_usable_by(user: User | AnonymousUser, scope: Scope) -> QuerySet[Webhook]:
    """Webhooks an automation of this scope may call: those of the scope's own team, and those of teams the user is an
    admin of (AC3)."""
    usable = Webhook.objects.visible_to(user).filter(_of_usable_teams(user, scope))
    return usable.select_related("team").order_by("team__name", "name")


def slack_channels_usable_by(user: User | AnonymousUser, scope: Scope) -> QuerySet[SlackChannel]:
    """Slack channels an automation of this scope may post to, by the same rule."""
    usable = SlackChannel.objects.visible_to(user).filter(_of_usable_teams(user, scope))
    return usable.select_related("team").order_by("team__name", "channel")


def _of_usable_teams(user: User | AnonymousUser, scope: Scope) -> Q:
    usable = Q(team__in=administered_teams(user))
    team = team_of(scope)
    return usable | Q(team=team) if team is not None else usable


def administered_teams(user: User | AnonymousUser) -> QuerySet[Team]:
    """Teams whose admin the user is, by membership, organization or instance."""
    teams = Team.objects.visible_to(user)
    if not user.is_authenticated or user.is_superuser:
        return teams
    member = TeamMember.objects.filter(user=user)
    # Visible without being a member means by the organization's admin role.
    return teams.filter(
        Q(pk__in=member.filter(role=Role.ADMIN).values("team"))
        | Q(organization__memberships__user=user, organization__memberships__role=Role.ADMIN)
    ).distinct()


def team_of(scope: Scope) -> Team | None:
    """The team a scope belongs to; registries and organizations belong to none."""
    if isinstance(scope, Collection):
        return scope.project.team if scope.project else None
    if isinstance(scope, Project):
        return scope.team
    return scope if isinstance(scope, Team) else None
