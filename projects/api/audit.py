"""The audit log: who changed which setting when. For admins."""

from __future__ import annotations

import django_filters
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from projects import access, audit
from projects.api.endpoints import Document, Endpoint
from projects.models import AuditRecord

RECORD = {
    "at": "2026-05-04T09:30:00Z",
    "actor": "alice",
    "team": "research",
    "place": "research",
    "kind": "member",
    "deed": "changed",
    "object_name": "bob",
    "object_id": 2,
    "before": {"role": "member"},
    "after": {"role": "admin"},
}


@extend_schema_serializer(examples=[OpenApiExample("A change", value=RECORD)])
class AuditRecordSerializer(serializers.ModelSerializer[AuditRecord]):
    actor = serializers.CharField(source="actor_name", help_text="Empty for the server itself and its commands.")
    team = serializers.CharField(
        source="team.name", default=None, allow_null=True, help_text="Null for changes of the organization itself."
    )
    before = Document(help_text="What differed, as it was. Never the value of a secret.")
    after = Document()

    class Meta:
        model = AuditRecord
        fields = list(RECORD)


class AuditFilters(django_filters.FilterSet):  # type: ignore[misc]  # the package ships no types
    actor = django_filters.CharFilter("actor_name", help_text="User name of whoever changed something.")
    kind = django_filters.CharFilter("kind", help_text="Such as “secret”, “webhook”, “member” or “automation”.")
    since = django_filters.IsoDateTimeFilter("at", "gte", help_text="Not before this time.")
    until = django_filters.IsoDateTimeFilter("at", "lt", help_text="Before this time.")

    class Meta:
        model = AuditRecord
        fields: list[str] = []


class TeamAudit(Endpoint):
    filter_backends = [DjangoFilterBackend]
    filterset_class = AuditFilters
    queryset = AuditRecord.objects.none()

    @extend_schema(summary="Read a team's audit log", responses=AuditRecordSerializer(many=True))
    def get(self, request: Request, team: str) -> Response:
        """Changes of settings, members, secrets, integrations and automations, newest first. For admins of the team."""
        records = audit.of_team(access.team_for(self.user, team), reader=self.user)
        return self.page(records.select_related("team"), AuditRecordSerializer)


class OrganizationAudit(Endpoint):
    filter_backends = [DjangoFilterBackend]
    filterset_class = AuditFilters
    queryset = AuditRecord.objects.none()

    @extend_schema(summary="Read an organization's audit log", responses=AuditRecordSerializer(many=True))
    def get(self, request: Request, organization: str) -> Response:
        """The same for the organization with all of its teams and registries. For admins of the organization."""
        _, records = audit.of_organization(organization, reader=self.user)
        return self.page(records.select_related("team"), AuditRecordSerializer)
