"""Executions carried out once more, tried now or cancelled, because somebody asks for it."""

from __future__ import annotations

import json
import uuid
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from automations import disclosure, pending, redelivering
from automations.access import execution_for, redelivery_for
from automations.api.executions import ExecutionFilters
from automations.api.history import EXECUTION, ExecutionSerializer
from automations.models import Content, Execution, Redelivery
from automations.redelivering import Wish
from projects.access import project_for
from projects.api import problems
from projects.api.endpoints import Document, Endpoint, Text
from projects.models import Project
from registries.access import registry_for
from registries.models import Registry

problems.answers_with(
    status.HTTP_409_CONFLICT, redelivering.NotRedeliverable, redelivering.TokenUsed, pending.NotWaiting
)

AGAIN = EXECUTION | {
    "key": "5a1d8f0e-8f1c-4d52-9a3f-6f0c8e2b7d11",
    "origin": EXECUTION["key"],
    "redelivered_by": "alice",
    "redelivery": "9c1f3c3a-27d5-4d0b-8a43-0d7f54f0b1c2",
}
EDITED = {"content": "edited", "payload": {"text": "${run_name} failed"}, "reason": "The field was renamed."}
REDELIVERY = {
    "key": AGAIN["redelivery"],
    "asked_by": "alice",
    "asked_at": "2026-05-04T10:00:00Z",
    "content": "as_sent",
    "reason": "The pager was down.",
    "project": "research/digits",
    "registry": None,
    "total": 40,
    "over": 12,
    "by_status": {"finished": 11, "failed": 1, "pending": 28},
    "left_out": 2,
    "cancelled_at": None,
    "cancelled_by": None,
}
KEY = OpenApiParameter(
    "Idempotency-Key",
    location=OpenApiParameter.HEADER,
    description="Asking again with the same key is asking once; at most 255 characters.",
)


class WishSerializer(serializers.Serializer):
    content = serializers.ChoiceField(choices=Content.choices, default=Content.AS_SENT)
    reason = Text(required=False, allow_blank=True, max_length=255, default="", help_text="Shown in the history.")
    for_real = serializers.BooleanField(
        default=False, help_text="Send also what was, or with today's automation would be, a rehearsal in shadow mode."
    )


@extend_schema_serializer(
    examples=[OpenApiExample("As it was sent", value={}), OpenApiExample("With an edited payload", value=EDITED)]
)
class RedeliverSerializer(WishSerializer):
    payload = Document(
        required=False, help_text="With `edited`: the payload, whose texts may hold `${…}` as in an automation."
    )


MANY = {"registry": "acme/models", "executions": [EXECUTION["key"]], "content": "current"}
MATCHING = {
    "project": "research/digits",
    "filter": {"status": "failed", "automation": "7"},
    "reason": "The pager was down.",
}


@extend_schema_serializer(examples=[OpenApiExample("Chosen", value=MANY), OpenApiExample("Filtered", value=MATCHING)])
class RedeliverManySerializer(WishSerializer):
    project = Text(required=False, help_text="As team/project; or say a registry.")
    registry = Text(required=False, help_text="As organization/registry; or say a project.")
    executions = serializers.ListField(
        child=serializers.UUIDField(), required=False, max_length=redelivering.MOST, help_text="Keys; or say a filter."
    )
    filter = Document(required=False, help_text="As in the address of the list of executions; {} means all.")


@extend_schema_serializer(examples=[OpenApiExample("Redelivery", value=REDELIVERY)])
class RedeliverySerializer(serializers.ModelSerializer[Redelivery]):
    asked_by = serializers.CharField(source="asked_by.username", default=None, allow_null=True)
    cancelled_by = serializers.CharField(source="cancelled_by.username", default=None, allow_null=True)
    project = serializers.SerializerMethodField()
    registry = serializers.SerializerMethodField()
    total = serializers.SerializerMethodField(help_text="How many executions there are to be.")
    over = serializers.SerializerMethodField(help_text="How many of them have ended.")
    by_status = serializers.SerializerMethodField(help_text="How many there are of each status.")

    class Meta:
        model = Redelivery
        fields = list(REDELIVERY)

    def get_project(self, redelivery: Redelivery) -> str | None:
        return str(redelivery.project) if redelivery.project else None

    def get_registry(self, redelivery: Redelivery) -> str | None:
        return str(redelivery.registry) if redelivery.registry else None

    def get_total(self, redelivery: Redelivery) -> int:
        return self._progress.total

    def get_over(self, redelivery: Redelivery) -> int:
        return self._progress.over

    def get_by_status(self, redelivery: Redelivery) -> dict[str, int]:
        return self._progress.by_status

    @property
    def _progress(self) -> redelivering.Progress:
        return cast("redelivering.Progress", self.context["progress"])


