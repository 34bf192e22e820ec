"""Automations: listed over all scopes one may see, created, changed, deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import django_filters
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from automations import editing, history
from automations.access import (
    WITH_SCOPES,
    Scope,
    automation_for,
    require_edit,
    slack_channel_for,
    team_of,
    webhook_for,
)
from automations.api.scopes import KINDS, scope_named, scope_of
from automations.api.serializers import (
    AutomationChangesSerializer,
    AutomationReplacementSerializer,
    AutomationSerializer,
    NewAutomationSerializer,
)
from automations.disclosure import administered_organizations
from automations.editing import Draft
from automations.models import Automation, EventType, SlackChannel, Webhook
from projects.access import team_for
from projects.api import preconditions
from projects.api.endpoints import Endpoint
from projects.api.preconditions import ETAG, IF_MATCH
from projects.api.problems import answers_with
from projects.models import Team, User

answers_with(HTTPStatus.CONFLICT, editing.NameTaken)


# What a body names of a team, and who finds it.
INTEGRATIONS: dict[str, Callable[[User, Team, str], Webhook | SlackChannel]] = {
    "webhook": webhook_for,
    "slack_channel": slack_channel_for,
}


def with_integrations(user: User, fields: dict[str, Any], *, scope: Scope) -> dict[str, Any]:
    """The fields of a body with the webhook and the Slack channel in place of their names.

    Raises:
        ValidationError: there is none the user may see.
    """
    named = {field: fields[field] for field in INTEGRATIONS if fields.get(field) is not None}
    return fields | {field: integration_named(user, field, name, scope=scope) for field, name in named.items()}


def integration_named(user: User, field: str, name: str, *, scope: Scope) -> Webhook | SlackChannel:
    """What a body names as `team/name`, or by its name alone if it is of the scope's own team.

    Raises:
        ValidationError: for the field: there is none the user may see.
    """
    own = team_of(scope)
    team, slash, rest = name.partition("/")
    if not slash and own is None:
        raise ValidationError({field: f"Say of which team “{name}” is: write it as team/{name}."})
    try:
        return INTEGRATIONS[field](user, team_for(user, team) if slash else own, rest if slash else name)  # type: ignore[arg-type]
    except Http404 as error:
        raise ValidationError({field: str(error)}) from error


def visible_teams(user: User) -> set[int]:
    """Keys of the teams whose webhooks and Slack channels the reader may know of."""
    teams = Team.objects.visible_to(user).filter(Q(webhooks__isnull=False) | Q(slack_channels__isnull=False))
    return set(teams.values_list("pk", flat=True))


def known_to(user: User) -> dict[str, set[int]]:
    """What serializers of automations must know of the reader."""
    return {"visible_teams": visible_teams(user), "administered": administered_organizations(user)}


class AutomationFilters(django_filters.FilterSet):  # type: ignore[misc]  # the package ships no types
    scope = django_filters.ChoiceFilter(
        method="of_kind", choices=[(kind, kind) for kind in KINDS], help_text="Automations of this kind of scope."
    )
    team = django_filters.CharFilter(method="of_team", help_text="Of the team, its projects and collections.")
    project = django_filters.CharFilter(
        method="of_project", help_text="Of the project (team/project) and its collections."
    )
    registry = django_filters.CharFilter(
        method="of_registry", help_text="Of the registry (organization/registry) and its collections."
    )
    event_type = django_filters.ChoiceFilter(choices=EventType.choices)
    enabled = django_filters.BooleanFilter()
    shadow = django_filters.BooleanFilter()
    search = django_filters.CharFilter(method="with_text", help_text="With this text in name or description.")

    class Meta:
        model = Automation
        fields: list[str] = []

    def of_kind(self, rows: QuerySet[Automation], name: str, value: str) -> QuerySet[Automation]:
        if value == "registry_collection":
            return rows.filter(collection__registry__isnull=False)
        if value == "collection":
            return rows.filter(collection__project__isnull=False)
        return rows.filter(**{f"{value}__isnull": False})

    def of_team(self, rows: QuerySet[Automation], name: str, value: str) -> QuerySet[Automation]:
        return rows.filter(
            Q(team__name=value) | Q(project__team__name=value) | Q(collection__project__team__name=value)
        )

    def of_project(self, rows: QuerySet[Automation], name: str, value: str) -> QuerySet[Automation]:
        team, _, project = value.partition("/")
        return rows.filter(
            Q(project__team__name=team, project__name=project)
            | Q(collection__project__team__name=team, collection__project__name=project)
        )

    def of_registry(self, rows: QuerySet[Automation], name: str, value: str) -> QuerySet[Automation]:
        organization, _, registry = value.partition("/")
        return rows.filter(
            Q(registry__organization__name=organization, registry__name=registry)
            | Q(collection__registry__organization__name=organization, collection__registry__name=registry)
        )

    def with_text(self, rows: QuerySet[Automation], name: str, value: str) -> QuerySet[Automation]:
        return history.searched(rows, value)


class Automations(Endpoint):
    filter_backends = [DjangoFilterBackend]
    filterset_class = AutomationFilters
    queryset = Automation.objects.none()  # tells the OpenAPI document what is filtered

    @extend_schema(summary="List automations", responses=AutomationSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The automations of all scopes you may see, newest first."""
        rows = Automation.objects.visible_to(self.user).select_related(*WITH_SCOPES)
        return self.page(rows, AutomationSerializer, **known_to(self.user))

    @extend_schema(
        summary="Create an automation",
        parameters=[ETAG],
        request=NewAutomationSerializer,
        responses={201: AutomationSerializer},
    )
    def post(self, request: Request) -> Response:
        """When this event happens in the scope, and its condition holds, the action runs."""
        fields = self.body(NewAutomationSerializer)
        scope = scope_named(self.user, **fields.pop("scope"))
        require_edit(self.user, scope)
        fields = with_integrations(self.user, fields, scope=scope)
        automation = editing.create(Draft(**fields), scope=scope, by=self.user)
        return shown(self.user, automation, status=201)


