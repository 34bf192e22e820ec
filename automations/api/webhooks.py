"""Webhooks of a team: its members see them, its admins change and test them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from automations import webhooks
from automations.access import webhook_for
from automations.api.serializers import (
    ExchangeSerializer,
    NewWebhookSerializer,
    TestPayloadSerializer,
    WebhookChangesSerializer,
    WebhookSerializer,
)
from automations.models import Webhook
from projects import access
from projects.access import Permission
from projects.api import preconditions
from projects.api.endpoints import Endpoint
from projects.api.pagination import ByName
from projects.api.preconditions import ETAG, IF_MATCH
from projects.api.problems import answers_with
from projects.models import Team, User
from secrets_vault.models import Secret

answers_with(HTTPStatus.CONFLICT, webhooks.IntegrationInUse)
answers_with(HTTPStatus.TOO_MANY_REQUESTS, webhooks.TestIsRunning)


def with_secrets(fields: dict[str, Any], *, team: Team) -> dict[str, Any]:
    """The fields of a body with secrets in place of their names.

    Raises:
        ValidationError: the team has no secret of that name.
    """
    problems = {}
    for field in ("access_token", "secret"):
        name = fields.get(field)
        if name is not None:
            fields[field] = Secret.objects.filter(team=team, name=name).first()
            if fields[field] is None:
                problems[field] = f"{team} has no secret {name}. Create it first."
    if problems:
        raise ValidationError(problems)
    return fields


def webhook_to_change(user: User, team: str, name: str) -> Webhook:
    """The team's webhook of this name, for an admin of the team.

    Raises:
        Http404: it is not to be seen.
        PermissionDenied: the user may not change webhooks of the team.
    """
    webhook = webhook_for(user, access.team_for(user, team), name)
    access.require(user, Permission.EDIT_SETTINGS, webhook.team)
    return webhook


def _shown(webhook: Webhook, *, status: int = 200) -> Response:
    return preconditions.tagged(Response(WebhookSerializer(webhook).data, status=status), webhooks.mark_of(webhook))


class Webhooks(Endpoint):
    pagination_class = ByName

    @extend_schema(summary="List webhooks", responses=WebhookSerializer(many=True))
    def get(self, request: Request, team: str) -> Response:
        """The team's webhooks, by name."""
        found = access.team_for(self.user, team)
        rows = (
            Webhook.objects.filter(team=found)
            .select_related("team", "access_token", "secret")
            .defer("access_token__value", "secret__value")
            .prefetch_related("headers")
        )
        return self.page(rows, WebhookSerializer)

    @extend_schema(
        summary="Create a webhook",
        parameters=[ETAG],
        request=NewWebhookSerializer,
        responses={201: WebhookSerializer},
    )
    def post(self, request: Request, team: str) -> Response:
        """For admins of the team. Access token and secret are names of the team's secrets."""
        found = access.team_for(self.user, team)
        access.require(self.user, Permission.EDIT_SETTINGS, found)
        fields = with_secrets(self.body(NewWebhookSerializer), team=found)
        return _shown(webhooks.create(found, by=self.user, **fields), status=201)


class OneWebhook(Endpoint):
    @extend_schema(summary="Show a webhook", parameters=[ETAG], responses=WebhookSerializer)
    def get(self, request: Request, team: str, name: str) -> Response:
        """One webhook of the team."""
        return _shown(webhook_for(self.user, access.team_for(self.user, team), name))

    @extend_schema(
        summary="Change a webhook",
        parameters=[IF_MATCH, ETAG],
        request=WebhookChangesSerializer,
        responses=preconditions.answers(WebhookSerializer),
    )
    def patch(self, request: Request, team: str, name: str) -> Response:
        """What is left out stays, whoever changes it meanwhile; `headers` are replaced as a whole."""
        webhook = webhook_to_change(self.user, team, name)
        changes = with_secrets(self.body(WebhookChangesSerializer, partial=True), team=webhook.team)
        with transaction.atomic():
            preconditions.require(request, webhooks.mark_of(webhooks.hold(webhook)))
            changed = webhooks.change(webhook, by=self.user, **changes)
        return _shown(changed)

    @extend_schema(summary="Delete a webhook", parameters=[IF_MATCH], responses={204: None})
    def delete(self, request: Request, team: str, name: str) -> Response:
        """Refused with the list of automations that call it, while any does (409)."""
        webhook = webhook_to_change(self.user, team, name)
        with transaction.atomic():
            preconditions.require(request, webhooks.mark_of(webhooks.hold(webhook)))
            webhooks.delete(webhook, by=self.user)
        return Response(status=204)


class WebhookTest(Endpoint):
    @extend_schema(summary="Test a webhook", request=TestPayloadSerializer, responses=ExchangeSerializer)
    def post(self, request: Request, team: str, name: str) -> Response:
        """Sends the payload with the real credentials, and tells what came back. Nothing is saved.

        One test runs at a time; another is refused meanwhile (429).
        """
        webhook = webhook_to_change(self.user, team, name)
        exchange = webhooks.test(webhook, by=self.user, **self.body(TestPayloadSerializer))
        return Response(ExchangeSerializer(exchange).data)


class WebhookResume(Endpoint):
    @extend_schema(summary="Resume a webhook", request=None, responses=WebhookSerializer)
    def post(self, request: Request, team: str, name: str) -> Response:
        """Lets a webhook be called again that was paused because its endpoint answered 410 Gone."""
        webhook = webhook_to_change(self.user, team, name)
        return Response(WebhookSerializer(webhooks.resume(webhook, by=self.user)).data)
