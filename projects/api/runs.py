"""Runs: started, changed and ended by the scripts they belong to."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from projects import access, runs, teams
from projects.access import Permission
from projects.api.endpoints import Endpoint
from projects.api.pagination import NewestRuns
from projects.api.serializers import (
    NewRunSerializer,
    RunChangesSerializer,
    RunEndSerializer,
    RunSerializer,
    RunStateSerializer,
)
from projects.models import Project, Run, RunState, User


def project_to_log_to(user: User, team: str, project: str) -> Project:
    """The project, made if the team has none of this name; runs in the caller's transaction.

    Raises:
        Http404: the team is not to be seen.
        PermissionDenied: the user may not log there.
        ValidationError: bad name.
    """
    found = access.team_for(user, team)
    access.require(user, Permission.LOG, found)
    return teams.ensure_project(project, team=found)


class RunFilters(django_filters.FilterSet):  # type: ignore[misc]  # the package ships no types
    state = django_filters.ChoiceFilter(choices=RunState.choices, help_text="Runs in this state.")
    user = django_filters.CharFilter("user__username", help_text="Runs of the user of this name.")
    display_name = django_filters.CharFilter(
        lookup_expr="icontains", help_text="Runs with this text in their display name."
    )

    class Meta:
        model = Run
        fields: list[str] = []


class Runs(Endpoint):
    pagination_class = NewestRuns
    filter_backends = [DjangoFilterBackend]
    filterset_class = RunFilters
    queryset = Run.objects.none()  # tells the OpenAPI document what is filtered

    @extend_schema(summary="List runs", responses=RunSerializer(many=True))
    def get(self, request: Request, team: str, project: str) -> Response:
        """The project's runs, newest first."""
        found = access.project_for(self.user, team, project)
        rows: QuerySet[Run] = Run.objects.filter(project=found).select_related("project__team", "user")
        return self.page(rows, RunSerializer)

    @extend_schema(summary="Start a run", request=NewRunSerializer, responses={201: RunSerializer})
    def post(self, request: Request, team: str, project: str) -> Response:
        """The project is made if the team has none of this name. An id that is taken is a conflict (409)."""
        with transaction.atomic():
            home = project_to_log_to(self.user, team, project)
            run = runs.create(home, by=self.user, at=timezone.now(), **self.body(NewRunSerializer))
        return Response(RunSerializer(run).data, status=201)


class OneRun(Endpoint):
    @extend_schema(summary="Show a run", responses=RunSerializer)
    def get(self, request: Request, **path: str) -> Response:
        """One run, with its config and the last value of everything it logged."""
        return Response(RunSerializer(access.run_for(self.user, **path)).data)

    @extend_schema(summary="Change a run", request=RunChangesSerializer, responses=RunSerializer)
    def patch(self, request: Request, **path: str) -> Response:
        """Names, config, summary, tags and notes; `config` and `summary` are merged into what is there."""
        run = access.run_to_log_to(self.user, **path)
        changes = self.body(RunChangesSerializer)
        return Response(RunSerializer(runs.update(run, changes=changes) if changes else run).data)


class RunFinish(Endpoint):
    @extend_schema(summary="Finish a run", request=RunEndSerializer, responses=RunSerializer)
    def post(self, request: Request, **path: str) -> Response:
        """The script ended: exit code 0 finishes the run, any other fails it. Saying it twice is harmless."""
        run = access.run_to_log_to(self.user, **path)
        ended = runs.finish(run, by=self.user, at=timezone.now(), **self.body(RunEndSerializer))
        return Response(RunSerializer(ended).data)


class RunKill(Endpoint):
    @extend_schema(summary="Kill a run", request=None, responses=RunSerializer)
    def post(self, request: Request, **path: str) -> Response:
        """Mark the run as stopped on purpose. No automation fires on that."""
        run = access.run_to_log_to(self.user, **path)
        return Response(RunSerializer(runs.kill(run, by=self.user, at=timezone.now())).data)


class RunStart(Endpoint):
    @extend_schema(summary="Start or resume a run", request=None, responses=RunSerializer)
    def post(self, request: Request, **path: str) -> Response:
        """A pending run begins; one that was over runs again."""
        run = access.run_to_log_to(self.user, **path)
        return Response(RunSerializer(runs.start(run, by=self.user, at=timezone.now())).data)


class RunHeartbeat(Endpoint):
    @extend_schema(summary="Say that a run is alive", request=None, responses=RunStateSerializer)
    def post(self, request: Request, **path: Any) -> Response:
        """Send this every 30 seconds while nothing is logged: a run silent for minutes counts as crashed."""
        run = access.run_to_log_to(self.user, **path)
        return Response(RunStateSerializer(runs.heartbeat(run, at=timezone.now())).data)
