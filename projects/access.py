"""The only door to tenant data: who may see what, and who may do what (spec §8).

What one may not see does not exist (`Http404`); what one may see but not do is refused with a sentence
(`PermissionDenied`). Query sets have the same rules as `.visible_to(user)`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from projects.models import Organization, OrganizationMember, Project, Role, Run, Team, TeamMember

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from projects.models import User


class Permission(StrEnum):
    """Things one may do in a team. The values complete the sentence “You may not …”, in English."""

    LOG = gettext_noop("log runs and artifacts")
    EDIT_AUTOMATIONS = gettext_noop("create, edit or delete automations")
    EDIT_SETTINGS = gettext_noop("change webhooks, secrets or members")
    EDIT_PROJECTS = gettext_noop("rename or delete projects")
    REDELIVER = gettext_noop("redeliver, try or cancel executions")


NEEDED_ROLE = {
    Permission.LOG: Role.MEMBER,
    Permission.EDIT_AUTOMATIONS: Role.ADMIN,
    Permission.EDIT_SETTINGS: Role.ADMIN,
    Permission.EDIT_PROJECTS: Role.ADMIN,
    Permission.REDELIVER: Role.ADMIN,
}


def role_in_organization(user: User | AnonymousUser, organization: Organization | None) -> Role | None:
    """The user's role in the organization; instance admins are admins of every one."""
    if not user.is_authenticated or organization is None:
        return None
    if user.is_superuser:
        return Role.ADMIN
    role = (
        OrganizationMember.objects.filter(organization=organization, user=user).values_list("role", flat=True).first()
    )
    return Role(role) if role else None


def role_in(user: User | AnonymousUser, team: Team) -> Role | None:
    """The user's role in the team; admins of its organization and of the instance are admins of every team."""
    if not user.is_authenticated:
        return None
    if user.is_superuser:
        return Role.ADMIN
    role = TeamMember.objects.filter(team=team, user=user).values_list("role", flat=True).first()
    if role != Role.ADMIN and role_in_organization(user, team.organization) is Role.ADMIN:
        return Role.ADMIN
    return Role(role) if role else None


def may(user: User | AnonymousUser, permission: Permission, team: Team) -> bool:
    """Whether the user may do this in the team."""
    role = role_in(user, team)
    return role is not None and _allows(role, permission, team)


def _allows(role: Role, permission: Permission, team: Team) -> bool:
    needed = NEEDED_ROLE[permission]
    if permission is Permission.EDIT_AUTOMATIONS and team.members_edit_automations:
        needed = Role.MEMBER
    return role.rank >= needed.rank


def require(user: User | AnonymousUser, permission: Permission, team: Team) -> None:
    """Let pass who may do this in the team.

    Raises:
        Http404: the user may not even see the team.
        PermissionDenied: with a sentence for the user.
    """
    role = role_in(user, team)
    if role is None:
        raise Http404(_("There is no team “%(team)s”.") % {"team": team})
    if not _allows(role, permission, team):
        raise _refusal(role, permission, team)


def _refusal(role: Role, permission: Permission, team: Team) -> PermissionDenied:
    refusal = _("You may not %(permission)s in %(team)s: your role there is %(role)s. Ask a member of the team.")
    if NEEDED_ROLE[permission] is Role.ADMIN:
        refusal = _("You may not %(permission)s in %(team)s: your role there is %(role)s. Ask a team admin.")
    return PermissionDenied(refusal % {"permission": _(permission.value), "team": team, "role": role.label.lower()})


def team_for(user: User | AnonymousUser, name: str) -> Team:
    """The team of this name.

    Raises:
        Http404: there is none the user may see.
    """
    team = Team.objects.visible_to(user).select_related("organization").filter(name=name).first()
    if team is None:
        raise Http404(_("There is no team “%(name)s”.") % {"name": name})
    return team


def entity_for(user: User | AnonymousUser, name: str) -> Team | Organization:
    """The team of this name, which may be a personal one, or else the organization: they share one namespace.

    Raises:
        Http404: there is none the user may see.
    """
    if "\x00" in name:  # which PostgreSQL cannot even be asked for
        raise Http404(_("There is no entity of this name."))
    team = Team.objects.visible_to(user).select_related("organization", "owner").filter(name=name).first()
    found = team or Organization.objects.visible_to(user).filter(name=name).first()
    if found is None:
        raise Http404(_("There is no entity “%(name)s”.") % {"name": name})
    return found


def project_for(user: User | AnonymousUser, team: str, project: str) -> Project:
    """The project of this name in the team.

    Raises:
        Http404: there is none the user may see.
    """
    found = (
        Project.objects.visible_to(user)
        .select_related("team__organization")
        .filter(team__name=team, name=project)
        .first()
    )
    if found is None:
        raise Http404(_("There is no project “%(team)s/%(project)s”.") % {"team": team, "project": project})
    return found


def run_for(user: User | AnonymousUser, team: str, project: str, run_id: str) -> Run:
    """The run with this id in the project.

    Raises:
        Http404: there is none the user may see.
    """
    return _run_and_role(user, team, project, run_id)[0]


def run_to_log_to(user: User | AnonymousUser, team: str, project: str, run_id: str) -> Run:
    """The same for somebody who may log to it.

    Raises:
        Http404: there is none the user may see.
        PermissionDenied: they may not log there; with a sentence for them.
    """
    run, role = _run_and_role(user, team, project, run_id)
    if not _allows(role, Permission.LOG, run.project.team):
        raise _refusal(role, Permission.LOG, run.project.team)
    return run


def _run_and_role(user: User | AnonymousUser, team: str, project: str, run_id: str) -> tuple[Run, Role]:
    found = (
        Run.objects.select_related("project__team__organization", "user")
        .filter(project__team__name=team, project__name=project, run_id=run_id)
        .order_by()
        .first()
    )
    # Asked apart: scripts come through here, and as part of the statement it costs twice as much.
    role = None if found is None else role_in(user, found.project.team)
    if found is None or role is None:
        raise Http404(
            _("There is no run “%(run_id)s” in %(team)s/%(project)s.")
            % {"run_id": run_id, "team": team, "project": project}
        )
    return found, role


def run_numbered(user: User | AnonymousUser, number: int) -> Run:
    """The run with this primary key, for addresses that say nothing else.

    Raises:
        Http404: there is none the user may see.
    """
    found = Run.objects.visible_to(user).select_related("project__team__organization", "user").filter(pk=number).first()
    if found is None:
        raise Http404(_("There is no such run any more."))
    return found