class OneAutomation(Endpoint):
    @extend_schema(summary="Show an automation", parameters=[ETAG], responses=AutomationSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """One automation."""
        return shown(self.user, automation_for(self.user, pk))

    @extend_schema(
        summary="Replace an automation",
        parameters=[IF_MATCH, ETAG],
        request=AutomationReplacementSerializer,
        responses=preconditions.answers(AutomationSerializer),
    )
    def put(self, request: Request, pk: int) -> Response:
        """What is left out gets its default, so send the `ETag` you read as `If-Match`. The scope stays what it is."""
        automation = self._automation_to_change(pk)
        fields = self._changes(automation, AutomationReplacementSerializer)
        with self._as_it_was_read(automation):
            changed = editing.update(automation, Draft(**fields), by=self.user)
        return shown(self.user, changed)

    @extend_schema(
        summary="Change an automation",
        parameters=[IF_MATCH, ETAG],
        request=AutomationChangesSerializer,
        responses=preconditions.answers(AutomationSerializer),
    )
    def patch(self, request: Request, pk: int) -> Response:
        """What is left out stays, whoever changes it meanwhile; `{"enabled": false}` switches it off."""
        automation = self._automation_to_change(pk)
        fields = self._changes(automation, AutomationChangesSerializer, partial=True)
        with self._as_it_was_read(automation):
            changed = editing.change(automation, by=self.user, **fields)
        return shown(self.user, changed)

    @extend_schema(summary="Delete an automation", parameters=[IF_MATCH], responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """What it did stays in the history."""
        automation = automation_for(self.user, pk)
        with self._as_it_was_read(automation):
            editing.delete(automation, by=self.user)
        return Response(status=204)

    @contextmanager
    def _as_it_was_read(self, automation: Automation) -> Iterator[None]:
        """Carries out what is inside if the automation still is what If-Match names, and holds it meanwhile."""
        with transaction.atomic():
            preconditions.require(self.request, editing.mark_of(editing.hold(automation)))
            yield

    def _automation_to_change(self, pk: int) -> Automation:
        automation = automation_for(self.user, pk)
        require_edit(self.user, automation.scope)
        return automation

    def _changes(
        self, automation: Automation, shape: type[NewAutomationSerializer], *, partial: bool = False
    ) -> dict[str, Any]:
        fields = self.body(shape, partial=partial)
        if fields.pop("scope", None) not in (None, scope_of(automation)):
            raise ValidationError(
                {"scope": "An automation stays in its scope. Create another one there, and delete this one."}
            )
        return with_integrations(self.user, fields, scope=automation.scope)


def shown(user: User, automation: Automation, *, status: int = 200) -> Response:
    """The answer that describes one automation."""
    answer = Response(AutomationSerializer(automation, context=known_to(user)).data, status=status)
    return preconditions.tagged(answer, editing.mark_of(automation))
