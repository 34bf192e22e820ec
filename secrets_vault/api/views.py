"""Team secrets: listed by name, written, never read."""

from __future__ import annotations

from http import HTTPStatus

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
from secrets_vault.api.serializers import NewSecretSerializer, SecretSerializer, SecretValueSerializer
from secrets_vault.models import Secret

answers_with(HTTPStatus.CONFLICT, secrets.SecretInUse)


def secret_to_change(user: User, team: str, name: str) -> Secret:
    """The team's secret of this name, for an admin of the team.

    Raises:
        Http404: it is not to be seen.
        PermissionDenied: the user may not change secrets of the team.
    """
    found = access.team_for(user, team)
    secret: Secret | None = Secret.objects.filter(team=found, name=name).first()
    if secret is None:
        raise Http404(f"There is no secret “{name}” in {team}.")
    access.require(user, Permission.EDIT_SETTINGS, found)
    return secret


class Secrets(Endpoint):
    pagination_class = ByName

    @extend_schema(summary="List secrets", responses=SecretSerializer(many=True))
    def get(self, request: Request, team: str) -> Response:
        """Names of the team's secrets; values are never shown."""
        found = access.team_for(self.user, team)
        return self.page(Secret.objects.filter(team=found), SecretSerializer)

    @extend_schema(summary="Create a secret", request=NewSecretSerializer, responses={201: SecretSerializer})
    def post(self, request: Request, team: str) -> Response:
        """The value is sealed and never shown again."""
        found = access.team_for(self.user, team)
        access.require(self.user, Permission.EDIT_SETTINGS, found)
        secret = secrets.create(found, by=self.user, **self.body(NewSecretSerializer))
        return Response(SecretSerializer(secret).data, status=201)


class OneSecret(Endpoint):
    @extend_schema(summary="Rotate a secret", request=SecretValueSerializer, responses=SecretSerializer)
    def put(self, request: Request, team: str, name: str) -> Response:
        """Replace the value; the old one stops working at once."""
        return self._rotate(team, name)

    @extend_schema(summary="Rotate a secret", request=SecretValueSerializer, responses=SecretSerializer)
    def patch(self, request: Request, team: str, name: str) -> Response:
        """The same as PUT."""
        return self._rotate(team, name)

    @extend_schema(summary="Delete a secret", responses={204: None})
    def delete(self, request: Request, team: str, name: str) -> Response:
        """Refused with the list of what uses it, while anything does (409)."""
        secrets.delete(secret_to_change(self.user, team, name))
        return Response(status=204)

    def _rotate(self, team: str, name: str) -> Response:
        secret = secret_to_change(self.user, team, name)
        rotated = secrets.rotate(secret, at=timezone.now(), **self.body(SecretValueSerializer))
        return Response(SecretSerializer(rotated).data)
