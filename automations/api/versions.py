"""Versions of automations: listed, shown, compared and restored."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from automations import differences, disclosure, restoring, sentences
from automations.access import automation_for, version_for
from automations.api.serializers import ANSWERED, AUTOMATION, AutomationSerializer
from automations.api.views import shown
from automations.models import AutomationVersion
from automations.models.version import SWITCHES
from projects.api.endpoints import Endpoint
from projects.api.pagination import Newest

RULE = {name: value for name, value in AUTOMATION.items() if name not in {*ANSWERED, *SWITCHES}}
VERSION = {
    "number": 2,
    "summary": AUTOMATION["summary"],
    "rule": RULE,
    "created_by": "alice",
    "created_at": "2026-05-04T09:30:00Z",
}
CHANGE = {
    "field": "condition.states",
    "before": ["FAILED"],
    "after": ["FAILED", "FINISHED"],
    "lines": [],
}


@extend_schema_serializer(examples=[OpenApiExample("Version", value=VERSION)])
class AutomationVersionSerializer(serializers.ModelSerializer[AutomationVersion]):
    """For versions that `disclosure.prepare_versions` made fit for the reader."""

    summary = serializers.SerializerMethodField(help_text="The automation as one sentence.")
    rule = serializers.SerializerMethodField(
        help_text="As the automation was; null if it covered something that is gone, or that you may not see."
    )
    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True)

    class Meta:
        model = AutomationVersion
        fields = list(VERSION)

    def get_summary(self, version: AutomationVersion) -> str:
        return "" if version.hidden else sentences.summary_of(version.rule)

    @extend_schema_field({"type": ["object", "null"], "additionalProperties": {}})
    def get_rule(self, version: AutomationVersion) -> dict[str, Any] | None:
        return None if version.hidden else told(version.rule)


class RuleLineSerializer(serializers.Serializer):
    sign = serializers.ChoiceField(
        choices=[("+", "came"), ("-", "went"), (" ", "stayed"), ("…", "others stayed")], help_text="What became of it."
    )
    text = serializers.CharField(allow_blank=True)


@extend_schema_serializer(examples=[OpenApiExample("Change", value=CHANGE)])
class RuleChangeSerializer(serializers.Serializer):
    field = serializers.CharField(help_text="Path of the field in the rule.")
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)
    lines = RuleLineSerializer(many=True, help_text="Of a text of several lines, or a filter: what changed.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Difference",
            value={
                "from": 1,
                "to": 2,
                "summary_before": "When a run fails, call webhook pager",
                "summary_after": "When a run finishes or fails, call webhook pager",
                "changes": [CHANGE],
            },
        )
    ]
)
class RuleDifferenceSerializer(serializers.Serializer):
    to = serializers.IntegerField()
    summary_before = serializers.CharField()
    summary_after = serializers.CharField()
    changes = RuleChangeSerializer(many=True)

    def get_fields(self) -> dict[str, Any]:
        return {"from": serializers.IntegerField()} | super().get_fields()


class NewestNumbers(Newest):
    """The highest number first."""

    ordering = "-number"


class Versions(Endpoint):
    pagination_class = NewestNumbers
    queryset = AutomationVersion.objects.none()  # tells the OpenAPI document what is listed

    @extend_schema(summary="List versions of an automation", responses=AutomationVersionSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """What each edit made of it, newest first. Enabling and disabling make no version."""
        rows = automation_for(self.user, pk).versions.select_related("created_by")
        page = self.paginate_queryset(rows) or []
        prepared = disclosure.prepare_versions(page, reader=self.user)
        return self.get_paginated_response(AutomationVersionSerializer(prepared, many=True).data)


class OneVersion(Endpoint):
    @extend_schema(summary="Show a version of an automation", responses=AutomationVersionSerializer)
    def get(self, request: Request, pk: int, number: int) -> Response:
        """The automation as it was after this edit."""
        version = version_for(automation_for(self.user, pk), number)
        return Response(AutomationVersionSerializer(disclosure.prepare_versions([version], reader=self.user)[0]).data)


class VersionDifference(Endpoint):
    @extend_schema(
        summary="Compare two versions of an automation",
        parameters=[
            OpenApiParameter(
                "from", OpenApiTypes.INT, description="Number to compare with; the one before unless said."
            )
        ],
        responses=RuleDifferenceSerializer,
    )
    def get(self, request: Request, pk: int, number: int) -> Response:
        """What this version has otherwise than the one before, or than the one named by `from`."""
        automation = automation_for(self.user, pk)
        asked = request.query_params.get("from", str(number - 1))
        if not (asked.isascii() and asked.isdigit() and len(asked) <= 9):
            raise ValidationError({"from": "Send the number of a version."})
        pair = [version_for(automation, int(asked)), version_for(automation, number)]
        before, after = disclosure.prepare_versions(pair, reader=self.user)
        if before.hidden or after.hidden:
            raise Http404("One of the versions covered something that is gone, or that you may not see.")
        return Response(
            {
                "from": before.number,
                "to": after.number,
                "summary_before": sentences.summary_of(before.rule),
                "summary_after": sentences.summary_of(after.rule),
                "changes": RuleChangeSerializer(differences.between(before.rule, after.rule), many=True).data,
            }
        )


class VersionRestore(Endpoint):
    @extend_schema(summary="Restore a version of an automation", request=None, responses=AutomationSerializer)
    def post(self, request: Request, pk: int, number: int) -> Response:
        """Makes a new version that is equal to this one, checked like any edit. Switches such as enabled stay."""
        automation = automation_for(self.user, pk)
        return shown(self.user, restoring.restore(version_for(automation, number), by=self.user))


def told(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule without the keys by which this server finds what it points at."""
    scope = {name: rule["scope"][name] for name in ("kind", "name")}
    return {name: value for name, value in rule.items() if name not in differences.KEYS} | {"scope": scope}
