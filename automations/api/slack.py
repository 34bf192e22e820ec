"""Slack channels of a team: its members see them, its admins change and test them. Credentials go in and never out."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from automations.access import slack_channel_for
from automations.api.health import HEALTH, HealthSerializer
from automations.models import SlackChannel, SlackWorkspace
from automations.slack import channels
from projects import access
from projects.access import Permission
from projects.api.endpoints import Endpoint, Text
from projects.api.pagination import Newest
from projects.models import Team, User

CHANNEL = {
    "team": "research",
    "workspace": "Acme",
    "channel": "ml-alerts",
    "kind": "bot",
    "channel_id": "C0123456789",
    "slack_workspace": 7,
    "health": HEALTH,
    "created_at": "2026-05-04T09:30:00Z",
}
NEW_CHANNEL = {"slack_workspace": 7, "channel": "ml-alerts", "channel_id": "C0123456789"}
NEW_WEBHOOK = {
    "workspace": "Acme",
    "channel": "ml-alerts",
    "webhook_url": "https://hooks.slack.com/services/…",
}


@extend_schema_serializer(examples=[OpenApiExample("Slack channel", value=CHANNEL)])
class SlackChannelSerializer(serializers.ModelSerializer[SlackChannel]):
    team = serializers.CharField(source="team.name")
    slack_workspace = serializers.IntegerField(
        source="connection_id", allow_null=True, help_text="The connected workspace it is in, if it is in one."
    )
    health = HealthSerializer(source="*")

    class Meta:
        model = SlackChannel
        fields = list(CHANNEL)


@extend_schema_serializer(
    examples=[
        OpenApiExample("Of a connected workspace", value=NEW_CHANNEL),
        OpenApiExample("By an incoming webhook", value=NEW_WEBHOOK),
    ]
)
class NewSlackChannelSerializer(serializers.Serializer):
    channel = Text(max_length=80, help_text="Its name, unique in the team.")
    slack_workspace = serializers.IntegerField(
        required=False, help_text="The connected workspace whose bot posts, by its id here."
    )
    channel_id = Text(required=False, allow_blank=True, max_length=32, help_text="Where a bot posts to.")
    webhook_url = Text(
        required=False, allow_blank=True, max_length=2_000, help_text="In place of a bot. Never shown again."
    )
    workspace = Text(
        required=False, allow_blank=True, max_length=80, help_text="Of an incoming webhook: its name, for people."
    )


@extend_schema_serializer(examples=[OpenApiExample("Another name", value={"channel": "alerts"})])
class SlackChannelChangesSerializer(serializers.Serializer):
    """What PATCH takes; what is left out stays."""

    channel = Text(max_length=80)
    channel_id = Text(allow_blank=True, max_length=32)
    webhook_url = Text(allow_blank=True, max_length=2_000)
    workspace = Text(allow_blank=True, max_length=80, help_text="Only where no workspace is connected.")


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
        """For admins of the team: of a connected workspace, with the channel's id, or with an incoming webhook's
        address."""
        found = access.team_for(self.user, team)
        access.require(self.user, Permission.EDIT_SETTINGS, found)
        body = self.body(NewSlackChannelSerializer)
        add = self._add_by_bot if "slack_workspace" in body else self._add_by_webhook
        return Response(SlackChannelSerializer(add(found, body)).data, status=201)

    def _add_by_bot(self, team: Team, body: dict[str, Any]) -> SlackChannel:
        workspace = SlackWorkspace.objects.select_related("team").filter(team=team, pk=body["slack_workspace"]).first()
        if workspace is None:
            raise ValidationError({"slack_workspace": f"{team} is not connected to a Slack workspace with this id."})
        if body.get("webhook_url"):
            raise ValidationError({"webhook_url": "Give a connected workspace or an incoming webhook, not both."})
        named = {"channel": body["channel"], "channel_id": body.get("channel_id", "")}
        return channels.add_by_bot(workspace, by=self.user, **named)

    def _add_by_webhook(self, team: Team, body: dict[str, Any]) -> SlackChannel:
        if not body.get("webhook_url"):
            sentence = "Give the id of a connected workspace, or the address of an incoming webhook as webhook_url."
            raise ValidationError({"slack_workspace": sentence})
        named = {name: body.get(name, "") for name in ("workspace", "channel", "webhook_url")}
        return channels.add_by_webhook(team, by=self.user, **named)


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
        """What is left out stays, also the address of its webhook. A bot's token is the workspace's."""
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
