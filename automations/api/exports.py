"""History as files, over the API: the same filters as the list, all rows at once."""

from __future__ import annotations

from typing import Any

from django.http import StreamingHttpResponse
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request

from automations import history_export
from automations.api.executions import ExecutionFilters
from automations.api.history import EXECUTION
from automations.models import Execution
from projects.api.endpoints import Endpoint

EXPORTED = {name: EXECUTION.get(name) for name in history_export.COLUMNS} | {
    "action_kind": "GENERIC_WEBHOOK",
    "subject": "prod-7",
}
CSV = "key,created_at,status,…\r\n0b9f6a52-4c1e-4a34-9d6f-0f6f5e1c8f0a,2026-05-04T09:30:00+00:00,finished,…\r\n"


@extend_schema_serializer(examples=[OpenApiExample("A row", value=EXPORTED)])
class ExportedSerializer(serializers.Serializer):
    """A row of the file; see the list of executions for what the fields mean."""

    key = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    status = serializers.CharField()
    reason_code = serializers.CharField(allow_blank=True)
    shadow = serializers.BooleanField()
    result = serializers.CharField(allow_blank=True)
    automation = serializers.IntegerField(allow_null=True)
    automation_name = serializers.CharField()
    event_type = serializers.CharField()
    action_kind = serializers.CharField()
    summary = serializers.CharField()
    matched_because = serializers.CharField()
    subject = serializers.CharField(help_text="The run, version or collection, by name.")
    project = serializers.CharField(allow_null=True)
    registry = serializers.CharField(allow_null=True)
    run = serializers.CharField(allow_null=True)
    target = serializers.CharField(allow_blank=True)
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    attempt_count = serializers.IntegerField()


class Export(Endpoint):
    """What both files have in common; addresses say which it is by `form`."""

    filter_backends = [DjangoFilterBackend]
    filterset_class = ExecutionFilters
    queryset = Execution.objects.none()  # tells the OpenAPI document what is filtered
    pagination_class = None

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:  # noqa: FBT001, FBT002
        # The address says what comes, whatever else the client takes.
        return super().perform_content_negotiation(request, force=True)

    def exported(self, form: str) -> StreamingHttpResponse:
        rows = self.filter_queryset(Execution.objects.visible_to(self.user))
        return history_export.response(rows, form=form, name="automations", reader=self.user)


class ExportCsv(Export):
    @extend_schema(
        summary="Export executions as CSV",
        responses={
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, examples=[OpenApiExample("The file", value=CSV)])
        },
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """All executions that meet the filters, newest first. Cells that a spreadsheet would run begin with “'”."""
        return self.exported("csv")


class ExportJson(Export):
    @extend_schema(summary="Export executions as JSON", responses=ExportedSerializer(many=True))
    def get(self, request: Request) -> StreamingHttpResponse:
        """All executions that meet the filters, newest first, as one list."""
        return self.exported("json")
