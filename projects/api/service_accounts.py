"""Service accounts of a team and their API keys: listed for its members, made and ended by its admins."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from projects import access, members, service_accounts
from projects.access import Permission
from projects.api.endpoints import Endpoint, Text
from projects.api.pagination import ByName
from projects.models import ApiKey, Role, TeamMember, User
from projects.names import NAME_LENGTH

ACCOUNT = {"name": "research-ci", "role": "member", "created_at": "2026-05-04T09:30:00Z"}
KEY = {
    "id": 12,
    "hint": "c0de",
    "name": "nightly",
    "created_at": "2026-05-04T09:30:00Z",
    "last_used_at": "2026-05-04T10:00:00Z",
}


@extend_schema_serializer(examples=[OpenApiExample("A service account", value=ACCOUNT)])
class ServiceAccountSerializer(serializers.ModelSerializer[TeamMember]):
    name = serializers.CharField(source="user.username")
    role = serializers.ChoiceField(choices=Role.choices)
    created_at = serializers.DateTimeField(source="user.date_joined")

    class Meta:
        model = TeamMember
        fields = list(ACCOUNT)


@extend_schema_serializer(
    examples=[OpenApiExample("A service account", value={"name": "research-ci", "role": "member"})]
)
class NewServiceAccountSerializer(serializers.Serializer):
    name = Text(max_length=NAME_LENGTH, help_text="One of a kind on the server, as names of users are.")
    role = serializers.ChoiceField(choices=Role.choices, default=Role.MEMBER.value, help_text="Member or view-only.")


@extend_schema_serializer(examples=[OpenApiExample("Another role", value={"role": "view-only"})])
class ServiceRoleSerializer(serializers.Serializer):
    role = serializers.ChoiceField(choices=Role.choices, help_text="Member or view-only.")


@extend_schema_serializer(examples=[OpenApiExample("A key", value=KEY)])
class ServiceKeySerializer(serializers.ModelSerializer[ApiKey]):
    class Meta:
        model = ApiKey
        fields = list(KEY)


@extend_schema_serializer(examples=[OpenApiExample("A new key", value={"name": "nightly"})])
class NewServiceKeySerializer(serializers.Serializer):
    name = Text(max_length=128, default="", allow_blank=True, help_text="What it is for.")


@extend_schema_serializer(
    examples=[OpenApiExample("A key, shown this once", value={**KEY, "last_used_at": None, "key": "local-…"})]
)
class MadeServiceKeySerializer(ServiceKeySerializer):
    key = serializers.CharField(help_text="The key itself: it is not kept and never shown again.")

    class Meta(ServiceKeySerializer.Meta):
        fields = [*KEY, "key"]


def account_to_change(user: User, team: str, name: str) -> TeamMember:
    """The team's service account of this name, for an admin of the team.

    Raises:
        Http404, PermissionDenied: it is not to be seen, or the user may not change it.
    """
    found = access.team_for(user, team)
    account = service_accounts.named(found, name)
    access.require(user, Permission.EDIT_SETTINGS, found)
    return account


class ServiceAccounts(Endpoint):
    pagination_class = ByName

    @extend_schema(summary="List service accounts", responses=ServiceAccountSerializer(many=True))
    def get(self, request: Request, team: str) -> Response:
        """The team's service accounts, by name."""
        return self.page(service_accounts.of_team(access.team_for(self.user, team)), ServiceAccountSerializer)

    @extend_schema(
        summary="Create a service account",
        request=NewServiceAccountSerializer,
        responses={201: ServiceAccountSerializer},
    )
    def post(self, request: Request, team: str) -> Response:
        """For admins of the team. It can do nothing until it has a key."""
        found = access.team_for(self.user, team)
        fields = self.body(NewServiceAccountSerializer)
        made = service_accounts.create(found, fields["name"], role=Role(fields["role"]), by=self.user)
        return Response(ServiceAccountSerializer(made).data, status=201)


class OneServiceAccount(Endpoint):
    @extend_schema(
        summary="Change a service account's role", request=ServiceRoleSerializer, responses=ServiceAccountSerializer
    )
    def patch(self, request: Request, team: str, name: str) -> Response:
        """For admins of the team: member or view-only."""
        account = account_to_change(self.user, team, name)
        role = Role(self.body(ServiceRoleSerializer)["role"])
        return Response(ServiceAccountSerializer(members.change_role(account, role=role, by=self.user)).data)

    @extend_schema(summary="Close a service account", responses={204: None})
    def delete(self, request: Request, team: str, name: str) -> Response:
        """Ends all its keys at once. What it logged stays."""
        service_accounts.close(account_to_change(self.user, team, name).user, by=self.user, at=timezone.now())
        return Response(status=204)


class ServiceKeys(Endpoint):
    @extend_schema(summary="List a service account's keys", responses=ServiceKeySerializer(many=True))
    def get(self, request: Request, team: str, name: str) -> Response:
        """Those that work, by their last characters; for admins of the team."""
        account = account_to_change(self.user, team, name).user
        return self.page(account.api_keys.filter(revoked_at=None), ServiceKeySerializer)

    @extend_schema(
        summary="Create a service account's key",
        request=NewServiceKeySerializer,
        responses={201: MadeServiceKeySerializer},
    )
    def post(self, request: Request, team: str, name: str) -> Response:
        """The answer shows the key, this once."""
        account = account_to_change(self.user, team, name).user
        row, key = service_accounts.create_key(account, by=self.user, **self.body(NewServiceKeySerializer))
        shown: dict[str, Any] = {**ServiceKeySerializer(row).data, "key": key}
        return Response(shown, status=201)


class OneServiceKey(Endpoint):
    @extend_schema(summary="Revoke a service account's key", responses={204: None})
    def delete(self, request: Request, team: str, name: str, pk: int) -> Response:
        """It stops working at once."""
        account = account_to_change(self.user, team, name).user
        key = account.api_keys.filter(pk=pk, revoked_at=None).first()
        if key is None:
            raise Http404(f"{account} has no such API key.")
        service_accounts.revoke_key(key, by=self.user, at=timezone.now())
        return Response(status=204)
