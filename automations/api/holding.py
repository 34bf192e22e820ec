"""Breakers of webhooks and limits of Slack channels: members see them, admins change them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from automations import breaker, digests
from automations.access import slack_channel_for, webhook_for
from automations.api.slack import channel_to_change
from automations.models import SlackChannel, Webhook
from automations.slack import limits
from projects import access
from projects.access import Permission
from projects.api.endpoints import Endpoint, Text

BREAKER = {
    "opened_at": "2026-05-04T09:30:00Z",
    "next_probe_at": "2026-05-04T09:35:00Z",
    "failures_in_a_row": 12,
    "held": 31,
}
LIMITS = {
    "hourly_budget": 20,
    "quiet_from": "22:00",
    "quiet_until": "07:00",
    "quiet_zone": "Europe/Berlin",
    "quiet_days": [0, 1, 2, 3, 4],
    "errors_pass_quiet_hours": True,
}
SPENT = {"automation": 7, "name": "Tell us", "last_hour": 3, "last_day": 41, "in_digests": 12}


@extend_schema_serializer(examples=[OpenApiExample("Open", value=BREAKER)])
class BreakerSerializer(serializers.Serializer):
    """Closed where `opened_at` is null."""

    opened_at = serializers.DateTimeField(allow_null=True)
    next_probe_at = serializers.DateTimeField(allow_null=True, help_text="When the oldest held execution is sent.")
    failures_in_a_row = serializers.IntegerField()
    held = serializers.IntegerField(help_text="Executions that wait for it to close.")


@extend_schema_serializer(examples=[OpenApiExample("Limits", value=LIMITS)])
class LimitsSerializer(serializers.Serializer):
    hourly_budget = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, help_text="At most so many messages in any hour; null: no limit."
    )
    quiet_from = serializers.TimeField(required=False, allow_null=True, format="%H:%M", help_text="Null: no quiet.")
    quiet_until = serializers.TimeField(required=False, allow_null=True, format="%H:%M")
    quiet_zone = Text(required=False, allow_blank=True, max_length=64, help_text="Such as Europe/Berlin.")
    quiet_days = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=6),
        required=False,
        max_length=7,
        help_text="Days on which they begin, 0 for Monday.",
    )
    errors_pass_quiet_hours = serializers.BooleanField(
        required=False, help_text="Whether messages of severity ERROR are sent at any time."
    )


@extend_schema_serializer(examples=[OpenApiExample("Spender", value=SPENT)])
class SpenderSerializer(serializers.Serializer):
    """How many of a channel's messages were an automation's; null where it was deleted, or is hidden from you."""

    automation = serializers.IntegerField(source="automation.pk", default=None, allow_null=True)
    name = serializers.CharField(source="automation.name", default=None, allow_null=True)
    last_hour = serializers.IntegerField()
    last_day = serializers.IntegerField()
    in_digests = serializers.IntegerField(help_text="Of those of the last day.")


@extend_schema_serializer(examples=[OpenApiExample("Spending", value={"spent": 3, "spenders": [SPENT]})])
class SpendingSerializer(serializers.Serializer):
    spent = serializers.IntegerField(help_text="Messages of the last hour that count for the budget.")
    spenders = SpenderSerializer(many=True)


class WebhookBreaker(Endpoint):
    @extend_schema(summary="Show a webhook's breaker", responses=BreakerSerializer)
    def get(self, request: Request, team: str, name: str) -> Response:
        """Whether what goes to the webhook is held, since when, and how much that is."""
        return Response(_breaker_of(webhook_for(self.user, access.team_for(self.user, team), name)))


class WebhookBreakerProbe(Endpoint):
    @extend_schema(summary="Probe a webhook now", request=None, responses=BreakerSerializer)
    def post(self, request: Request, team: str, name: str) -> Response:
        """The oldest held execution is sent now, instead of at the next probe. Nothing happens while it is closed."""
        webhook = webhook_for(self.user, access.team_for(self.user, team), name)
        return Response(_breaker_of(breaker.try_now(webhook, by=self.user, at=timezone.now())))


class WebhookBreakerClose(Endpoint):
    @extend_schema(summary="Close a webhook's breaker", request=None, responses=BreakerSerializer)
    def post(self, request: Request, team: str, name: str) -> Response:
        """All that is held is sent now. If the endpoint still fails, the breaker opens again."""
        webhook = webhook_for(self.user, access.team_for(self.user, team), name)
        breaker.close(webhook, by=self.user, at=timezone.now())
        webhook.failures_in_a_row = 0
        return Response(_breaker_of(webhook))


class SlackChannelLimits(Endpoint):
    @extend_schema(summary="Show a Slack channel's limits", responses=LimitsSerializer)
    def get(self, request: Request, team: str, name: str) -> Response:
        """Its noise budget and its quiet hours."""
        found = slack_channel_for(self.user, access.team_for(self.user, team), name)
        return Response(LimitsSerializer(limits.limits_of(found)).data)

    @extend_schema(summary="Change a Slack channel's limits", request=LimitsSerializer, responses=LimitsSerializer)
    def patch(self, request: Request, team: str, name: str) -> Response:
        """What is left out stays. What waits is looked at again at once."""
        found = channel_to_change(self.user, team, name)
        wanted = replace(limits.limits_of(found), **self.body(LimitsSerializer, partial=True))
        changed = limits.set_limits(found, wanted, by=self.user, at=timezone.now())
        return Response(LimitsSerializer(limits.limits_of(changed)).data)


class SlackChannelSpending(Endpoint):
    @extend_schema(summary="Show who spends a Slack channel's budget", responses=SpendingSerializer)
    def get(self, request: Request, team: str, name: str) -> Response:
        """Messages by automation, within an hour and a day, the most first."""
        found: SlackChannel = slack_channel_for(self.user, access.team_for(self.user, team), name)
        access.require(self.user, Permission.EDIT_SETTINGS, found.team)
        now = timezone.now()
        answer = {
            "spent": digests.spent(found, at=now),
            "spenders": limits.spenders(found, reader=self.user, at=now),
        }
        return Response(SpendingSerializer(answer).data)


def _breaker_of(webhook: Webhook) -> Any:
    said = {
        "opened_at": webhook.breaker_opened_at,
        "next_probe_at": webhook.next_probe_at,
        "failures_in_a_row": webhook.failures_in_a_row,
        "held": breaker.held_count(webhook),
    }
    return BreakerSerializer(said).data
