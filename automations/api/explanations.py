"""Why an automation fired or not, and what it would have done: questions, which change nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.core.exceptions import ValidationError
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from automations import backtest, editing, tracing
from automations.access import automation_for, require_edit
from automations.api.answers import BacktestSerializer, DaysSerializer, DraftToReplaySerializer, TraceSerializer
from automations.api.scopes import scope_named
from automations.backtest import Period, Progress, Result
from automations.editing import Draft
from automations.models import ActionKind, Automation
from projects.access import run_for
from projects.api.endpoints import Endpoint
from projects.api.problems import answers_with
from projects.models import Run, User
from registries.access import collection_for, version_for
from registries.models import Membership

answers_with(HTTPStatus.TOO_MANY_REQUESTS, backtest.ReplaysAreRunning)

STREAM = OpenApiParameter(
    "stream",
    bool,
    description="Answer line by line (application/x-ndjson) while it is at it: `{“done”, “total”}` now and then, and"
    " `{“result”}` at the end. Closing the connection stops it.",
)
SUBJECTS = [
    OpenApiParameter("run", str, description="Of the run team/project/run."),
    OpenApiParameter(
        "version",
        str,
        description="Of the version team/project/collection:v3, or with an alias in place of its number.",
    ),
    OpenApiParameter(
        "registry_version", str, description="Of the version organization/registry/collection:v3, linked there."
    ),
]


class AutomationTrace(Endpoint):
    @extend_schema(summary="Explain why an automation fired or not", parameters=SUBJECTS, responses=TraceSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Every gate an event has to pass, with its numbers, for one run or version; who said no is named."""
        automation = automation_for(self.user, pk)
        subject = subject_named(self.user, request.query_params)
        trace = tracing.explain(automation, subject, reader=self.user, at=timezone.now())
        return Response(TraceSerializer(trace).data)


class AutomationBacktest(Endpoint):
    @extend_schema(
        summary="Replay history for an automation",
        parameters=[STREAM],
        request=DaysSerializer,
        responses=BacktestSerializer,
    )
    def post(self, request: Request, pk: int) -> HttpResponseBase:
        """When it would have fired in the last days, for what, and what would have been held back. Changes nothing."""
        automation = automation_for(self.user, pk)
        return replayed(request, automation, reader=self.user, **self.body(DaysSerializer))


class DraftBacktest(Endpoint):
    @extend_schema(
        operation_id="automations_backtest_draft",
        summary="Replay history for an automation that is not saved",
        parameters=[STREAM],
        request=DraftToReplaySerializer,
        responses=BacktestSerializer,
    )
    def post(self, request: Request) -> HttpResponseBase:
        """What an automation like this would have done in the last days; nothing is saved."""
        fields = self.body(DraftToReplaySerializer)
        days, scope = fields.pop("days"), scope_named(self.user, **fields.pop("scope"))
        require_edit(self.user, scope)
        draft = Draft(name="", action_kind=ActionKind.NO_OP, **fields)
        editing.check_event(draft, scope=scope)
        return replayed(request, editing.unsaved(draft, scope=scope), reader=self.user, days=days)


def subject_named(user: User, asked: Any) -> Run | Membership:
    """The run or version of an address's query.

    Raises:
        ValidationError: it names none, or not in the way it is written.
        Http404: there is none the user may see.
    """
    if asked.get("run"):
        return run_for(user, *_parts(asked["run"], field="run", shape="team/project/run"))
    for field, place, shape in (
        ("version", "project", "team/project/collection:v3"),
        ("registry_version", "registry", "organization/registry/collection:v3"),
    ):
        if asked.get(field):
            owner, name, rest = _parts(asked[field], field=field, shape=shape)
            collection, _, version = rest.partition(":")
            found = collection_for(user, collection, **{place: (owner, name)})
            return version_for(found, version or "latest")
    raise ValidationError({"run": "Say of which run, version or registry_version."})


def _parts(text: str, *, field: str, shape: str) -> tuple[str, str, str]:
    parts = text.split("/", 2)
    if len(parts) != 3 or not all(parts):
        raise ValidationError({field: f"“{text[:100]}” names none. Write it as {shape}."})
    return parts[0], parts[1], parts[2]


def replayed(request: Request, automation: Automation, *, reader: User, days: int) -> HttpResponseBase:
    """The answer to a replay: one document, or line by line.

    Raises:
        ReplaysAreRunning: others have to end first.
    """
    period = Period.of_days(days, until=timezone.now())
    told = backtest.in_turn(backtest.replay(automation, period=period, reader=reader))
    if request.query_params.get("stream", "").lower() in {"1", "true", "yes"}:
        return StreamingHttpResponse(_lines(told), content_type="application/x-ndjson")
    return StreamingHttpResponse(_document(told), content_type="application/json")


def _lines(told: Iterator[Progress | Result]) -> Iterator[str]:
    for one in told:
        if isinstance(one, Progress):
            yield json.dumps({"done": one.done, "total": one.total}) + "\n"
        else:
            yield json.dumps({"result": BacktestSerializer(one).data}) + "\n"


def _document(told: Iterator[Progress | Result]) -> Iterator[str]:
    """The result. The spaces before it, which JSON allows, are how the server notices that nobody listens any more."""
    for one in told:
        yield " " if isinstance(one, Progress) else json.dumps(BacktestSerializer(one).data)
