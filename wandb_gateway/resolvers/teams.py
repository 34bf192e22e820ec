"""Teams from Python: made, and given members. What this server does in another way is refused with how."""

from __future__ import annotations

from typing import Any, NoReturn

from ariadne import MutationType, ObjectType
from django.core.exceptions import BadRequest
from django.http import Http404
from django.utils import timezone
from graphql import GraphQLResolveInfo

from projects import access, members, people, teams
from projects.models import Organization, OrganizationMember, Role, Team, TeamMember, User
from wandb_gateway import ids
from wandb_gateway.refusals import Unsupported

mutation = MutationType()
invite = ObjectType("Invite")


@mutation.field("createTeam")
def create(_root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Team]:
    user: User = info.context.user
    organization = _organization_for_teams(user, input.get("organizationId"))
    admin = input.get("teamAdminUserName")
    team = teams.open_team(
        input["teamName"], organization=organization, by=user, admin=_known(user, admin) if admin else None
    )
    return {"entity": team}


def _organization_for_teams(user: User, id: str | None) -> Organization:
    """The organization named, or the only one the user administers: the client names none.

    Raises:
        UnknownId, Http404, BadRequest: it cannot be told which.
    """
    visible = Organization.objects.visible_to(user)
    if id is not None:
        organization = visible.filter(pk=ids.number(id, "Organization")).first()
        if organization is None:
            raise Http404("There is no such organization.")
        return organization
    own = OrganizationMember.objects.filter(user=user, role=Role.ADMIN).values("organization")
    administered = list(visible.filter(pk__in=own)[:2])
    if len(administered) == 1:
        return administered[0]
    raise BadRequest(
        "Teams are made by an admin of the organization they belong to; you administer none."
        if not administered
        else "You administer more than one organization: say in which the team is to be, by “organizationId”."
    )


def _known(user: User, name: str) -> User:
    found = people.known_to(user).filter(username=name).first() if "\x00" not in name else None
    if found is None:
        raise Http404(f"There is no user “{name}” among the people you know here.")
    return found


@mutation.field("createInvite")
def add_member(_root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, TeamMember]:
    """Nobody is asked whether they want to: whoever has an account is a member at once."""
    team = access.team_for(info.context.user, input["entityName"])
    name = input.get("username")
    if not name:
        access.require(info.context.user, access.Permission.EDIT_SETTINGS, team)
        name = people.with_email(input.get("email") or "").username
    role = Role.ADMIN if input.get("admin") else Role.MEMBER
    return {"invite": members.add(team, name, role=role, by=info.context.user)}


@mutation.field("deleteInvite")
def remove_member(_root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, bool]:
    team = access.team_for(info.context.user, input.get("entityName") or "")
    found = team.memberships.filter(pk=ids.number(input.get("id") or "", "TeamMember")).first()
    if found is None:
        raise Http404(f"There is no such member in {team}.")
    members.remove(found, by=info.context.user)
    return {"success": True}


@mutation.field("createServiceAccount")
def create_service_account(_root: None, _info: GraphQLResolveInfo, input: dict[str, Any]) -> NoReturn:
    raise Unsupported(
        "This server has no service accounts. An operator makes a user for scripts, with an API key, by"
        " “manage.py provision --user NAME --team TEAM --api-key”."
    )


@mutation.field("createUser")
def create_user(_root: None, _info: GraphQLResolveInfo, input: dict[str, Any]) -> NoReturn:
    raise Unsupported(
        "Accounts are made by an operator of this server, in the admin pages or by “manage.py provision --user NAME”."
    )


@invite.field("id")
def invite_id(found: TeamMember, _info: GraphQLResolveInfo) -> str:
    return ids.encode("TeamMember", found.pk)


@invite.field("name")
def invited(found: TeamMember, _info: GraphQLResolveInfo) -> str:
    return found.user.username


@invite.field("email")
def email(found: TeamMember, _info: GraphQLResolveInfo) -> str:
    return found.user.email


@invite.field("createdAt")
def created_at(_found: TeamMember, _info: GraphQLResolveInfo) -> Any:
    return timezone.now()


@invite.field("toUser")
def to_user(found: TeamMember, _info: GraphQLResolveInfo) -> User:
    return found.user


BINDABLES = (mutation, invite)
