"""How webhooks, Slack channels and automations fare, in the API."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from automations.models import Health

HEALTH = {
    "state": "failing",
    "failing_since": "2026-05-04T09:30:01Z",
    "last_success_at": "2026-05-04T09:12:44Z",
    "last_failure_at": "2026-05-04T09:30:06Z",
    "last_error": "The receiver answered 503 Service Unavailable.",
}


@extend_schema_serializer(examples=[OpenApiExample("Health", value=HEALTH)])
class HealthSerializer(serializers.Serializer):
    """How it fared when it was last used."""

    state = serializers.ChoiceField(choices=Health.choices, source="health")
    failing_since = serializers.DateTimeField(allow_null=True, help_text="Of the first failure after a success.")
    last_success_at = serializers.DateTimeField(allow_null=True)
    last_failure_at = serializers.DateTimeField(allow_null=True)
    last_error = serializers.CharField(allow_blank=True, help_text="As a sentence; it stays after a recovery.")