class Redeliver(Endpoint):
    @extend_schema(
        summary="Redeliver an execution",
        parameters=[KEY],
        request=RedeliverSerializer,
        responses={201: ExecutionSerializer},
    )
    def post(self, request: Request, key: uuid.UUID) -> Response:
        """It is carried out once more, as a new execution that names this one as its origin, and you. For admins of the
        team or the registry."""
        asked = self.body(RedeliverSerializer)
        payload = json.dumps(asked.pop("payload"), ensure_ascii=False) if "payload" in asked else ""
        if (asked["content"] == Content.EDITED) != bool(payload):
            raise ValidationError({"payload": "Send a payload with the content “edited”, and only then."})
        wish = Wish(**asked | {"content": Content(asked["content"])}, payload=payload, token=token_of(request))
        found = execution_for(self.user, key)
        made = redelivering.redeliver(found, wish, by=self.user, at=timezone.now())
        shown = disclosure.prepare([execution_for(self.user, made.key)], reader=self.user)[0]
        return Response(ExecutionSerializer(shown).data, status=status.HTTP_201_CREATED)


class RedeliverMany(Endpoint):
    @extend_schema(
        summary="Redeliver many executions",
        operation_id="executions_redeliver_many",
        parameters=[KEY],
        request=RedeliverManySerializer,
        responses={201: RedeliverySerializer},
    )
    def post(self, request: Request) -> Response:
        """Executions of one project or registry, chosen by key or by filter, at most 1,000, are carried out once more,
        the oldest first. What cannot be sent again is left out and counted."""
        asked = self.body(RedeliverManySerializer)
        if asked["content"] == Content.EDITED:
            raise ValidationError({"content": "A payload is edited for one execution at a time."})
        home = self._home(asked.pop("project", None), asked.pop("registry", None))
        rows = self._rows(asked.pop("executions", None), asked.pop("filter", None))
        wish = Wish(**asked | {"content": Content(asked["content"])}, token=token_of(request))
        at = timezone.now()
        made = redelivering.redeliver_many(home, redelivering.chosen(rows, home), wish, by=self.user, at=at)
        return self._answer(made)

    def _home(self, project: str | None, registry: str | None) -> Project | Registry:
        if (project is None) == (registry is None):
            raise ValidationError("Say either a project or a registry.")
        name = project if project is not None else str(registry)
        first, _, second = name.partition("/")
        return (project_for if project is not None else registry_for)(self.user, first, second)

    def _rows(self, keys: list[uuid.UUID] | None, asked: dict[str, Any] | None) -> Any:
        rows = Execution.objects.visible_to(self.user)
        if (keys is None) == (asked is None):
            raise ValidationError("Say either executions or a filter.")
        if keys is not None:
            return rows.filter(key__in=keys)
        given = QueryDict(mutable=True)
        given.update({name: str(value) for name, value in cast("dict[str, Any]", asked).items()})
        unknown = set(given) - set(ExecutionFilters.base_filters)
        if unknown:
            raise ValidationError({"filter": f"Executions cannot be filtered by {', '.join(sorted(unknown))}."})
        filters = ExecutionFilters(given, rows, request=self.request)
        if not filters.is_valid():
            raise ValidationError({"filter": [text for texts in filters.errors.values() for text in texts]})
        return filters.qs

    def _answer(self, redelivery: Redelivery) -> Response:
        return Response(described(self, redelivery), status=status.HTTP_201_CREATED)


class OneRedelivery(Endpoint):
    @extend_schema(summary="Show a redelivery", responses=RedeliverySerializer)
    def get(self, request: Request, key: uuid.UUID) -> Response:
        """How far it has come."""
        return Response(described(self, redelivery_for(self.user, key)))


class RedeliveryCancel(Endpoint):
    @extend_schema(summary="Cancel a redelivery", request=None, responses=RedeliverySerializer)
    def post(self, request: Request, key: uuid.UUID) -> Response:
        """Its executions that still wait are Skipped; what was sent stays sent."""
        redelivery = redelivery_for(self.user, key)
        redelivering.cancel(redelivery, by=self.user, at=timezone.now())
        return Response(described(self, redelivery))


class TryNow(Endpoint):
    @extend_schema(summary="Try an execution now", request=None, responses=ExecutionSerializer)
    def post(self, request: Request, key: uuid.UUID) -> Response:
        """One that waits for its next attempt is carried out now. For admins of the team or the registry."""
        return acted(self, key, pending.try_now)


class Cancel(Endpoint):
    @extend_schema(summary="Cancel an execution", request=None, responses=ExecutionSerializer)
    def post(self, request: Request, key: uuid.UUID) -> Response:
        """One that waits for its next attempt is Skipped instead. For admins of the team or the registry."""
        return acted(self, key, pending.cancel)


def acted(endpoint: Endpoint, key: uuid.UUID, act: Any) -> Response:
    """The execution after something was done about it."""
    act(execution_for(endpoint.user, key), by=endpoint.user, at=timezone.now())
    shown = disclosure.prepare([execution_for(endpoint.user, key)], reader=endpoint.user)[0]
    return Response(ExecutionSerializer(shown).data)


def described(endpoint: Endpoint, redelivery: Redelivery) -> Any:
    """A redelivery with its progress."""
    progress = redelivering.progress_of(redelivery, reader=endpoint.user)
    return RedeliverySerializer(redelivery, context={"progress": progress}).data


def token_of(request: Request) -> str:
    """The Idempotency-Key of a request, "" without one.

    Raises:
        ValidationError: it is too long.
    """
    token = str(request.headers.get("Idempotency-Key", ""))
    if len(token) > 255:
        raise ValidationError("An Idempotency-Key has at most 255 characters.")
    return token
