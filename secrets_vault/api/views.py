"""Team secrets: listed by name, written, never read."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Any, cast

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from projects import access
from projects.access import Permission
from projects.api.endpoints import Endpoint
from projects.api.pagination import ByName
from projects.api.problems import answers_with
from projects.models import User
from secrets_vault import secrets
from secrets_vault.api.serializers import (
    NewSecretSerializer,
    SecretSerializer,
    SecretValueSerializer,
    SecretVersionSerializer,
)
from secrets_vault.models import Secret

answers_with(HTTPStatus.CONFLICT, secrets.SecretInUse, secrets.RotatedMeanwhile)


def secret_to_change(user: User, team: str, name: str) -> Secret:
    """The team's secret of this name, for an admin of the team.

    Raises:
        Http404: it is not to be seen.
        PermissionDenied: the user may not change secrets of the team.
    """
    secret = secret_for(user, team, name)
    access.require(user, Permission.EDIT_SETTINGS, secret.team)
    return secret


def secret_for(user: User, team: str, name: str) -> Secret:
    """The team's secret of this name, sealed.

    Raises:
        Http404: it is not to be seen.
    """
    found = access.team_for(user, team)
    secret: Secret | None = Secret.objects.select_related("team").filter(team=found, name=name).first()
    if secret is None:
        raise Http404(f"There is no secret “{name}” in {team}.")
    return secret


def shown(secret: Secret) -> dict[str, Any]:
    """The secret as the API shows it, without its value."""
    row = Secret.objects.with_overlap(at=timezone.now()).get(pk=secret.pk)
    return cast("dict[str, Any]", SecretSerializer(row).data)


class Secrets(Endpoint):
    pagination_class = ByName

    @extend_schema(summary="List secrets", responses=SecretSerializer(many=True))
    def get(self, request: Request, team: str) -> Response:
        """Names of the team's secrets; values are never shown."""
        found = access.team_for(self.user, team)
        return self.page(Secret.objects.filter(team=found).with_overlap(at=timezone.now()), SecretSerializer)

    @extend_schema(summary="Create a secret", request=NewSecretSerializer, responses={201: SecretSerializer})
    def post(self, request: Request, team: str) -> Response:
        """The value is sealed and never shown again."""
        found = access.team_for(self.user, team)
        access.require(self.user, Permission.EDIT_SETTINGS, found)
        secret = secrets.create(found, by=self.user, **self.body(NewSecretSerializer))
        return Response(shown(secret), status=201)


class OneSecret(Endpoint):
    @extend_schema(summary="Show a secret", responses=SecretSerializer)
    def get(self, request: Request, team: str, name: str) -> Response:
        """Its name, version and dates; its value is never shown."""
        return Response(shown(secret_for(self.user, team, name)))

    @extend_schema(summary="Rotate a secret", request=SecretValueSerializer, responses=SecretSerializer)
    def put(self, request: Request, team: str, name: str) -> Response:
        """Replace the value. The old one stops at once, or signs beside the new one for `overlap_hours`."""
        return self._rotate(team, name)

    @extend_schema(summary="Rotate a secret", request=SecretValueSerializer, responses=SecretSerializer)
    def patch(self, request: Request, team: str, name: str) -> Response:
        """The same as PUT."""
        return self._rotate(team, name)

    @extend_schema(summary="Delete a secret", responses={204: None})
    def delete(self, request: Request, team: str, name: str) -> Response:
        """Refused with the list of what uses it, while anything does (409)."""
        secrets.delete(secret_to_change(self.user, team, name), by=self.user)
        return Response(status=204)

    def _rotate(self, team: str, name: str) -> Response:
        secret = secret_to_change(self.user, team, name)
        fields = self.body(SecretValueSerializer)
        fields["overlap"] = timedelta(hours=fields.pop("overlap_hours"))
        rotated = secrets.rotate(secret, by=self.user, at=timezone.now(), **fields)
        return Response(shown(rotated))


class OldValueEnd(Endpoint):
    @extend_schema(summary="End a secret's old value", request=SecretVersionSerializer, responses=SecretSerializer)
    def post(self, request: Request, team: str, name: str) -> Response:
        """Only the new value signs from now on."""
        secret = secret_to_change(self.user, team, name)
        ended = secrets.end_old_value(secret, by=self.user, **self.body(SecretVersionSerializer))
        return Response(shown(ended))
