"""What every address of the API has in common: how it reads, how it answers, how it is described."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from projects.api import problems
from projects.api.bodies import JsonBody, require_length
from projects.models import User


class FieldProblemSerializer(serializers.Serializer):
    field = serializers.CharField(help_text="Path of the field in the body, or empty for the whole.")
    message = serializers.CharField(help_text="What is wrong with it, and what to do.")


NO_EXIT_CODE = {"field": "exit_code", "message": "This field is required."}


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A field is missing",
            value=problems.document(400, "exit_code: This field is required.", errors=[NO_EXIT_CODE]),
            media_type=problems.MEDIA_TYPE,
            status_codes=["default"],
        ),
        OpenApiExample(
            "Changed since it was read",
            value=problems.document(412, "It was changed since you read what If-Match names, so nothing was done."),
            media_type=problems.MEDIA_TYPE,
            status_codes=["412"],
        ),
    ]
)
class ProblemSerializer(serializers.Serializer):
    """An error, as RFC 9457 describes it."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="One sentence: what happened and what to do.")
    errors = FieldProblemSerializer(  # type: ignore[assignment]  # a declared field; the class attribute goes
        many=True, help_text="One entry for each field that cannot be used."
    )


class Described(AutoSchema):
    """Every operation may also be answered with a problem document."""

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        problem = self._get_response_for_code(  # type: ignore[no-untyped-call]
            ProblemSerializer, "default", media_types=[problems.MEDIA_TYPE], direction=direction
        )
        return {**bodies, "default": {**problem, "description": "An error."}}


class Text(serializers.CharField):
    """Text as it was sent: numbers are refused and spaces kept, so that what is checked is what was meant."""

    default_error_messages = {"invalid": "Send a text."}

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"trim_whitespace": False} | options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field({"type": "object", "additionalProperties": {}})
class Document(serializers.Field):
    """Any JSON object; what it may hold is for the domain to say."""

    default_error_messages = {"not_an_object": "Send an object of names and values."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("not_an_object")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class Endpoint(GenericAPIView):
    """A view that checks who asks, makes one call into the domain, and shows what came of it."""

    parser_classes = [JsonBody]
    filter_backends: list[Any] = []
    schema = Described()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        require_length(request)

    @property
    def user(self) -> User:
        """Who asks. Only people and scripts that are signed in get this far."""
        return cast("User", self.request.user)

    def body(self, shape: type[serializers.Serializer], *, partial: bool = False) -> dict[str, Any]:
        """The body of the request, checked.

        Raises:
            ValidationError: by field.
        """
        if not isinstance(self.request.data, dict):
            raise ValidationError("Send a JSON object with the fields of this request.")
        serializer = shape(data=self.request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        checked: dict[str, Any] = serializer.validated_data
        return checked

    def page(self, rows: QuerySet[Any], shape: type[serializers.BaseSerializer], **context: Any) -> Response:
        """One page of the rows the filters leave."""
        page = self.paginate_queryset(self.filter_queryset(rows))
        return self.get_paginated_response(shape(page, many=True, context=context).data)
