"""Who is in a registry beside the people of its organization: users and teams, each with a role there."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from projects import people
from projects.api.endpoints import Endpoint
from projects.api.pagination import ByName
from projects.models import Team
from registries import access, roster
from registries.access import Permission
from registries.api.serializers import RegistryMemberSerializer, RegistryRoleSerializer, RegistryTeamSerializer
from registries.models import Registry


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
        return self.page(roster.members_of(self.registry(path)), RegistryMemberSerializer)

    @extend_schema(summary="Let a user in", request=RegistryMemberSerializer, responses={201: RegistryMemberSerializer})
    def post(self, request: Request, **path: str) -> Response:
        """For admins of the registry. Who is in it already keeps their role."""
        registry = self.registry_to_change(path)
        fields = self.body(RegistryMemberSerializer)
        user = people.known_to(self.user).filter(username=fields["name"]).first()
        if user is None:
            raise ValidationError({"username": f"You know nobody of the user name “{fields['name']}” here."})
        roster.add(registry, users=[user], role=fields["role"], by=self.user)
        return Response(RegistryMemberSerializer(roster.member_named(registry, user.username)).data, status=201)


class OneRegistryMember(RegistryEndpoint):
    @extend_schema(summary="Change a member's role", request=RegistryRoleSerializer, responses=RegistryMemberSerializer)
    def patch(self, request: Request, **path: str) -> Response:
        """For admins of the registry."""
        registry = self.registry_to_change(path)
        row = roster.member_named(registry, path["member"])
        roster.change_role(registry, row.user, role=self.body(RegistryRoleSerializer)["role"], by=self.user)
        return Response(RegistryMemberSerializer(roster.member_named(registry, path["member"])).data)

    @extend_schema(summary="Remove a member", responses={204: None})
    def delete(self, request: Request, **path: str) -> Response:
        """For admins of the registry. What the user may do by their role in the organization stays."""
        registry = self.registry_to_change(path)
        roster.remove(registry, users=[roster.member_named(registry, path["member"]).user], by=self.user)
        return Response(status=204)


class RegistryTeams(RegistryEndpoint):
    pagination_class = ByName

    @extend_schema(summary="List a registry's teams", responses=RegistryTeamSerializer(many=True))
    def get(self, request: Request, **path: str) -> Response:
        """Teams with a role in the registry that you may see, by name."""
        return self.page(roster.teams_of(self.registry(path), self.user), RegistryTeamSerializer)

    @extend_schema(summary="Let a team in", request=RegistryTeamSerializer, responses={201: RegistryTeamSerializer})
    def post(self, request: Request, **path: str) -> Response:
        """For admins of the registry. A team that is in it already keeps its role."""
        registry = self.registry_to_change(path)
        fields = self.body(RegistryTeamSerializer)
        team = Team.objects.visible_to(self.user).filter(name=fields["name"]).first()
        if team is None:
            raise ValidationError({"team": f"There is no team “{fields['name']}”."})
        roster.add(registry, teams=[team], role=fields["role"], by=self.user)
        return Response(
            RegistryTeamSerializer(roster.team_named(registry, team.name, seen_by=self.user)).data, status=201
        )


class OneRegistryTeam(RegistryEndpoint):
    @extend_schema(summary="Change a team's role", request=RegistryRoleSerializer, responses=RegistryTeamSerializer)
    def patch(self, request: Request, **path: str) -> Response:
        """For admins of the registry."""
        registry = self.registry_to_change(path)
        row = roster.team_named(registry, path["member"], seen_by=self.user)
        roster.change_role(registry, row.team, role=self.body(RegistryRoleSerializer)["role"], by=self.user)
        return Response(RegistryTeamSerializer(roster.team_named(registry, path["member"], seen_by=self.user)).data)

    @extend_schema(summary="Remove a team", responses={204: None})
    def delete(self, request: Request, **path: str) -> Response:
        """For admins of the registry."""
        registry = self.registry_to_change(path)
        roster.remove(
            registry, teams=[roster.team_named(registry, path["member"], seen_by=self.user).team], by=self.user
        )
        return Response(status=204)
