"""Letting an automation fire again before its 24 hours are over."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from automations import rearming
from automations.access import automation_for, require_edit
from projects.access import run_for
from projects.api.endpoints import Endpoint, Text
from projects.models import Run, User

REARMED = {"runs": 3, "rearmed_at": "2026-05-04T09:30:00Z", "rearmed_by": "alice"}


@extend_schema_serializer(
    examples=[
        OpenApiExample("All runs", value={}),
        OpenApiExample("One run", value={"run": "research/digits/k3v9x2ab"}),
    ]
)
class RearmSerializer(serializers.Serializer):
    run = Text(required=False, allow_null=True, help_text="As team/project/run id; left out: for all runs.")


@extend_schema_serializer(examples=[OpenApiExample("Re-armed", value=REARMED)])
class RearmedSerializer(serializers.Serializer):
    runs = serializers.IntegerField(help_text="For how many runs it may fire again.")
    rearmed_at = serializers.DateTimeField()
    rearmed_by = serializers.CharField()


class Rearm(Endpoint):
    @extend_schema(summary="Re-arm an automation", request=RearmSerializer, responses=RearmedSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """It may fire again for runs it fired for within the last 24 hours. Nothing else does that: neither disabling
        nor editing it."""
        automation = automation_for(self.user, pk)
        require_edit(self.user, automation.scope)
        named = self.body(RearmSerializer).get("run")
        run = run_named(self.user, named) if named is not None else None
        at = timezone.now()
        runs = rearming.rearm(automation, by=self.user, at=at, run=run)
        answer: dict[str, Any] = {"runs": runs, "rearmed_at": at, "rearmed_by": self.user.username}
        return Response(RearmedSerializer(answer).data)


def run_named(user: User, name: str) -> Run:
    """The run a body names as `team/project/run id`.

    Raises:
        ValidationError: for `run`: it is not written so, or there is none the user may see.
    """
    parts = name.split("/")
    if len(parts) != 3:
        raise ValidationError({"run": f"“{name}” does not name a run. Write it as team/project/run id."})
    try:
        return run_for(user, *parts)
    except Http404 as error:
        raise ValidationError({"run": str(error)}) from error
