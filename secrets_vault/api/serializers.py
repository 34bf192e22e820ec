"""The shapes of team secrets in the API: a value goes in, and nothing ever takes it out."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from projects.api.endpoints import Text
from secrets_vault.models import Secret
from secrets_vault.secrets import MAX_VALUE_LENGTH


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A secret",
            value={"name": "PAGER_TOKEN", "created_at": "2026-05-04T09:30:00Z", "rotated_at": None},
        )
    ]
)
class SecretSerializer(serializers.ModelSerializer[Secret]):
    class Meta:
        model = Secret
        fields = ["name", "created_at", "rotated_at"]


@extend_schema_serializer(
    examples=[OpenApiExample("A secret", value={"name": "PAGER_TOKEN", "value": "the token itself"})]
)
class NewSecretSerializer(serializers.Serializer):
    name = Text(max_length=64, help_text="Letters, digits and underscores.")
    value = Text(max_length=MAX_VALUE_LENGTH, write_only=True, help_text="Sealed, and never shown again.")


@extend_schema_serializer(examples=[OpenApiExample("A new value", value={"value": "the new token"})])
class SecretValueSerializer(serializers.Serializer):
    value = Text(max_length=MAX_VALUE_LENGTH, write_only=True, help_text="The old one stops working at once.")
