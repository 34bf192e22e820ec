"""Who is in a registry beside the people of its organization: users and teams, each with a role there."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F, QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from projects import people
from projects.api.endpoints import Endpoint
from projects.api.pagination import ByName
from projects.models import Team, User
from registries import access, roster
from registries.access import Permission
from registries.api.serializers import RegistryMemberSerializer, RegistryRoleSerializer, RegistryTeamSerializer
from registries.models import Registry, RegistryMember, RegistryTeam


def members_of(registry: Registry) -> QuerySet[RegistryMember]:
    """The users with a role of their own, each with their `name`."""
    return RegistryMember.objects.filter(registry=registry).select_related("user").annotate(name=F("user__username"))


def teams_of(registry: Registry, user: User) -> QuerySet[RegistryTeam]:
    """The teams with a role, as far as the user may see them, each with its `name`."""
    shown = Team.objects.visible_to(user)
    rows = RegistryTeam.objects.filter(registry=registry, team__in=shown)
    return rows.select_related("team").annotate(name=F("team__name"))


def _only(rows: QuerySet[Any], name: str) -> Any:
    found = rows.filter(name=name).first()
    if found is None:
        raise Http404(f"“{name}” is not in the registry.")
    return found


class RegistryEndpoint(Endpoint):
    def registry(self, path: dict[str, str]) -> Registry:
        """The registry of the path, for somebody who may see it."""
        return access.registry_for(self.user, path["organization"], path["registry"])

    def registry_to_change(self, path: dict[str, str]) -> Registry:
        """The registry of the path, for one of its admins."""
        found = self.registry(path)
        access.require(self.user, Permission.EDIT_SETTINGS, found)
        return found


class RegistryMembers(RegistryEndpoint):
    pagination_class = ByName

    @extend_schema(summary="List a registry's members", responses=RegistryMemberSerializer(many=True))
    def get(self, request: Request, **path: str) -> Response:
        """Users with a role of their own in the registry, by name."""
        return self.page(members_of(self.registry(path)), RegistryMemberSerializer)

    @extend_schema(summary="Let a user in", request=RegistryMemberSerializer, responses={201: RegistryMemberSerializer})
    def post(self, request: Request, **path: str) -> Response:
        """For admins of the registry. Who is in it already keeps their role."""
        registry = self.registry_to_change(path)
        fields = self.body(RegistryMemberSerializer)
        user = people.known_to(self.user).filter(username=fields["name"]).first()
        if user is None:
            raise ValidationError({"username": f"You know nobody of the user name “{fields['name']}” here."})
        roster.add(registry, users=[user], role=fields["role"], by=self.user)
        return Response(RegistryMemberSerializer(_only(members_of(registry), user.username)).data, status=201)


class OneRegistryMember(RegistryEndpoint):
    @extend_schema(summary="Change a member's role", request=RegistryRoleSerializer, responses=RegistryMemberSerializer)
    def patch(self, request: Request, **path: str) -> Response:
        """For admins of the registry."""
        registry = self.registry_to_change(path)
        row = _only(members_of(registry), path["member"])
        roster.change_role(registry, row.user, role=self.body(RegistryRoleSerializer)["role"], by=self.user)
        return Response(RegistryMemberSerializer(_only(members_of(registry), path["member"])).data)

    @extend_schema(summary="Remove a member", responses={204: None})
    def delete(self, request: Request, **path: str) -> Response:
        """For admins of the registry. What the user may do by their role in the organization stays."""
        registry = self.registry_to_change(path)
        roster.remove(registry, users=[_only(members_of(registry), path["member"]).user], by=self.user)
        return Response(status=204)


class RegistryTeams(RegistryEndpoint):
    pagination_class = ByName

    @extend_schema(summary="List a registry's teams", responses=RegistryTeamSerializer(many=True))
    def get(self, request: Request, **path: str) -> Response:
        """Teams with a role in the registry that you may see, by name."""
        return self.page(teams_of(self.registry(path), self.user), RegistryTeamSerializer)

    @extend_schema(summary="Let a team in", request=RegistryTeamSerializer, responses={201: RegistryTeamSerializer})
    def post(self, request: Request, **path: str) -> Response:
        """For admins of the registry. A team that is in it already keeps its role."""
        registry = self.registry_to_change(path)
        fields = self.body(RegistryTeamSerializer)
        team = Team.objects.visible_to(self.user).filter(name=fields["name"]).first()
        if team is None:
            raise ValidationError({"team": f"There is no team “{fields['name']}”."})
        roster.add(registry, teams=[team], role=fields["role"], by=self.user)
        return Response(RegistryTeamSerializer(_only(teams_of(registry, self.user), team.name)).data, status=201)


class OneRegistryTeam(RegistryEndpoint):
    @extend_schema(summary="Change a team's role", request=RegistryRoleSerializer, responses=RegistryTeamSerializer)
    def patch(self, request: Request, **path: str) -> Response:
        """For admins of the registry."""
        registry = self.registry_to_change(path)
        row = _only(teams_of(registry, self.user), path["member"])
        roster.change_role(registry, row.team, role=self.body(RegistryRoleSerializer)["role"], by=self.user)
        return Response(RegistryTeamSerializer(_only(teams_of(registry, self.user), path["member"])).data)

    @extend_schema(summary="Remove a team", responses={204: None})
    def delete(self, request: Request, **path: str) -> Response:
        """For admins of the registry."""
        registry = self.registry_to_change(path)
        roster.remove(registry, teams=[_only(teams_of(registry, self.user), path["member"]).team], by=self.user)
        return Response(status=204)
