"""The shapes of team secrets in the API: a value goes in, and nothing ever takes it out."""

from __future__ import annotations

from datetime import timedelta

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from projects.api.endpoints import Text
from secrets_vault.models import Secret
from secrets_vault.secrets import LONGEST_OVERLAP, MAX_VALUE_LENGTH


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A secret",
            value={
                "name": "PAGER_TOKEN",
                "version": 2,
                "created_at": "2026-05-04T09:30:00Z",
                "rotated_at": "2026-06-01T08:00:00Z",
                "old_value_until": "2026-06-02T08:00:00Z",
            },
        )
    ]
)
class SecretSerializer(serializers.ModelSerializer[Secret]):
    """For secrets fetched `with_overlap`."""

    old_value_until = serializers.DateTimeField(
        allow_null=True, help_text="Until when the value before the last rotation signs beside the new one; else null."
    )

    class Meta:
        model = Secret
        fields = ["name", "version", "created_at", "rotated_at", "old_value_until"]


@extend_schema_serializer(
    examples=[OpenApiExample("A secret", value={"name": "PAGER_TOKEN", "value": "the token itself"})]
)
class NewSecretSerializer(serializers.Serializer):
    name = Text(max_length=64, help_text="Letters, digits and underscores.")
    value = Text(max_length=MAX_VALUE_LENGTH, write_only=True, help_text="Sealed, and never shown again.")


@extend_schema_serializer(examples=[OpenApiExample("A new value", value={"value": "the new token"})])
class SecretValueSerializer(serializers.Serializer):
    value = Text(max_length=MAX_VALUE_LENGTH, write_only=True, help_text="Sealed, and never shown again.")
    overlap_hours = serializers.IntegerField(
        default=0,
        min_value=0,
        max_value=LONGEST_OVERLAP // timedelta(hours=1),
        help_text="So long the old value signs beside the new one. 0: it stops at once.",
    )
    version = serializers.IntegerField(
        default=None, min_value=1, help_text="If given and no longer the secret's, nothing happens (409)."
    )


@extend_schema_serializer(examples=[OpenApiExample("What was looked at", value={"version": 2})])
class SecretVersionSerializer(serializers.Serializer):
    version = serializers.IntegerField(
        default=None, min_value=1, help_text="If given and no longer the secret's, nothing happens (409)."
    )
