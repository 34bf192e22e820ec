"""Members of a team: added by name, given another role, removed. A team keeps an admin."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from projects import teams
from projects.access import Permission, require
from projects.models import Role, Team, TeamMember, User


def add(team: Team, username: str, *, role: Role, by: User) -> TeamMember:
    """Make somebody who has an account a member of the team.

    Raises:
        ValidationError: nobody has this user name, they are a member already, or the team is a personal one.
        Http404, PermissionDenied: `by` may not.
    """
    require(by, Permission.EDIT_SETTINGS, team)
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise ValidationError(
            {"username": f"Nobody has the user name “{username}”. An operator of this server makes accounts."}
        )
    if TeamMember.objects.filter(team=team, user=user).exists():
        raise ValidationError({"username": f"{user} is a member of {team} already."})
    return teams.set_role(user, team=team, role=role)


def change_role(membership: TeamMember, *, role: Role, by: User) -> TeamMember:
    """Give a member another role.

    Raises:
        ValidationError: the team would be left without an admin.
        Http404, PermissionDenied: `by` may not.
    """
    require(by, Permission.EDIT_SETTINGS, membership.team)
    with transaction.atomic():
        if role is not Role.ADMIN:
            _keep_an_admin(membership)
        membership.role = role
        membership.save(update_fields=["role"])
    return membership


def remove(membership: TeamMember, *, by: User) -> None:
    """Take a member out of the team. What they made stays; automations act for the team (AZ3).

    Raises:
        ValidationError: the team would be left without an admin.
        Http404, PermissionDenied: `by` may not.
    """
    require(by, Permission.EDIT_SETTINGS, membership.team)
    with transaction.atomic():
        _keep_an_admin(membership)
        membership.delete()


def _keep_an_admin(membership: TeamMember) -> None:
    # The team's row is held, so that two admins who remove each other at once do not both succeed.
    team = Team.objects.select_for_update().get(pk=membership.team_id)
    others = TeamMember.objects.filter(team=team, role=Role.ADMIN).exclude(pk=membership.pk)
    if membership.role == Role.ADMIN and not others.exists():
        raise ValidationError(
            f"{membership.user} is the only admin of {team}. Make somebody else an admin first.", code="last_admin"
        )
