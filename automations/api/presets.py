"""Payloads to start from, for scripts that write automations."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from automations.models import EventType
from automations.presets import PRESETS
from projects.api.endpoints import Endpoint

DISCORD = {
    "key": "discord",
    "name": "Discord",
    "about": "Posts to the channel that the webhook was made for.",
    "documentation": "https://discord.com/developers/docs/resources/webhook#execute-webhook",
    "url": "https://discord.com/api/webhooks/…",
    "token": "",
    "headers": {},
    "payload": '{"embeds": [{"title": "${automation_name}", "description": "Run ${run_name} is ${run_status}"}]}',
}


@extend_schema_serializer(examples=[OpenApiExample("Discord", value=DISCORD)])
class PresetSerializer(serializers.Serializer):
    key = serializers.CharField()
    name = serializers.CharField()
    about = serializers.CharField(help_text="What the receiver makes of it.")
    documentation = serializers.CharField(help_text="The receiver's own.")
    url = serializers.CharField(help_text="How its endpoint looks.")
    token = serializers.CharField(help_text="What to keep as access token; empty if it wants none.")
    headers = serializers.DictField(child=serializers.CharField(), help_text="Extra headers it wants.")
    payload = serializers.CharField(help_text="The template for this type of event.")


class Presets(Endpoint):
    @extend_schema(
        summary="List payloads to start from",
        parameters=[OpenApiParameter("event_type", str, enum=EventType.values, description="RUN_STATE unless said.")],
        responses=PresetSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """What well-known receivers of webhooks want, as payload templates for one type of event."""
        event_type = request.query_params.get("event_type", EventType.RUN_STATE.value)
        if event_type not in EventType.values:
            raise ValidationError({"event_type": f"“{event_type}” is no type of event."})
        told = [name for name in DISCORD if name != "payload"]
        shown = [
            {name: getattr(preset, name) for name in told} | {"payload": preset.payload(event_type)}
            for preset in PRESETS
        ]
        return Response(PresetSerializer(shown, many=True).data)
