"""Snoozing an automation until a time."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from automations import snoozing
from automations.access import automation_for, require_edit
from automations.api.serializers import AutomationSerializer
from automations.api.views import shown
from projects.api.endpoints import Endpoint


@extend_schema_serializer(examples=[OpenApiExample("Until morning", value={"until": "2026-05-05T09:00:00+02:00"})])
class SnoozeSerializer(serializers.Serializer):
    until = serializers.DateTimeField(help_text="When it ends by itself; within a year.")


class Snooze(Endpoint):
    @extend_schema(summary="Snooze an automation", request=SnoozeSerializer, responses=AutomationSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Until then what it matches is Skipped with the reason `snoozed`. A snooze uses up neither the once in 24
        hours for each run nor the limits of wide scopes."""
        automation = automation_for(self.user, pk)
        require_edit(self.user, automation.scope)
        until = self.body(SnoozeSerializer)["until"]
        return shown(self.user, snoozing.snooze(automation, until=until, by=self.user, at=timezone.now()))

    @extend_schema(summary="End a snooze", responses=AutomationSerializer)
    def delete(self, request: Request, pk: int) -> Response:
        """What matches from now on is carried out; nothing happens to an automation that is not snoozed."""
        automation = automation_for(self.user, pk)
        return shown(self.user, snoozing.end(automation, by=self.user, at=timezone.now()))
