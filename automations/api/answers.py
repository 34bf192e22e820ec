"""The shapes of traces and replays in the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from automations.api.serializers import ScopeSerializer
from automations.backtest import PERIODS, Result, Subject
from automations.documents import absolute
from automations.models import EventType
from automations.tracing import Trace, Verdict
from projects.api.endpoints import Document

MOST_LISTED = 1_000
GATE = {
    "code": "condition",
    "title": "Condition",
    "verdict": "stopped",
    "sentence": "loss: 0.88 is not > 0.9, average of the last 3 values. That was its nearest, at step 41, 14:02.",
    "numbers": {"asked": "loss > 0.9", "value": 0.88, "window": {"has": 3, "needs": 3}},
}
TRACE = {"automation": 7, "headline": GATE["sentence"], "stopped_by": "condition", "gates": [GATE], "executions": []}
FIRING = {
    "at": "2026-05-04T09:30:00Z",
    "subject": {
        "kind": "Run",
        "name": "baseline",
        "url": "https://automations.example.com/research/digits/runs/k3v9x2ab",
    },
    "reason": "loss: latest value is NaN",
}
BACKTEST = {
    "days": 30,
    "since": "2026-04-05T00:00:00Z",
    "until": "2026-05-05T00:00:00Z",
    "verdict": "Would have fired 1 time in 30 days: baseline; 12 points held back by once a day.",
    "fired": 1,
    "held_back": 12,
    "skipped": 0,
    "looked_at": 48_000,
    "firings": [FIRING],
    "notes": [],
}
DAYS = {"days": 30}
DRAFT = {
    "scope": {"kind": "project", "name": "research/digits"},
    "event_type": "RUN_STATE",
    "condition": {"states": ["FAILED"]},
    "filter": {},
    "days": 30,
}


class GateSerializer(serializers.Serializer):
    code = serializers.CharField()
    title = serializers.CharField()
    verdict = serializers.ChoiceField(choices=[verdict.value for verdict in Verdict])
    sentence = serializers.CharField(allow_blank=True, help_text="Empty for a gate that was not reached.")
    numbers = Document(help_text="What the sentence says, for machines.")


@extend_schema_serializer(examples=[OpenApiExample("Trace", value=TRACE)])
class TraceSerializer(serializers.Serializer):
    automation = serializers.IntegerField(source="automation.pk")
    headline = serializers.CharField(help_text="The answer in one sentence.")
    stopped_by = serializers.SerializerMethodField(help_text="Code of the first gate that said no; null if none did.")
    gates = GateSerializer(many=True, help_text="In the order in which an event passes them.")
    executions = serializers.SerializerMethodField(help_text="Keys of what it did about this, newest first.")

    def get_stopped_by(self, trace: Trace) -> str | None:
        return trace.stopped_by.code if trace.stopped_by else None

    def get_executions(self, trace: Trace) -> list[str]:
        return [str(execution.key) for execution in trace.executions]


class SubjectSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(choices=["Run", "Version", "Collection"])
    name = serializers.CharField()
    url = serializers.SerializerMethodField(help_text="Null if its page is gone, or not for you to see.")

    def get_url(self, subject: Subject) -> str | None:
        return absolute(subject.address) if subject.address else None


class FiringSerializer(serializers.Serializer):
    at = serializers.DateTimeField()
    subject = SubjectSerializer()
    reason = serializers.CharField()


@extend_schema_serializer(examples=[OpenApiExample("Replay", value=BACKTEST)])
class BacktestSerializer(serializers.Serializer):
    days = serializers.IntegerField(source="period.days")
    since = serializers.DateTimeField(source="period.since")
    until = serializers.DateTimeField(source="period.until")
    verdict = serializers.CharField(help_text="The answer in one sentence.")
    fired = serializers.SerializerMethodField(help_text="How often it would have fired.")
    held_back = serializers.IntegerField(help_text="Matches held back because it fires once in 24 hours.")
    skipped = serializers.IntegerField(help_text="Executions beyond the limit of wide scopes.")
    looked_at = serializers.IntegerField(help_text="How many rows or events were replayed.")
    firings = serializers.SerializerMethodField(help_text=f"The latest {MOST_LISTED:,}, oldest first.")
    notes = serializers.ListField(child=serializers.CharField(), help_text="What of the history is not known.")

    def get_fired(self, result: Result) -> int:
        return len(result.firings)

    @extend_schema_field(FiringSerializer(many=True))
    def get_firings(self, result: Result) -> Any:
        return FiringSerializer(result.firings[-MOST_LISTED:], many=True).data


@extend_schema_serializer(examples=[OpenApiExample("Last 30 days", value=DAYS)])
class DaysSerializer(serializers.Serializer):
    days = serializers.ChoiceField(choices=list(PERIODS), default=30, help_text="How far to look back.")


@extend_schema_serializer(examples=[OpenApiExample("Failed runs", value=DRAFT)])
class DraftToReplaySerializer(DaysSerializer):
    """What matters of an automation that is not saved."""

    scope = ScopeSerializer()
    event_type = serializers.ChoiceField(choices=EventType.choices)
    filter = Document(required=False, help_text="As for an automation.")
    condition = Document(required=False, help_text="As for an automation.")
