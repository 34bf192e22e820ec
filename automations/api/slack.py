"""Slack channels of a team: its members see them, its admins change and test them. Credentials go in and never out."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from automations.access import slack_channel_for
from automations.models import SlackChannel
from automations.slack import channels
from projects import access
from projects.access import Permission
from projects.api.endpoints import Endpoint, Text
from projects.api.pagination import Newest
from projects.models import User

CHANNEL = {
    "team": "research",
    "workspace": "Acme",
    "channel": "ml-alerts",
    "kind": "bot",
    "channel_id": "C0123456789",
    "last_error": "",
    "failed_at": None,
    "created_at": "2026-05-04T09:30:00Z",
}
NEW_CHANNEL = {
    "workspace": "Acme",
    "channel": "ml-alerts",
    "channel_id": "C0123456789",
    "token": "xoxb-…",
}


@extend_schema_serializer(examples=[OpenApiExample("Slack channel", value=CHANNEL)])
class SlackChannelSerializer(serializers.ModelSerializer[SlackChannel]):
    team = serializers.CharField(source="team.name")

    class Meta:
        model = SlackChannel
        fields = list(CHANNEL)


@extend_schema_serializer(examples=[OpenApiExample("By a bot", value=NEW_CHANNEL)])
class NewSlackChannelSerializer(serializers.Serializer):
    workspace = Text(max_length=80)
    channel = Text(max_length=80, help_text="Its name, unique in the team.")
    channel_id = Text(required=False, allow_blank=True, max_length=32, help_text="Where a bot posts to.")
    token = Text(required=False, allow_blank=True, max_length=1_000, help_text="Of the bot. Never shown again.")
    webhook_url = Text(
        required=False, allow_blank=True, max_length=2_000, help_text="In place of a bot. Never shown again."
    )


@extend_schema_serializer(examples=[OpenApiExample("A new token", value={"token": "xoxb-…"})])
class SlackChannelChangesSerializer(NewSlackChannelSerializer):
    """What PATCH takes; what is left out stays."""


@extend_schema_serializer(
    examples=[OpenApiExample("Posted", value={"succeeded": True, "sentence": "Slack took the message for #ml-alerts."})]
)
class SlackAnswerSerializer(serializers.Serializer):
    """What came of a test message."""

    succeeded = serializers.BooleanField()
    sentence = serializers.CharField()


def channel_to_change(user: User, team: str, name: str) -> SlackChannel:
    """The team's Slack channel of this name, for an admin of the team.

    Raises:
        Http404: it is not to be seen.
        PermissionDenied: the user may not change integrations of the team.
    """
    found = slack_channel_for(user, access.team_for(user, team), name)
    access.require(user, Permission.EDIT_SETTINGS, found.team)
    return found


class ByChannel(Newest):
    """In alphabetical order of channels, which are unique in the team."""

    ordering = "channel"


class SlackChannels(Endpoint):
    pagination_class = ByChannel

    @extend_schema(summary="List Slack channels", responses=SlackChannelSerializer(many=True))
    def get(self, request: Request, team: str) -> Response:
        """The team's Slack channels, by name."""
        found = access.team_for(self.user, team)
        rows = SlackChannel.objects.filter(team=found).select_related("team")
        return self.page(rows, SlackChannelSerializer)

    @extend_schema(
        summary="Add a Slack channel", request=NewSlackChannelSerializer, responses={201: SlackChannelSerializer}
    )
    def post(self, request: Request, team: str) -> Response:
        """For admins of the team: with a bot's token and the channel's id, or with an incoming webhook's address."""
        found = access.team_for(self.user, team)
        access.require(self.user, Permission.EDIT_SETTINGS, found)
        channel = channels.create(found, by=self.user, **self.body(NewSlackChannelSerializer))
        return Response(SlackChannelSerializer(channel).data, status=201)


class OneSlackChannel(Endpoint):
    @extend_schema(summary="Show a Slack channel", responses=SlackChannelSerializer)
    def get(self, request: Request, team: str, name: str) -> Response:
        """One Slack channel of the team."""
        found = slack_channel_for(self.user, access.team_for(self.user, team), name)
        return Response(SlackChannelSerializer(found).data)

    @extend_schema(
        summary="Change a Slack channel", request=SlackChannelChangesSerializer, responses=SlackChannelSerializer
    )
    def patch(self, request: Request, team: str, name: str) -> Response:
        """What is left out stays, also the token or address."""
        found = channel_to_change(self.user, team, name)
        current = {"workspace": found.workspace, "channel": found.channel, "channel_id": found.channel_id}
        changes = self.body(SlackChannelChangesSerializer, partial=True)
        changed = channels.update(found, by=self.user, **(current | changes))
        return Response(SlackChannelSerializer(changed).data)

    @extend_schema(summary="Delete a Slack channel", responses={204: None})
    def delete(self, request: Request, team: str, name: str) -> Response:
        """Refused with the list of automations that post to it, while any does (409)."""
        channels.delete(channel_to_change(self.user, team, name), by=self.user)
        return Response(status=204)


class SlackChannelTest(Endpoint):
    @extend_schema(summary="Test a Slack channel", request=None, responses=SlackAnswerSerializer)
    def post(self, request: Request, team: str, name: str) -> Response:
        """Posts a test message, and tells what came of it.

        One test runs at a time; another is refused meanwhile (429).
        """
        found = channel_to_change(self.user, team, name)
        answer = channels.test(found, by=self.user, at=timezone.now())
        return Response(SlackAnswerSerializer(answer).data)
