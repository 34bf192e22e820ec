"""Executions: what was done, to be read."""

from __future__ import annotations

import uuid

import django_filters
from django import forms
from django.db.models import QuerySet
from django.http import Http404
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from automations import disclosure, kit, loops, sentences
from automations.access import execution_for
from automations.api.history import ExecutionDetailSerializer, ExecutionSerializer, ReceiverKitSerializer
from automations.models import ActionKind, EventType, Execution, Status
from projects.api.endpoints import Endpoint
from projects.models import Project
from registries.models import Registry


class KeyFilter(django_filters.Filter):  # type: ignore[misc]  # the package ships no types
    """An automation's number, in the bounds of the database."""

    field_class = forms.IntegerField

    def __init__(self, **options: object) -> None:
        super().__init__(min_value=0, max_value=2**63 - 1, **options)


class ExecutionFilters(django_filters.FilterSet):  # type: ignore[misc]
    status = django_filters.ChoiceFilter(choices=Status.choices)
    automation = KeyFilter(field_name="automation_id", help_text="Of the automation with this id.")
    project = django_filters.CharFilter(method="in_project", help_text="In the project team/project.")
    registry = django_filters.CharFilter(method="in_registry", help_text="In the registry organization/registry.")
    collection = django_filters.CharFilter(
        field_name="event__collection__name", help_text="Of events in collections of this name."
    )
    digest = django_filters.UUIDFilter(field_name="digest__key", help_text="In the digest with this key.")
    shadow = django_filters.BooleanFilter(help_text="Of automations in shadow mode, which send nothing; or of others.")
    event_type = django_filters.ChoiceFilter(field_name="event_type", choices=EventType.choices)
    action_kind = django_filters.ChoiceFilter(choices=ActionKind.choices)
    since = django_filters.IsoDateTimeFilter(
        field_name="created_at", lookup_expr="gte", help_text="Not before this time; without a zone, in UTC."
    )
    until = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt", help_text="Before this time.")

    class Meta:
        model = Execution
        fields: list[str] = []

    def in_project(self, rows: QuerySet[Execution], name: str, value: str) -> QuerySet[Execution]:
        team, _, project = value.partition("/")
        found = Project.objects.visible_to(self.request.user).filter(team__name=team, name=project)
        return rows.filter(project__in=found)

    def in_registry(self, rows: QuerySet[Execution], name: str, value: str) -> QuerySet[Execution]:
        organization, _, registry = value.partition("/")
        found = Registry.objects.visible_to(self.request.user).filter(organization__name=organization, name=registry)
        return rows.filter(registry__in=found)


class Executions(Endpoint):
    filter_backends = [DjangoFilterBackend]
    filterset_class = ExecutionFilters
    queryset = Execution.objects.none()  # tells the OpenAPI document what is filtered

    @extend_schema(summary="List executions", responses=ExecutionSerializer(many=True))
    def get(self, request: Request) -> Response:
        """What automations did in the projects and registries you may see, newest first."""
        rows = Execution.objects.visible_to(self.user).select_related(
            "project__team", "registry__organization", "event__run", "digest", "origin", "redelivery__asked_by"
        )
        page = self.paginate_queryset(self.filter_queryset(rows)) or []
        shown = disclosure.prepare(page, reader=self.user)
        return self.get_paginated_response(ExecutionSerializer(shown, many=True).data)


class OneExecution(Endpoint):
    @extend_schema(summary="Show an execution", responses=ExecutionDetailSerializer)
    def get(self, request: Request, key: uuid.UUID) -> Response:
        """One execution with its event, what was sent, and every attempt."""
        execution = execution_for(self.user, key)
        before = loops.executions_before(execution.event, reader=self.user)
        disclosure.prepare([execution], reader=self.user)
        return Response(ExecutionDetailSerializer(execution, context={"before": before}).data)


class ReceiverKit(Endpoint):
    @extend_schema(summary="Show the receiver kit of an execution", responses=ReceiverKitSerializer)
    def get(self, request: Request, key: uuid.UUID) -> Response:
        """Of a webhook's execution: a `curl` that sends its message once more, with secrets as variables of the shell,
        and code that verifies the signatures."""
        execution = execution_for(self.user, key)
        disclosure.prepare([execution], reader=self.user)
        found = None if execution.target in sentences.HIDDEN.values() else kit.of(execution)
        if found is None:
            raise Http404("There is no receiver kit: no webhook was called that you may see.")
        return Response({"curl": found.curl, "verify": {snippet.language: snippet.text for snippet in found.snippets}})
