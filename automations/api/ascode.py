"""Automations as code over REST: YAML out, and YAML in to plan and to apply."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiRequest,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from automations import ascode
from automations.api.serializers import ScopeSerializer
from automations.api.versions import CHANGE, RuleChangeSerializer
from automations.ascode.planning import Deed, PlannedChange
from projects.api.bodies import read
from projects.api.endpoints import Endpoint
from projects.api.problems import answers_with

answers_with(HTTPStatus.BAD_REQUEST, ascode.UnreadableText)

MEDIA_TYPE = "application/yaml"

EXAMPLE = """---
project: research/digits
automations:
  - name: Page on failed production runs
    event_type: RUN_STATE
    condition:
      states:
        - FAILED
    filter:
      display_name:
        $regex: ^prod-
    action_kind: GENERIC_WEBHOOK
    webhook: research/pager
"""
FIRED = {"before": 4, "after": 6, "notes": []}
PLAN = {
    "changes": [
        {
            "deed": "update",
            "scope": {"kind": "project", "name": "research/digits"},
            "name": "Page on failed production runs",
            "id": 7,
            "summary_before": "When a run fails, call webhook pager",
            "summary_after": "When a run finishes or fails, call webhook pager",
            "differences": [CHANGE],
            "fired": FIRED,
        }
    ],
    "unchanged": 3,
    "text": "~ project research/digits: Page on failed production runs\n",
}
PRUNE = OpenApiParameter(
    "prune", OpenApiTypes.BOOL, description="Delete automations of the named scopes that are not in the text."
)
TEXT = {
    MEDIA_TYPE: OpenApiRequest(
        OpenApiTypes.STR, examples=[OpenApiExample("YAML", value=EXAMPLE, media_type=MEDIA_TYPE, request_only=True)]
    )
}


class YamlBody(BaseParser):
    """Text in, whatever it is said to be: tools that send files name all sorts of types."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """The text.

        Raises:
            ParseError: it is not UTF-8.
        """
        try:
            return read((parser_context or {})["request"]).decode()
        except UnicodeDecodeError as error:
            raise ParseError("The body is not UTF-8.") from error


class YamlText(JSONRenderer):
    """Whoever accepts YAML alone gets it; a problem is told as JSON all the same."""

    media_type = MEDIA_TYPE
    format = "yaml"


class FiredSerializer(serializers.Serializer):
    before = serializers.IntegerField(allow_null=True, help_text="With the automation as it is.")
    after = serializers.IntegerField(allow_null=True, help_text="With the automation as the text has it.")
    notes = serializers.ListField(child=serializers.CharField(), help_text="What is not known, as sentences.")


class PlannedChangeSerializer(serializers.Serializer):
    deed = serializers.ChoiceField(choices=[deed.value for deed in Deed])
    scope = ScopeSerializer()
    name = serializers.CharField()
    id = serializers.IntegerField(allow_null=True, help_text="Of the automation; null until it is created.")
    summary_before = serializers.CharField(allow_blank=True)
    summary_after = serializers.CharField(allow_blank=True)
    differences = RuleChangeSerializer(many=True)
    fired = FiredSerializer(allow_null=True, help_text="In the last 30 days; null once it is applied.")


@extend_schema_serializer(examples=[OpenApiExample("Plan", value=PLAN)])
class PlanSerializer(serializers.Serializer):
    changes = PlannedChangeSerializer(many=True)
    unchanged = serializers.IntegerField(help_text="Automations that are as the text has them.")
    text = serializers.CharField(help_text="The same for people.")


class AutomationsExport(Endpoint):
    renderer_classes = [YamlText, JSONRenderer]

    @extend_schema(
        summary="Export automations as YAML",
        parameters=[
            OpenApiParameter(
                "scope",
                OpenApiTypes.STR,
                many=True,
                description="Only of this scope, as kind:name, such as project:research/digits; may be repeated.",
            )
        ],
        responses={
            (200, MEDIA_TYPE): OpenApiResponse(
                OpenApiTypes.STR, examples=[OpenApiExample("YAML", value=EXAMPLE, media_type=MEDIA_TYPE)]
            )
        },
    )
    def get(self, request: Request) -> HttpResponse:
        """Those you may see, with names instead of ids; the same automations give the same bytes."""
        scopes = ascode.scopes_asked(request.query_params.getlist("scope"))
        text = ascode.export(by=self.user, scopes=scopes)
        return HttpResponse(text, content_type=f"{MEDIA_TYPE}; charset=utf-8")


class AutomationsPlan(Endpoint):
    parser_classes = [YamlBody]

    @extend_schema(summary="Plan automations", parameters=[PRUNE], responses=PlanSerializer, request=TEXT)
    def post(self, request: Request) -> Response:
        """What applying the text would change, and how often each would have fired in the last 30 days."""
        plan = ascode.plan(text_in(request), by=self.user, prune=prunes(request), at=timezone.now())
        return Response(told(plan, text=ascode.text_of(plan)))


class AutomationsApply(Endpoint):
    parser_classes = [YamlBody]

    @extend_schema(summary="Apply automations", parameters=[PRUNE], responses=PlanSerializer, request=TEXT)
    def post(self, request: Request) -> Response:
        """Makes the automations what the text says, all of them or none. Applying it again changes nothing."""
        plan = ascode.apply(text_in(request), by=self.user, prune=prunes(request))
        return Response(told(plan, text=ascode.text_of(plan, applied=True)))


def text_in(request: Request) -> str:
    """The body; a request without any has none to parse."""
    body: Any = request.data
    return body if isinstance(body, str) else ""


def prunes(request: Request) -> bool:
    """What the address says of `prune`.

    Raises:
        ValidationError: it says neither yes nor no.
    """
    asked = request.query_params.get("prune", "false").lower()
    if asked not in {"true", "false", "1", "0"}:
        raise ValidationError({"prune": "Write true or false."})
    return asked in {"true", "1"}


def told(plan: ascode.Plan, *, text: str) -> dict[str, Any]:
    """A plan as it is answered."""
    changes = [
        {
            "deed": change.deed.value,
            "scope": dict(zip(("kind", "name"), change.scope_name, strict=True)),
            "name": change.name,
            "id": change.automation and change.automation.pk,
            "summary_before": change.summary_before,
            "summary_after": change.summary_after,
            "differences": RuleChangeSerializer(change.differences, many=True).data,
            "fired": fired(change),
        }
        for change in plan.changes
    ]
    return {"changes": changes, "unchanged": plan.unchanged, "text": text}


def fired(change: PlannedChange) -> dict[str, Any] | None:
    """How often it would have fired, if that was asked."""
    before, after = change.fired_before, change.fired_after
    known = [forecast for forecast in (before, after) if forecast]
    if not known:
        return None
    notes = list(dict.fromkeys(note for forecast in known for note in forecast.notes))
    return {"before": before and before.count, "after": after and after.count, "notes": notes}
