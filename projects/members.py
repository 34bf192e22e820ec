"""Members of a team: added by name, given another role, removed. A team keeps an admin."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from projects import audit, teams
from projects.access import Permission, require
from projects.models import Role, Team, TeamMember, User


def people_of(team: Team) -> QuerySet[TeamMember]:
    """The memberships of people, by name: the team's service accounts have a list of their own."""
    return team.memberships.filter(user__service_of=None).select_related("user", "team").order_by("user__username")


def add(team: Team, username: str, *, role: Role, by: User) -> TeamMember:
    """Make somebody who has an account a member of the team.

    Raises:
        ValidationError: nobody has this user name, they are a member already, or the team is a personal one.
        Http404, PermissionDenied: `by` may not.
    """
    require(by, Permission.EDIT_SETTINGS, team)
    user = User.objects.filter(username=username, is_active=True, service_of=None).first()
    if user is None:
        raise ValidationError(
            {
                "username": _("Nobody has the user name “%(username)s”. An operator of this server makes accounts.")
                % {"username": username}
            }
        )
    if TeamMember.objects.filter(team=team, user=user).exists():
        raise ValidationError(
            {"username": _("%(user)s is a member of %(team)s already.") % {"user": user, "team": team}}
        )
    return teams.set_role(user, team=team, role=role, by=by)


def change_role(membership: TeamMember, *, role: Role, by: User) -> TeamMember:
    """Give a member another role.

    Raises:
        ValidationError: the team would be left without an admin.
        Http404, PermissionDenied: `by` may not.
    """
    require(by, Permission.EDIT_SETTINGS, membership.team)
    if role is Role.ADMIN and membership.user.service_of_id is not None:
        raise ValidationError({"role": _("A service account is no admin: whoever finds its key would be.")})
    with transaction.atomic():
        if role is not Role.ADMIN:
            _keep_an_admin(membership)
        was, membership.role = membership.role, role
        membership.save(update_fields=["role"])
        _record(membership, audit.Deed.CHANGED, by=by, before={"role": was}, after={"role": str(role)})
    return membership


def remove(membership: TeamMember, *, by: User) -> None:
    """Take a member out of the team. What they made stays; automations act for the team (AZ3).

    Raises:
        ValidationError: the team would be left without an admin.
        Http404, PermissionDenied: `by` may not.
    """
    require(by, Permission.EDIT_SETTINGS, membership.team)
    if membership.user.service_of_id is not None:
        raise ValidationError(_("%(user)s is a service account: close it instead.") % {"user": membership.user})
    with transaction.atomic():
        _keep_an_admin(membership)
        _record(membership, audit.Deed.REMOVED, by=by, before={"role": membership.role})
        membership.delete()


def _record(membership: TeamMember, deed: audit.Deed, *, by: User, **states: Any) -> None:
    user = membership.user
    audit.record(audit.MEMBER, deed, name=user.username, pk=user.pk, by=by, team=membership.team, **states)


def _keep_an_admin(membership: TeamMember) -> None:
    # The team's row is held, so that two admins who remove each other at once do not both succeed.
    team = Team.objects.select_for_update().get(pk=membership.team_id)
    others = TeamMember.objects.filter(team=team, role=Role.ADMIN).exclude(pk=membership.pk)
    if membership.role == Role.ADMIN and not others.exists():
        raise ValidationError(
            _("%(user)s is the only admin of %(team)s. Make somebody else an admin first.")
            % {"user": membership.user, "team": team},
            code="last_admin",
        )
