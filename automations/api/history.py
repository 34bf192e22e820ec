"""The shapes of executions in the API."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from automations.models import Attempt, Event, EventType, Execution, ReasonCode, Status
from projects.api.endpoints import Document

EXECUTION = {
    "key": "0b9f6a52-4c1e-4a34-9d6f-0f6f5e1c8f0a",
    "status": "finished",
    "reason_code": "",
    "shadow": False,
    "result": "The receiver answered 200.",
    "automation": 7,
    "automation_name": "Page on failed production runs",
    "event_type": "RUN_STATE",
    "summary": "When a run fails, where run name matches ^prod-, call webhook pager",
    "matched_because": "the run failed",
    "project": "research/digits",
    "registry": None,
    "run": "k3v9x2ab",
    "target": "pager → https://hooks.example.com/pager",
    "created_at": "2026-05-04T09:30:00Z",
    "started_at": "2026-05-04T09:30:00Z",
    "finished_at": "2026-05-04T09:30:01Z",
    "next_attempt_at": None,
    "attempt_count": 1,
    "digest": None,
    "origin": None,
    "redelivered_by": None,
    "redelivery": None,
}
ATTEMPT = {
    "number": 1,
    "started_at": "2026-05-04T09:30:00Z",
    "duration": 0.12,
    "url": "https://hooks.example.com/pager",
    "request_headers": {"Content-Type": "application/json"},
    "status_code": 200,
    "response_headers": {"Content-Type": "text/plain"},
    "response_body": "ok",
    "error": "",
}
EVENT = {
    "kind": "RUN_STATE",
    "occurred_at": "2026-05-04T09:30:00Z",
    "actor": "bob",
    "facts": {"name": "k3v9x2ab", "state": "failed"},
    "details": {"before": "running", "exit_code": 1},
}


@extend_schema_serializer(examples=[OpenApiExample("Execution", value=EXECUTION)])
class ExecutionSerializer(serializers.ModelSerializer[Execution]):
    """For executions that `disclosure.prepare` made fit for the reader."""

    status = serializers.ChoiceField(choices=Status.choices)
    reason_code = serializers.ChoiceField(
        choices=ReasonCode.choices, allow_blank=True, help_text="Why it failed, was skipped or is held; else empty."
    )
    automation = serializers.IntegerField(
        source="automation_id", allow_null=True, help_text="Null once the automation is deleted."
    )
    automation_name = serializers.CharField(source="rule.name", help_text="As it was then.")
    event_type = serializers.ChoiceField(choices=EventType.choices, source="rule.event_type")
    summary = serializers.CharField(source="rule.summary", default="", help_text="The automation as it was then.")
    project = serializers.SerializerMethodField()
    registry = serializers.SerializerMethodField()
    run = serializers.SerializerMethodField(help_text="Id of the run it was about, if it was about one.")
    digest = serializers.UUIDField(
        source="digest.key", default=None, allow_null=True, help_text="Of the Slack message it comes in with others."
    )
    origin = serializers.UUIDField(
        source="origin.key", default=None, allow_null=True, help_text="Of a redelivery, the execution it repeats."
    )
    redelivered_by = serializers.CharField(
        source="redelivery.asked_by.username", default=None, allow_null=True, help_text="Who asked for it."
    )
    redelivery = serializers.UUIDField(
        source="redelivery.key", default=None, allow_null=True, help_text="What it belongs to, alone or with others."
    )

    class Meta:
        model = Execution
        fields = list(EXECUTION)

    def get_project(self, execution: Execution) -> str | None:
        return str(execution.project) if execution.project else None

    def get_registry(self, execution: Execution) -> str | None:
        return str(execution.registry) if execution.registry else None

    def get_run(self, execution: Execution) -> str | None:
        run = execution.event.run
        return run.run_id if run else None


@extend_schema_serializer(examples=[OpenApiExample("Attempt", value=ATTEMPT)])
class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    request_headers = Document(help_text="Secrets masked.")
    response_headers = Document()

    class Meta:
        model = Attempt
        fields = list(ATTEMPT)


@extend_schema_serializer(examples=[OpenApiExample("Event", value=EVENT)])
class EventSerializer(serializers.ModelSerializer[Event]):
    actor = serializers.CharField(source="actor.username", default=None, allow_null=True)
    facts = Document(help_text="What conditions were evaluated over.")
    details = Document()

    class Meta:
        model = Event
        fields = list(EVENT)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Execution",
            value=EXECUTION
            | {
                "rule": {"event_type": "RUN_STATE", "condition": {"states": ["FAILED"]}},
                "payload": '{"text":"k3v9x2ab is FAILED"}',
                "event": EVENT,
                "led_here": [],
                "redeliveries": [],
                "attempts": [ATTEMPT],
            },
        )
    ]
)
class ExecutionDetailSerializer(ExecutionSerializer):
    rule = Document(help_text="The automation as it was then.")
    payload = serializers.CharField(help_text="The body as it was sent, secrets masked.")
    event = serializers.SerializerMethodField()
    led_here = serializers.SerializerMethodField(
        help_text="Keys of the executions that led to the event, the first one first, as far as you may see them."
    )
    redeliveries = serializers.SerializerMethodField(help_text="Keys of the executions that repeat it.")
    attempts = AttemptSerializer(many=True)

    class Meta(ExecutionSerializer.Meta):
        fields = [*EXECUTION, "rule", "payload", "event", "led_here", "redeliveries", "attempts"]

    def get_led_here(self, execution: Execution) -> list[UUID]:
        return [earlier.key for earlier in self.context["before"]]

    def get_redeliveries(self, execution: Execution) -> list[UUID]:
        # Of the same automation and event: who sees one sees them all.
        return list(execution.redeliveries.order_by("pk").values_list("key", flat=True))

    @extend_schema_field(EventSerializer)
    def get_event(self, execution: Execution) -> Any:
        return EventSerializer(execution.event).data


KIT = {"curl": "body='{}'\nprintf %s \"$body\" | curl …", "verify": {"python": "import hmac\n…"}}


@extend_schema_serializer(examples=[OpenApiExample("Receiver kit", value=KIT)])
class ReceiverKitSerializer(serializers.Serializer):
    curl = serializers.CharField(help_text="A script for the shell.")
    verify = serializers.DictField(
        child=serializers.CharField(), help_text="By language; empty if the webhook has no secret to sign with."
    )
