"""Signing in to the API with a key: as a bearer token, or with HTTP Basic as the wandb client does."""

from __future__ import annotations

import base64
import binascii

from django.http import HttpRequest
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from projects import keys
from projects.models import User

UNKNOWN_KEY = (
    "This API key is unknown or was revoked. Send a valid one as “Authorization: Bearer <key>”;"
    " team admins and operators can make one."
)


def key_in(request: HttpRequest) -> str | None:
    """The key a request carries, or None: `Bearer <key>`, or Basic with the user name `api`."""
    header: str = request.META.get("HTTP_AUTHORIZATION", "")
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if scheme.lower() == "basic":
        try:
            user, _, key = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return ""
        return key if user == "api" else ""
    return None


class ApiKeyAuthentication(BaseAuthentication):
    """Requests with an `Authorization` header are signed in by its key, or refused."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        key = key_in(request)
        if key is None:
            return None
        user = keys.user_of(key)
        if user is None:
            raise AuthenticationFailed(UNKNOWN_KEY)
        return user, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document describes `ApiKeyAuthentication`."""

    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API key."}
