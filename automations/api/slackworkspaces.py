"""Slack workspaces that a team is connected to, and the channels Slack lists of them. Tokens go in and never out."""

from __future__ import annotations

from http import HTTPStatus

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from automations.models import SlackWorkspace
from automations.slack import listing, workspaces
from automations.unsealing import SealedForever
from projects import access
from projects.access import Permission
from projects.api.endpoints import Endpoint, Text
from projects.api.pagination import Newest
from projects.api.problems import answers_with
from projects.models import User

WORKSPACE = {
    "id": 7,
    "team": "research",
    "workspace_id": "T0123456789",
    "name": "Acme",
    "bot_name": "automations",
    "created_at": "2026-05-04T09:30:00Z",
}
FOUND = {"id": "C0123456789", "name": "ml-alerts", "private": False, "member": True}
LISTED = {"complete": True, "problem": "", "read": 812, "channels": [FOUND]}

answers_with(HTTPStatus.CONFLICT, workspaces.WorkspaceInUse)
answers_with(HTTPStatus.CONFLICT, SealedForever)


@extend_schema_serializer(examples=[OpenApiExample("Slack workspace", value=WORKSPACE)])
class SlackWorkspaceSerializer(serializers.ModelSerializer[SlackWorkspace]):
    team = serializers.CharField(source="team.name")

    class Meta:
        model = SlackWorkspace
        fields = list(WORKSPACE)


@extend_schema_serializer(examples=[OpenApiExample("A bot's token", value={"token": "xoxb-…"})])
class BotTokenSerializer(serializers.Serializer):
    token = Text(max_length=1_000, help_text="Of the bot. Never shown again.")


class FoundChannelSerializer(serializers.Serializer):
    """A channel as Slack lists it."""

    id = serializers.CharField()
    name = serializers.CharField()
    private = serializers.BooleanField()
    member = serializers.BooleanField(help_text="Whether the bot is in it, and may post.")


@extend_schema_serializer(examples=[OpenApiExample("Channels found", value=LISTED)])
class FoundChannelsSerializer(serializers.Serializer):
    complete = serializers.BooleanField(help_text="Whether all channels of the workspace were searched.")
    problem = serializers.CharField(help_text="Why not. The next search goes on where this one stopped.")
    read = serializers.IntegerField(help_text="How many channels were searched.")
    channels = FoundChannelSerializer(many=True, help_text=f"The {listing.MOST_SHOWN} closest.")


class ById(Newest):
    """In the order they were connected."""

    ordering = "pk"


def workspace_to_change(user: User, team: str, pk: int) -> SlackWorkspace:
    """The team's workspace, for an admin of the team.

    Raises:
        Http404: it is not to be seen.
        PermissionDenied: the user may not change integrations of the team.
    """
    found = _workspace(user, team, pk)
    access.require(user, Permission.EDIT_SETTINGS, found.team)
    return found


class SlackWorkspaces(Endpoint):
    pagination_class = ById

    @extend_schema(summary="List Slack workspaces", responses=SlackWorkspaceSerializer(many=True))
    def get(self, request: Request, team: str) -> Response:
        """The Slack workspaces that the team is connected to."""
        found = access.team_for(self.user, team)
        return self.page(SlackWorkspace.objects.filter(team=found).select_related("team"), SlackWorkspaceSerializer)

    @extend_schema(
        summary="Connect a Slack workspace", request=BotTokenSerializer, responses={201: SlackWorkspaceSerializer}
    )
    def post(self, request: Request, team: str) -> Response:
        """For admins of the team. Slack says which workspace the token is of; one that is connected gets the new
        token."""
        found = access.team_for(self.user, team)
        access.require(self.user, Permission.EDIT_SETTINGS, found)
        token = self.body(BotTokenSerializer)["token"]
        workspace = workspaces.connect(found, by=self.user, token=token, at=timezone.now())
        return Response(SlackWorkspaceSerializer(workspace).data, status=201)


class OneSlackWorkspace(Endpoint):
    @extend_schema(summary="Show a Slack workspace", responses=SlackWorkspaceSerializer)
    def get(self, request: Request, team: str, pk: int) -> Response:
        """One Slack workspace of the team."""
        return Response(SlackWorkspaceSerializer(_workspace(self.user, team, pk)).data)

    @extend_schema(
        summary="Replace a Slack workspace's token", request=BotTokenSerializer, responses=SlackWorkspaceSerializer
    )
    def patch(self, request: Request, team: str, pk: int) -> Response:
        """All channels of the workspace are reached with the new token from then on."""
        found = workspace_to_change(self.user, team, pk)
        token = self.body(BotTokenSerializer)["token"]
        changed = workspaces.rotate(found, by=self.user, token=token, at=timezone.now())
        return Response(SlackWorkspaceSerializer(changed).data)

    @extend_schema(summary="Disconnect a Slack workspace", responses={204: None})
    def delete(self, request: Request, team: str, pk: int) -> Response:
        """Refused with the list of its channels, while it has any (409)."""
        workspaces.disconnect(workspace_to_change(self.user, team, pk), by=self.user)
        return Response(status=204)


class ChannelsOfSlackWorkspace(Endpoint):
    @extend_schema(
        summary="Search a Slack workspace's channels",
        parameters=[
            OpenApiParameter("search", str, description="A part of the name, or an id."),
        ],
        responses=FoundChannelsSerializer,
    )
    def get(self, request: Request, team: str, pk: int) -> Response:
        """Public channels, and private ones that the bot is in, as Slack listed them in the last five minutes.

        For admins of the team. Add one with its id to the team's Slack channels.
        """
        found = workspaces.channels_listed(workspace_to_change(self.user, team, pk))
        shown = {
            "complete": found.complete,
            "problem": found.problem,
            "read": len(found.channels),
            "channels": found.search(request.query_params.get("search", ""))[: listing.MOST_SHOWN],
        }
        return Response(FoundChannelsSerializer(shown).data)


def _workspace(user: User, team: str, pk: int) -> SlackWorkspace:
    rows = SlackWorkspace.objects.visible_to(user).select_related("team", "credential")
    found = rows.filter(team=access.team_for(user, team), pk=pk).first()
    if found is None:
        raise Http404(f"{team} is not connected to a Slack workspace with this id.")
    return found
