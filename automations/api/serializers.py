"""The shapes of automations and webhooks in the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from automations import diagnosis, disclosure, sentences
from automations.api.health import HEALTH, HealthSerializer
from automations.api.scopes import KINDS, scope_of
from automations.models import ActionKind, Automation, EventType, Severity, Webhook
from automations.models.integration import SignatureEncoding
from projects.api.endpoints import Document, Text

AUTOMATION = {
    "id": 7,
    "name": "Page on failed production runs",
    "description": "",
    "version": 1,
    "enabled": True,
    "shadow": False,
    "snoozed_until": None,
    "scope": {"kind": "project", "name": "research/digits"},
    "event_type": "RUN_STATE",
    "filter": {"display_name": {"$regex": "^prod-"}},
    "condition": {"states": ["FAILED"]},
    "action_kind": "GENERIC_WEBHOOK",
    "webhook": "research/pager",
    "payload": '{"text": "${run_name} is ${run_status}"}',
    "slack_channel": None,
    "title": "",
    "message": "",
    "severity": "",
    "summary": "When a run fails, where run name matches ^prod-, call webhook pager",
    "created_by": "alice",
    "created_at": "2026-05-04T09:30:00Z",
    "updated_at": "2026-05-04T09:30:00Z",
    "last_triggered_at": None,
    "rearmed_at": None,
    "rearmed_by": None,
    "problem": "",
    "health": HEALTH,
}
ANSWERED = (
    *("id", "version", "summary", "created_by", "created_at", "updated_at", "last_triggered_at"),
    *("snoozed_until", "rearmed_at", "rearmed_by", "problem", "health"),
)
NEW_AUTOMATION = {name: value for name, value in AUTOMATION.items() if name not in ANSWERED}
WEBHOOK = {
    "team": "research",
    "name": "pager",
    "url": "https://hooks.example.com/pager",
    "access_token": "PAGER_TOKEN",
    "secret": "PAGER_SECRET",
    "signature_encoding": "base64",
    "headers": {"X-Service": "training"},
    "paused_at": None,
    "paused_reason": "",
    "health": HEALTH,
    "created_at": "2026-05-04T09:30:00Z",
}
ANSWERED_OF_WEBHOOK = {"team", "paused_at", "paused_reason", "health", "created_at"}
NEW_WEBHOOK = {name: value for name, value in WEBHOOK.items() if name not in ANSWERED_OF_WEBHOOK}


class ScopeSerializer(serializers.Serializer):
    """What an automation covers; everything under it, too, also what is created later."""

    kind = serializers.ChoiceField(choices=list(KINDS))
    name = Text(help_text="; ".join(f"{kind}: {shape}" for kind, (shape, _) in KINDS.items()))


@extend_schema_serializer(examples=[OpenApiExample("Automation", value=AUTOMATION)])
class AutomationSerializer(serializers.ModelSerializer[Automation]):
    """The context's `visible_teams` are the keys of teams the reader may see: an automation may call a webhook, or post
    to a Slack channel, of a team that is hidden from some of its readers. `administered` are the keys of organizations
    whose admin the reader is: when an automation of all teams fired is for those who see all teams."""

    scope = serializers.SerializerMethodField()
    filter = Document(help_text="Over the fields of the run or version, in the condition language.")
    condition = Document(help_text="What the event type alone asks for.")
    webhook = serializers.SerializerMethodField(help_text="As team/name; null if there is none you may see.")
    slack_channel = serializers.SerializerMethodField(
        help_text="As team/channel, without “#”; null if there is none you may see."
    )
    severity = serializers.ChoiceField(choices=Severity.choices, allow_blank=True, help_text="Of a Slack message.")
    summary = serializers.SerializerMethodField(help_text="The automation as one sentence.")
    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True)
    last_triggered_at = serializers.SerializerMethodField(
        help_text="Null if never; of an organization's automation only its admins are told."
    )
    rearmed_by = serializers.CharField(
        source="rearmed_by.username", default=None, allow_null=True, help_text="Who last let it fire again."
    )
    problem = serializers.SerializerMethodField(
        help_text="What keeps it from working although it was sound when it was saved; else empty."
    )

    health = serializers.SerializerMethodField(
        help_text="How it fared; null of an organization's automation, but for its admins."
    )

    class Meta:
        model = Automation
        fields = list(AUTOMATION)

    @extend_schema_field(ScopeSerializer)
    def get_scope(self, automation: Automation) -> dict[str, Any]:
        return scope_of(automation)

    def get_webhook(self, automation: Automation) -> str | None:
        webhook = automation.webhook
        return f"{webhook.team}/{webhook}" if webhook and not self._hides_target(automation) else None

    def get_slack_channel(self, automation: Automation) -> str | None:
        channel = automation.slack_channel
        return f"{channel.team}/{channel.channel}" if channel and not self._hides_target(automation) else None

    def get_summary(self, automation: Automation) -> str:
        return sentences.summary(automation, target_hidden=self._hides_target(automation))

    def get_problem(self, automation: Automation) -> str:
        return diagnosis.problem_of(automation)

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_last_triggered_at(self, automation: Automation) -> str | None:
        organization = automation.organization_id
        if automation.last_triggered_at is None or organization not in self.context["administered"] | {None}:
            return None
        return str(serializers.DateTimeField().to_representation(automation.last_triggered_at))

    @extend_schema_field(HealthSerializer(allow_null=True))
    def get_health(self, automation: Automation) -> dict[str, Any] | None:
        if automation.organization_id not in self.context["administered"] | {None}:
            return None
        told = disclosure.last_error(automation, target_hidden=self._hides_target(automation))
        return HealthSerializer(automation).data | {"last_error": told}

    def _hides_target(self, automation: Automation) -> bool:
        target = automation.target
        return target is not None and target.team_id not in self.context["visible_teams"]


@extend_schema_serializer(examples=[OpenApiExample("Automation", value=NEW_AUTOMATION)])
class NewAutomationSerializer(serializers.Serializer):
    name = Text(max_length=255, help_text="Unique in the scope.")
    description = Text(required=False, allow_blank=True, max_length=10_000)
    enabled = serializers.BooleanField(required=False, default=True)
    shadow = serializers.BooleanField(
        required=False, default=False, help_text="Do everything but send; the history says what would have been."
    )
    scope = ScopeSerializer()
    event_type = serializers.ChoiceField(choices=EventType.choices)
    filter = Document(required=False, help_text="Over the fields of the run or version; {} lets all pass.")
    condition = Document(
        required=False,
        help_text='RUN_STATE: {"states": ["FAILED"]}; RUN_METRIC: {"name", "agg_op", "window_size", "cmp_op",'
        ' "threshold"}; RUN_METRIC_CHANGE: {"name", "agg_op", "current_window_size", "prior_window_size",'
        ' "change_type", "change_dir", "change_amount"}; RUN_METRIC_ZSCORE: {"name", "window_size", "threshold",'
        ' "change_dir"}; RUN_ALERT: {"title", "text", "levels"}, all optional; RUN_STALL: {"source", "name",'
        ' "minutes"}; ARTIFACT_ABSENCE: {"hours"}; others: {}.',
    )
    action_kind = serializers.ChoiceField(choices=ActionKind.choices)
    webhook = Text(
        required=False, allow_null=True, help_text="As team/name, or just the name if it is of the same team."
    )
    payload = Text(
        required=False, allow_blank=True, max_length=100_000, help_text="JSON template; empty for the default."
    )
    slack_channel = Text(
        required=False, allow_null=True, help_text="As team/channel, or just the channel if it is of the same team."
    )
    title = Text(
        required=False, allow_blank=True, max_length=1_000, help_text="Of a Slack message; may hold ${variables}."
    )
    message = Text(
        required=False, allow_blank=True, max_length=10_000, help_text="Of a Slack message; may hold ${variables}."
    )
    severity = serializers.ChoiceField(choices=Severity.choices, required=False, allow_blank=True)


@extend_schema_serializer(examples=[OpenApiExample("Automation", value=NEW_AUTOMATION)])
class AutomationReplacementSerializer(NewAutomationSerializer):
    """What PUT takes: the scope stays what it is, and may be left out."""

    scope = ScopeSerializer(required=False, help_text="Cannot change.")


@extend_schema_serializer(examples=[OpenApiExample("Disable it", value={"enabled": False})])
class AutomationChangesSerializer(AutomationReplacementSerializer):
    """What PATCH takes: what is left out stays."""

    enabled = serializers.BooleanField(required=False)
    shadow = serializers.BooleanField(required=False, help_text="False makes it live.")


@extend_schema_serializer(examples=[OpenApiExample("Webhook", value=WEBHOOK)])
class WebhookSerializer(serializers.ModelSerializer[Webhook]):
    team = serializers.CharField(source="team.name")
    access_token = serializers.CharField(
        source="access_token.name", default=None, allow_null=True, help_text="Name of the secret that holds it."
    )
    secret = serializers.CharField(
        source="secret.name", default=None, allow_null=True, help_text="Name of the secret that signs."
    )
    headers = serializers.SerializerMethodField(help_text="Values may hold ${SECRET_NAME}.")
    health = HealthSerializer(source="*")

    class Meta:
        model = Webhook
        fields = list(WEBHOOK)

    def get_headers(self, webhook: Webhook) -> dict[str, str]:
        return {header.name: header.value for header in webhook.headers.all()}


@extend_schema_serializer(examples=[OpenApiExample("Webhook", value=NEW_WEBHOOK)])
class NewWebhookSerializer(serializers.Serializer):
    name = Text(max_length=64)
    url = Text(max_length=2000, help_text="Where to send; http or https.")
    access_token = Text(required=False, allow_null=True, help_text="Name of a secret of the team, or null.")
    secret = Text(required=False, allow_null=True, help_text="Name of a secret of the team, or null.")
    signature_encoding = serializers.ChoiceField(choices=SignatureEncoding.choices, required=False)
    headers = serializers.DictField(
        child=Text(allow_blank=True), required=False, help_text="Values may hold ${SECRET_NAME}."
    )


@extend_schema_serializer(examples=[OpenApiExample("Move it", value={"url": "https://hooks.example.com/v2"})])
class WebhookChangesSerializer(NewWebhookSerializer):
    """What PATCH takes; what is left out stays."""


@extend_schema_serializer(examples=[OpenApiExample("A payload", value={"payload": '{"text": "It works"}'})])
class TestPayloadSerializer(serializers.Serializer):
    payload = Text(max_length=100_000, help_text="JSON to send as it is; nothing of it is saved.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Received",
            value={
                "url": "https://hooks.example.com/pager",
                "succeeded": True,
                "status_code": 200,
                "reason": "OK",
                "duration": 0.12,
                "error": "",
                "request_headers": {"Content-Type": "application/json"},
                "request_body": '{"text":"It works"}',
                "response_headers": {"Content-Type": "text/plain"},
                "response_body": "ok",
            },
        )
    ]
)
class ExchangeSerializer(serializers.Serializer):
    """A test call and its answer, secrets masked."""

    url = serializers.CharField()
    succeeded = serializers.BooleanField()
    status_code = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    duration = serializers.FloatField(allow_null=True, help_text="Seconds.")
    error = serializers.CharField(allow_blank=True, help_text="Why there was no answer, as a sentence.")
    request_headers = serializers.DictField(child=serializers.CharField())
    request_body = serializers.CharField()
    response_headers = serializers.DictField(child=serializers.CharField())
    response_body = serializers.CharField(allow_blank=True)
