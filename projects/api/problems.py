"""Errors of the API: RFC 9457 problem documents with a sentence that says what to do (IF3).

Apps above say with `answers_with`, next to the views, which of their exceptions mean which status.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation, ValidationError
from django.http import Http404, HttpResponse, UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response

from projects.api.bodies import BodyTooLarge, LengthMissing, UnknownEncoding, too_large
from projects.metrics import InvalidRows, RunIsOver
from projects.runs import InvalidTransition, RunExists

MEDIA_TYPE = "application/problem+json"
SIGN_IN = "Sign in: send an API key as “Authorization: Bearer <key>”."
SEND_JSON = "Send JSON, with the header “Content-Type: application/json”."
# What Django calls a value that another row has already: a conflict, not a malformed request.
TAKEN_CODES = frozenset({"unique", "unique_together"})

_statuses: dict[type[Exception], int] = {}

FieldError = dict[str, str]


def answers_with(status: int, *errors: type[Exception]) -> None:
    """These exceptions, and those made from them, are answered with this status and their own sentence."""
    _statuses.update(dict.fromkeys(errors, status))


class Taken(ValidationError):
    """There is something of this name already."""

    def __init__(self, sentence: str) -> None:
        super().__init__({"name": sentence})


answers_with(HTTPStatus.CONFLICT, InvalidTransition, RunExists, RunIsOver, Taken)
answers_with(HTTPStatus.LENGTH_REQUIRED, LengthMissing)
answers_with(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, BodyTooLarge)
answers_with(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, UnknownEncoding)

# Exceptions of Django, their status, and what is said when they do not say it themselves.
_SENTENCES: tuple[tuple[type[Exception], int, str], ...] = (
    (Http404, HTTPStatus.NOT_FOUND, "There is nothing at this address."),
    (PermissionDenied, HTTPStatus.FORBIDDEN, "You may not do this."),
    (UnreadablePostError, HTTPStatus.BAD_REQUEST, "The body broke off before its end. Send it again."),
    (RequestDataTooBig, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, too_large()),
    (SuspiciousOperation, HTTPStatus.BAD_REQUEST, "The request is malformed."),
)


@contextmanager
def naming(field: str) -> Iterator[None]:
    """What is refused inside is the fault of this field, unless the refusal names fields itself."""
    try:
        yield
    except ValidationError as error:
        if hasattr(error, "error_dict"):
            raise
        raise ValidationError({field: error.error_list}) from error


def document(status: int, detail: str, *, errors: Iterable[FieldError] = ()) -> dict[str, Any]:
    """The problem document; `errors` name the fields that are wrong, as `{"field", "message"}`.

    What was sent is quoted in some messages, so text that cannot be written as UTF-8 is replaced.
    """
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),  # a plain one, which the schema's YAML can write, too
        "detail": _writable(detail),
        "errors": [{name: _writable(text) for name, text in error.items()} for error in errors],
    }


def handle(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """The exception handler of Django REST framework; None for what nobody foresaw, which becomes a 500."""
    found = describe(error)
    if found is None:
        return None
    return Response(found, status=found["status"], headers=_headers(error), content_type=MEDIA_TYPE, exception=True)


def answer(error: Exception) -> HttpResponse | None:
    """The same for views that do without the framework."""
    found = describe(error)
    return None if found is None else _plain(found, _headers(error))


def not_found(detail: str) -> HttpResponse:
    """The answer where no view was found to raise anything."""
    return _plain(document(HTTPStatus.NOT_FOUND, detail), {})


def _plain(found: dict[str, Any], headers: dict[str, str]) -> HttpResponse:
    text = json.dumps(found, ensure_ascii=False)
    return HttpResponse(text, status=found["status"], headers=headers, content_type=MEDIA_TYPE)


def describe(error: Exception) -> dict[str, Any] | None:
    """The problem document for an exception, or None if it is a fault of ours."""
    for kind in type(error).__mro__:
        if kind in _statuses:
            return _described(_statuses[kind], error)
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    if isinstance(error, ValidationError):
        # With other faults beside it, putting the name right would not do.
        taken = all(code in TAKEN_CODES for code in _codes(error))
        return _described(HTTPStatus.CONFLICT if taken else HTTPStatus.BAD_REQUEST, error)
    if isinstance(error, InvalidRows):
        wrong = {"field": error.path, "message": error.message}
        return document(HTTPStatus.BAD_REQUEST, str(error), errors=[wrong])
    for known, status, otherwise in _SENTENCES:
        if isinstance(error, known):
            return document(status, _said(error) or otherwise)
    return None


def _described(status: int, error: Exception) -> dict[str, Any]:
    if not isinstance(error, ValidationError):
        return document(status, str(error))
    errors = list(_fields(error))
    return document(status, _summary(errors), errors=errors)


def _of_framework(error: exceptions.APIException) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        errors = list(_flat(error.detail))
        return document(error.status_code, _summary(errors), errors=errors)
    detail = str(error.detail)
    if isinstance(error, exceptions.NotAuthenticated):
        detail = SIGN_IN
    elif isinstance(error, exceptions.UnsupportedMediaType):
        detail = SEND_JSON
    elif isinstance(error, exceptions.MethodNotAllowed):
        detail = f"{detail} The header Allow lists those that are."
    return document(error.status_code, detail)


def _summary(errors: list[FieldError]) -> str:
    """One sentence for people who read only that: the problem itself if there is one, else where they are."""
    if len(errors) == 1:
        field, message = errors[0]["field"], errors[0]["message"]
        return f"{field}: {message}" if field else message
    fields = ", ".join(error["field"] or "the whole" for error in errors)
    return f"{len(errors)} values cannot be used: {fields}."


def _fields(error: ValidationError) -> Iterator[FieldError]:
    if not hasattr(error, "error_dict"):
        yield from ({"field": "", "message": message} for message in error.messages)
        return
    for name, messages in error.message_dict.items():
        field = "" if name == "__all__" else name
        yield from ({"field": field, "message": message} for message in messages)


def _codes(error: ValidationError) -> Iterator[str | None]:
    inner = error.error_dict.values() if hasattr(error, "error_dict") else [error.error_list]
    return (one.code for errors in inner for one in errors)


def _flat(detail: Any, field: str = "") -> Iterator[FieldError]:
    """The framework's nested errors, with the field as a path such as `headers.X-Team` or `tags[2]`."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            if name == "non_field_errors":
                yield from _flat(inner, field)
            elif isinstance(name, int):
                yield from _flat(inner, f"{field}[{name}]")
            else:
                yield from _flat(inner, f"{field}.{name}" if field else str(name))
    elif isinstance(detail, list | tuple):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list | tuple)
            yield from _flat(inner, f"{field}[{index}]" if nested else field)
    elif detail:
        yield {"field": field, "message": str(detail)}


def _said(error: Exception) -> str:
    """The exception's own words, unless Django raised it with something else than words."""
    said = error.args[0] if error.args else ""
    return said if isinstance(said, str) and not isinstance(error, SuspiciousOperation | OSError) else ""


def _headers(error: Exception) -> dict[str, str]:
    headers = {}
    if isinstance(error, UnknownEncoding):
        headers["Accept-Encoding"] = "gzip, zstd"
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        headers["WWW-Authenticate"] = "Bearer"
    return headers


def _writable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
