"""Who is in a registry, with which role. The client counts the people of a project's team as its members."""

from __future__ import annotations

from typing import Any, TypeVar

from ariadne import MutationType, ObjectType
from django.db.models import Model, QuerySet
from django.http import Http404
from graphql import GraphQLResolveInfo

from projects import people
from projects.models import Role, Team, TeamMember, User
from registries import roster
from registries.models import Registry, RegistryMember, RegistryTeam
from wandb_gateway import homes, ids, roles
from wandb_gateway.homes import Home
from wandb_gateway.refusals import Unsupported
from wandb_gateway.resolvers.entities import teams_shown_to

mutation = MutationType()
project = ObjectType("Project")
member = ObjectType("ProjectMember")
team_member = ObjectType("ProjectTeamMember")

Row = TypeVar("Row", bound=Model)
Input = dict[str, Any]
Done = dict[str, bool]
DONE: Done = {"success": True}


@project.field("members")
def members(found: Home, _info: GraphQLResolveInfo) -> list[RegistryMember | TeamMember]:
    memberships = found.memberships if isinstance(found, Registry) else found.team.memberships
    return list(memberships.select_related("user").order_by("user__username"))


@project.field("teamMembers")
def team_members(found: Home, info: GraphQLResolveInfo) -> list[RegistryTeam]:
    """The teams, as far as who asks may see them."""
    if not isinstance(found, Registry):
        return []
    rows = list(found.team_memberships.order_by("team__name"))
    shown = teams_shown_to(info.context.user).in_bulk([row.team_id for row in rows])
    for row in rows:
        if row.team_id in shown:
            row.team = shown[row.team_id]
    return [row for row in rows if row.team_id in shown]


@member.field("id")
def member_id(found: RegistryMember | TeamMember, _info: GraphQLResolveInfo) -> str:
    """The client takes a member for the user, and names them by this id."""
    return ids.encode("User", found.user_id)


@member.field("name")
def name(found: RegistryMember | TeamMember, _info: GraphQLResolveInfo) -> str:
    return found.user.get_full_name() or found.user.username


@member.field("username")
def username(found: RegistryMember | TeamMember, _info: GraphQLResolveInfo) -> str:
    return found.user.username


@member.field("email")
def email(found: RegistryMember | TeamMember, _info: GraphQLResolveInfo) -> str:
    return found.user.email


@member.field("role")
@team_member.field("role")
def role(found: RegistryMember | TeamMember | RegistryTeam, _info: GraphQLResolveInfo) -> dict[str, str]:
    return {"name": roles.word(found.role)}


@mutation.field("createProjectMembers")
def add(_root: None, info: GraphQLResolveInfo, input: Input) -> Done:
    asking: User = info.context.user
    registry = _registry(asking, input["projectId"])
    users = _all(people.known_to(asking), _users_in(input), "user")
    teams = _all(Team.objects.visible_to(asking), _teams_in(input), "team")
    roster.add(registry, users=users, teams=teams, role=Role.MEMBER, by=asking)
    return DONE


@mutation.field("deleteProjectMembers")
def remove(_root: None, info: GraphQLResolveInfo, input: Input) -> Done:
    asking: User = info.context.user
    registry = _registry(asking, input["projectId"])
    users = User.objects.filter(pk__in=_users_in(input))
    teams = Team.objects.filter(pk__in=_teams_in(input))
    roster.remove(registry, users=users, teams=teams, by=asking)
    return DONE


@mutation.field("updateProjectMember")
def change_role_of_user(_root: None, info: GraphQLResolveInfo, input: Input) -> Done:
    registry = _registry(info.context.user, input["projectId"])
    inside = User.objects.filter(registry_memberships__registry=registry)
    (user,) = _all(inside, {ids.number(input["userId"], "User")}, "member")
    roster.change_role(registry, user, role=roles.meant(input["userProjectRole"]), by=info.context.user)
    return DONE


@mutation.field("updateProjectTeamMember")
def change_role_of_team(_root: None, info: GraphQLResolveInfo, input: Input) -> Done:
    registry = _registry(info.context.user, input["projectId"])
    inside = Team.objects.filter(registry_memberships__registry=registry)
    (team,) = _all(inside, {_team_number(input["teamId"])}, "member")
    roster.change_role(registry, team, role=roles.meant(input["teamProjectRole"]), by=info.context.user)
    return DONE


def _registry(user: User, id: str) -> Registry:
    found = homes.numbered(user, id)
    if not isinstance(found, Registry):
        raise Unsupported(f"{found} has no members of its own: those of its team are. Change the team instead.")
    return found


def _users_in(input: Input) -> set[int]:
    return {ids.number(text, "User") for text in input.get("userIds") or []}


def _teams_in(input: Input) -> set[int]:
    return {_team_number(text) for text in input.get("teamIds") or []}


def _team_number(id: str) -> int:
    kind, number = ids.entity(id)
    if kind is not Team:
        raise Unsupported("An organization is in all of its registries already.")
    return number


def _all(rows: QuerySet[Row], numbers: set[int], what: str) -> list[Row]:
    """The rows with these keys, every one of them.

    Raises:
        Http404: one is missing, or not to be seen.
    """
    found = list(rows.filter(pk__in=numbers))
    if len(found) < len(numbers):
        raise Http404(f"There is no such {what}.")
    return found


BINDABLES = (mutation, project, member, team_member)
