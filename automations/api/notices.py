"""Notices: what admins are told of what fails, to be read and marked as read."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from automations import disclosure, mailing, notices
from automations.models import Notice, NoticeKind
from automations.models.notice import PLACES
from projects.api.endpoints import Endpoint
from projects.api.pagination import Newest

NOTICE = {
    "id": 12,
    "kind": "failing",
    "about": {"kind": "webhook", "name": "pager"},
    "place": {"kind": "team", "name": "research"},
    "sentence": "The receiver answered 503 Service Unavailable.",
    "execution": "0b9f6a52-4c1e-4a34-9d6f-0f6f5e1c8f0a",
    "opened_at": "2026-05-04T09:30:01Z",
    "changed_at": "2026-05-04T09:30:01Z",
    "closed_at": None,
    "closed_because": "",
    "times": 1,
    "unread": True,
}


class NamedSerializer(serializers.Serializer):
    """A thing by its kind and name."""

    kind = serializers.CharField()
    name = serializers.CharField()


@extend_schema_serializer(examples=[OpenApiExample("Notice", value=NOTICE)])
class NoticeSerializer(serializers.ModelSerializer[Notice]):
    """For notices that `disclosure.prepare_notices` made fit for the reader."""

    kind = serializers.ChoiceField(choices=NoticeKind.choices, help_text="The gravest it came to.")
    about = serializers.SerializerMethodField(help_text="The webhook, Slack channel or automation.")
    place = serializers.SerializerMethodField(help_text="The team, registry or organization whose admins are told.")
    execution = serializers.UUIDField(
        source="execution.key", default=None, allow_null=True, help_text="The one it began with, if you may see it."
    )
    unread = serializers.BooleanField()

    class Meta:
        model = Notice
        fields = list(NOTICE)

    @extend_schema_field(NamedSerializer)
    def get_about(self, notice: Notice) -> dict[str, str]:
        kind = next(field for field in notices.FIELDS.values() if getattr(notice, f"{field}_id") is not None)
        return {"kind": kind, "name": str(notice.subject)}

    @extend_schema_field(NamedSerializer)
    def get_place(self, notice: Notice) -> dict[str, str]:
        kind = next(place for place in PLACES if getattr(notice, f"{place}_id") is not None)
        return {"kind": kind, "name": str(notice.place)}


@extend_schema_serializer(examples=[OpenApiExample("Marked", value={"marked": 3})])
class MarkedSerializer(serializers.Serializer):
    marked = serializers.IntegerField(help_text="How many of them were unread.")


@extend_schema_serializer(examples=[OpenApiExample("Preferences", value={"by_email": True})])
class NoticePreferencesSerializer(serializers.Serializer):
    by_email = serializers.BooleanField(
        source="notices_by_email", help_text="Also by e-mail, where the server sends any and knows your address."
    )


class NoticeFilters(django_filters.FilterSet):  # type: ignore[misc]  # the package ships no types
    unread = django_filters.BooleanFilter(help_text="Not read since they last changed.")
    open = django_filters.BooleanFilter(
        field_name="closed_at", lookup_expr="isnull", help_text="Whether what they tell still is so."
    )

    class Meta:
        model = Notice
        fields: list[str] = []


class ByChange(Newest):
    """What opened, grew graver or closed last comes first."""

    ordering = ("-changed_at", "-pk")


class Notices(Endpoint):
    pagination_class = ByChange
    filter_backends = [DjangoFilterBackend]
    filterset_class = NoticeFilters
    queryset = Notice.objects.none()  # tells the OpenAPI document what is filtered

    @extend_schema(summary="List notices", responses=NoticeSerializer(many=True))
    def get(self, request: Request) -> Response:
        """What you are told as an admin: what fails, and what works again; the newest change first."""
        rows: QuerySet[Notice] = self.filter_queryset(notices.listed(self.user))
        page = disclosure.prepare_notices(self.paginate_queryset(rows) or [], reader=self.user)
        return self.get_paginated_response(NoticeSerializer(page, many=True).data)


class NoticesRead(Endpoint):
    @extend_schema(
        summary="Mark all notices read", operation_id="notices_read_all", request=None, responses=MarkedSerializer
    )
    def post(self, request: Request) -> Response:
        """All that you have not read yet."""
        return Response({"marked": notices.mark_read(Notice.objects.all(), by=self.user, at=timezone.now())})


class NoticePreferences(Endpoint):
    @extend_schema(summary="Show how you get notices", responses=NoticePreferencesSerializer)
    def get(self, request: Request) -> Response:
        """Whether they also come by e-mail."""
        return Response(NoticePreferencesSerializer(self.user).data)

    @extend_schema(
        summary="Change how you get notices",
        request=NoticePreferencesSerializer,
        responses=NoticePreferencesSerializer,
    )
    def patch(self, request: Request) -> Response:
        """For yourself alone."""
        mailing.switch(self.user, on=self.body(NoticePreferencesSerializer)["notices_by_email"])
        return Response(NoticePreferencesSerializer(self.user).data)


class NoticeRead(Endpoint):
    @extend_schema(summary="Mark a notice read", request=None, responses=MarkedSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """It counts as unread again when it grows graver or closes."""
        rows = Notice.objects.filter(pk=pk)
        if not rows.visible_to(self.user).exists():
            raise Http404(f"There is no notice {pk}.")
        return Response({"marked": notices.mark_read(rows, by=self.user, at=timezone.now())})
