"""Invitations to a team: made, listed and taken back by its admins. They are accepted on their page, by people."""

from __future__ import annotations

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from projects import access, invitations
from projects.access import Permission
from projects.api.endpoints import Endpoint
from projects.models import Invitation, Role, Team

INVITATION = {
    "id": 3,
    "email": "dana@example.com",
    "role": "member",
    "invited_by": "alice",
    "created_at": "2026-05-04T09:30:00Z",
    "expires_at": "2026-05-11T09:30:00Z",
}


@extend_schema_serializer(examples=[OpenApiExample("An invitation", value=INVITATION)])
class InvitationSerializer(serializers.ModelSerializer[Invitation]):
    invited_by = serializers.CharField(source="invited_by.username", default=None, allow_null=True)

    class Meta:
        model = Invitation
        fields = list(INVITATION)


@extend_schema_serializer(examples=[OpenApiExample("By mail", value={"email": "dana@example.com", "role": "member"})])
class NewInvitationSerializer(serializers.Serializer):
    email = serializers.EmailField(default="", allow_blank=True, help_text="Where the link is sent, if mail is set up.")
    role = serializers.ChoiceField(choices=Role.choices, default=Role.MEMBER.value)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "An invitation, its link shown this once",
            value={**INVITATION, "link": "https://automations.example.com/accounts/join/…", "mailed": True},
        )
    ]
)
class MadeInvitationSerializer(InvitationSerializer):
    link = serializers.CharField(help_text="It is not kept and never shown again.")
    mailed = serializers.BooleanField(help_text="Whether the mail server took it.")

    class Meta(InvitationSerializer.Meta):
        fields = [*INVITATION, "link", "mailed"]


class Invitations(Endpoint):
    @extend_schema(summary="List open invitations", responses=InvitationSerializer(many=True))
    def get(self, request: Request, team: str) -> Response:
        """Those nobody accepted yet and that are not over, newest first; for admins of the team."""
        return self.page(invitations.open_ones(self._team(team), at=timezone.now()), InvitationSerializer)

    @extend_schema(
        summary="Invite to a team", request=NewInvitationSerializer, responses={201: MadeInvitationSerializer}
    )
    def post(self, request: Request, team: str) -> Response:
        """The link lets one person in, within seven days; also somebody who has no account yet."""
        fields = self.body(NewInvitationSerializer)
        made, link = invitations.invite(
            self._team(team), role=Role(fields["role"]), email=fields["email"], by=self.user, at=timezone.now()
        )
        shown = {**InvitationSerializer(made).data, "link": link, "mailed": invitations.mail(made, link)}
        return Response(shown, status=201)

    def _team(self, name: str) -> Team:
        found = access.team_for(self.user, name)
        access.require(self.user, Permission.EDIT_SETTINGS, found)
        return found


class OneInvitation(Endpoint):
    @extend_schema(summary="Revoke an invitation", responses={204: None})
    def delete(self, request: Request, team: str, pk: int) -> Response:
        """Its link leads nowhere from now on."""
        found = access.team_for(self.user, team)
        access.require(self.user, Permission.EDIT_SETTINGS, found)
        invitation = invitations.open_ones(found, at=timezone.now()).filter(pk=pk).first()
        if invitation is None:
            raise Http404(f"{found} has no such invitation any more.")
        invitations.revoke(invitation, by=self.user, at=timezone.now())
        return Response(status=204)
