"""ETag and If-Match: whoever changes something over the API can say which state of it they have read (RFC 9110).

The tag stands for what can be changed, not for figures that move by themselves, such as health or the last execution.
Without If-Match, a PATCH changes only what it names, under a lock.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.utils.http import parse_etags
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from projects.api import problems
from projects.api.endpoints import ProblemSerializer
from projects.api.problems import answers_with

IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag of what you have read: if somebody changed it since, nothing is done (412).",
)
ETAG = OpenApiParameter(
    "ETag",
    str,
    OpenApiParameter.HEADER,
    response=[200, 201],
    description="Changes with every change of what can be set, to be sent back as If-Match.",
)


class PreconditionFailed(Exception):
    """Somebody changed it since it was read."""

    def __init__(self) -> None:
        super().__init__(
            "It was changed since you read what If-Match names, so nothing was done. Read it again, and send your"
            " change with the ETag of that answer."
        )


answers_with(HTTPStatus.PRECONDITION_FAILED, PreconditionFailed)


def require(request: Request, mark: str) -> None:
    """Let pass a request without If-Match, or one whose If-Match names this state.

    To be called in the transaction that changes it, while its row is held.

    Raises:
        PreconditionFailed: it names another state.
    """
    wanted = request.headers.get("If-Match")
    if wanted is None:
        return
    tags = parse_etags(wanted)
    if tags != ["*"] and f'"{mark}"' not in tags:
        raise PreconditionFailed


def tagged(response: Response, mark: str) -> Response:
    """The answer with the ETag of the state it shows."""
    response["ETag"] = f'"{mark}"'
    return response


def answers(shape: type[serializers.BaseSerializer], *, status: int = 200) -> dict[Any, Any]:
    """How an operation that heeds If-Match may be answered, for the OpenAPI document."""
    return {status: shape, (HTTPStatus.PRECONDITION_FAILED.value, problems.MEDIA_TYPE): ProblemSerializer}
