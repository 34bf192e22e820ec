"""Errors as the client understands them: it branches on the HTTP status, and shows the message.

A 5xx makes it try again for up to 15 minutes, so only what may pass by itself (a database that is busy or restarting, a
full disk) is one. Whatever a request is at fault for is a 4xx; a fault of ours is a 400 that says so, because a script
must not hang on it.
"""

from __future__ import annotations

from http import HTTPStatus

import structlog
from django.core.exceptions import BadRequest
from django.db import DataError
from django.http import HttpResponse, JsonResponse
from graphql import GraphQLError

from projects import outages
from projects.api import problems
from wandb_gateway.auth import NotSignedIn
from wandb_gateway.ids import UnknownId

log = structlog.get_logger(__name__)

OUR_FAULT = "Something went wrong in the server; the request was not at fault. The server's log says more."
UNSTORABLE = "The request holds something that the database cannot take, such as a NUL character. Leave it out."


class Unsupported(Exception):
    """The client asked for something that this server does not have."""


problems.answers_with(HTTPStatus.UNAUTHORIZED, NotSignedIn)
problems.answers_with(HTTPStatus.NOT_FOUND, UnknownId)
problems.answers_with(HTTPStatus.BAD_REQUEST, BadRequest, Unsupported, GraphQLError)


def describe(error: Exception) -> tuple[int, str]:
    """The status and the sentence for an exception; what nobody foresaw is logged."""
    outage = outages.of(error)
    if outage is not None:
        log.warning("outage", status=outage.status, exc_info=error)
        return outage.status, str(outage.sentence)
    if isinstance(error, DataError):
        log.warning("unstorable", exc_info=error)
        return HTTPStatus.BAD_REQUEST, UNSTORABLE
    found = problems.describe(error)
    if found is not None:
        return found["status"], told(found)
    log.error("request_failed", exc_info=error)
    return HTTPStatus.BAD_REQUEST, OUR_FAULT


def told(problem: dict[str, object]) -> str:
    """A problem document as one text; each wrong field has its own sentence, since the client shows no more."""
    errors = problem["errors"]
    if not isinstance(errors, list) or len(errors) < 2:
        return str(problem["detail"])
    return " ".join(f"{one['field']}: {one['message']}" if one["field"] else one["message"] for one in errors)


def answer(error: Exception) -> HttpResponse:
    """The answer where a request failed as a whole."""
    status, message = describe(error)
    return JsonResponse({"errors": [{"message": message}], "error": message}, status=status)


def nothing_here(message: str) -> HttpResponse:
    """A 404 that any client of ours can read."""
    return JsonResponse({"errors": [{"message": message}], "error": message}, status=HTTPStatus.NOT_FOUND)
