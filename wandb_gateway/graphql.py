"""`POST /graphql`: everything but the logged lines and the bytes of files comes through here."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import orjson
from ariadne import graphql_sync
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from graphql import GraphQLError

from projects.api import bodies
from projects.models import User
from wandb_gateway import documents, refusals
from wandb_gateway.auth import signed_in
from wandb_gateway.schema import SCHEMA

# Refusals are answers, not faults; what is a fault `refusals.describe` logs itself.
_quiet = logging.getLogger("wandb_gateway.ariadne")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False


@dataclass(frozen=True, slots=True)
class Asking:
    """The context of every resolver: who asks, and in which request. `memory` keeps what several of them need."""

    user: User
    request: HttpRequest
    memory: dict[str, Any] = field(default_factory=dict)


@csrf_exempt  # signed in by key alone, never by cookie
@require_POST
def answer(request: HttpRequest) -> HttpResponse:
    """Run one operation."""
    try:
        asking = Asking(user=signed_in(request), request=request)
        question = _question(request)
        document = documents.read(question["query"], SCHEMA)
    except Exception as error:  # noqa: BLE001  # whatever it is, the client is told in its own form
        return refusals.answer(error)
    return _run(question, document, asking)


def _run(question: dict[str, Any], document: Any, asking: Asking) -> HttpResponse:
    statuses: list[int] = []

    def told(error: GraphQLError, debug: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002  # ariadne calls it so
        status, message = refusals.describe(_cause(error))
        statuses.append(status)
        return {"message": message, "path": error.path}

    _, result = graphql_sync(
        SCHEMA,
        question,
        context_value=asking,
        query_document=document,
        query_validator=lambda *_args, **_options: [],  # `documents.read` did
        error_formatter=told,
        logger=_quiet,
    )
    # The client reads the status first: 404 and 409 mean something to it, 200 with errors does not.
    return JsonResponse(result, status=max(statuses, default=200))


def _question(request: HttpRequest) -> dict[str, Any]:
    """The operation as ariadne wants it: empty names and missing variables count as not given.

    Raises:
        BadRequest: the body is not an operation.
    """
    try:
        sent = orjson.loads(bodies.read(request))
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: {error}.") from error
    if not isinstance(sent, dict) or not isinstance(sent.get("query"), str):
        raise BadRequest('Send an object with a “query”, for example {"query": "{ viewer { username } }"}.')
    variables = sent.get("variables") or {}
    if not isinstance(variables, dict):
        raise BadRequest("“variables” is an object of names and values.")
    return {"query": sent["query"], "variables": variables, "operationName": sent.get("operationName") or None}


def _cause(error: GraphQLError) -> Exception:
    """What a resolver raised, or the error of GraphQL itself."""
    original = error.original_error
    while isinstance(original, GraphQLError) and original.original_error is not None:
        original = original.original_error
    return original if isinstance(original, Exception) else error
