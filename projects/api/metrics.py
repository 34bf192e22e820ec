"""Metrics in and out. Appending is the hot path: no session, no serializer, nothing read without need."""

from __future__ import annotations

from itertools import islice
from typing import Any

from django.db.models import Max
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiRequest, extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from projects import access, keys, metrics
from projects.api import bodies, problems
from projects.api.authentication import UNKNOWN_KEY, key_in
from projects.api.endpoints import Endpoint
from projects.api.fastlane import run_to_append_to
from projects.api.serializers import LinesSerializer, PointsSerializer
from projects.jsonvalues import non_finite_text
from projects.models import MetricChunk, Run, User
from projects.models.history import Stream

MOST_LINES = 2**63 - 1
MOST_POINTS = 10_000
# A page ends here even if it found fewer points: a metric that is hardly ever logged costs many small
# requests rather than one that reads the whole history.
MOST_LINES_A_PAGE = 200_000

ROWS = {
    "type": "array",
    "items": {"type": "object", "additionalProperties": {}},
    "description": "Rows of metric names and numbers, which may be nested; bare NaN and Infinity are fine.",
}


class RunMetrics(Endpoint):
    def dispatch(self, request: HttpRequest, *args: Any, **path: Any) -> HttpResponseBase:
        """Appending goes around the framework; everything else through it."""
        if request.method != "POST":
            return super().dispatch(request, *args, **path)
        try:
            return self.post(request, **path)
        except Exception as error:
            answer = problems.answer(error)
            if answer is None:
                raise
            return answer

    @extend_schema(
        summary="Append metrics",
        request={
            "application/json": OpenApiRequest(
                ROWS,
                examples=[OpenApiExample("Two rows", value=[{"loss": 0.9, "epoch": 0}, {"loss": 0.7, "epoch": 1}])],
            )
        },
        responses=LinesSerializer,
        parameters=[
            OpenApiParameter(
                "first_line",
                int,
                description="Number of the first row in the run's history. Rows that are stored already are"
                " left out, so that sending a batch again is harmless.",
            ),
            OpenApiParameter("Content-Encoding", str, OpenApiParameter.HEADER, enum=["gzip", "zstd"], required=False),
        ],
    )
    def post(self, request: HttpRequest, **path: str) -> HttpResponse:
        """A batch of rows, in the order logged: send many rows at once."""
        run = run_to_append_to(key_in(request), **path) or access.run_to_log_to(signed_in(request), **path)
        first_line = whole_number(request, "first_line")
        batch = metrics.parse(bodies.read(request))
        lines = metrics.append(run, batch, at=timezone.now(), first_line=first_line)
        return HttpResponse(b'{"lines":%d}' % lines, content_type="application/json")

    @extend_schema(
        summary="Read one metric",
        responses=PointsSerializer,
        parameters=[
            OpenApiParameter("key", str, required=True, description="Name of the metric; dots go into nested objects."),
            OpenApiParameter("after", int, description="Only points of later lines than this one."),
            OpenApiParameter(
                "limit",
                int,
                description=f"At most this many points; 1000 unless told, {MOST_POINTS} at most.",
            ),
        ],
    )
    def get(self, request: Request, **path: str) -> Response:
        """Points of one metric. A page may hold fewer than asked for: go on until `next_after` is null."""
        run = access.run_for(self.user, **path)
        key = request.query_params.get("key", "")
        if not key:
            raise ValidationError({"key": "Say which metric, for example ?key=loss."})
        after = whole_number(request, "after")
        limit = whole_number(request, "limit") or 1000
        return Response(points_page(run, key, after=-1 if after is None else after, limit=limit))


def signed_in(request: HttpRequest) -> User:
    """Who asks: by key, or by session, which then needs its CSRF token.

    Raises:
        AuthenticationFailed, NotAuthenticated: which are answered with 401.
    """
    key = key_in(request)
    if key is None:
        if not isinstance(request.user, User):
            raise NotAuthenticated
        SessionAuthentication().enforce_csrf(request)  # type: ignore[arg-type]  # asks Django's request only
        return request.user
    user = keys.user_of(key)
    if user is None:
        raise AuthenticationFailed(UNKNOWN_KEY)
    return user


def whole_number(request: HttpRequest, name: str) -> int | None:
    """A number from the query, or None if it is not there.

    Raises:
        ValidationError: it is no whole number that the database can hold.
    """
    text = request.GET.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= MOST_LINES):
        raise ValidationError({name: "This is a whole number, 0 or more."})
    return int(text)


def points_page(run: Run, key: str, *, after: int, limit: int) -> dict[str, Any]:
    """Up to `limit` points of the lines after `after`, and where to go on."""
    points: list[list[Any]] = []
    wanted = min(limit, MOST_POINTS)
    read = 0
    for chunk in _chunks_after(run, after).iterator(chunk_size=10):
        skipped = max(after + 1 - chunk.first_line, 0)
        for index, row in enumerate(islice(metrics.rows_of(chunk), skipped, None), start=skipped):
            value = metrics.value_at(row, key)
            if value is None:
                continue
            if len(points) == wanted:
                return {"key": key, "points": points, "next_after": points[-1][0]}
            points.append([chunk.first_line + index, _strict(value)])
        read += chunk.line_count
        if read >= MOST_LINES_A_PAGE:
            end = chunk.first_line + chunk.line_count
            return {"key": key, "points": points, "next_after": end - 1 if end < run.history_lines else None}
    return {"key": key, "points": points, "next_after": None}


def _chunks_after(run: Run, line: int) -> Any:
    chunks = MetricChunk.objects.filter(run=run, stream=Stream.HISTORY).order_by("first_line")
    start = chunks.filter(first_line__lte=line + 1).aggregate(last=Max("first_line"))["last"]
    return chunks if start is None else chunks.filter(first_line__gte=start)


def _strict(value: float) -> float | str:
    return value if value - value == 0 else non_finite_text(value)
