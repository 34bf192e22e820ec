"""Requests that no part of the server could make sense of, turned away at the door."""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponseBase, JsonResponse

NUL = "The address holds a NUL character (%00), which no name can have. Remove it."


def refuse_nul(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: answer 400 to a NUL character in the address, which PostgreSQL takes in no text."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if "\x00" not in request.path_info and "%00" not in request.META.get("QUERY_STRING", ""):
            return get_response(request)
        if request.path_info.startswith("/api/"):
            problem = {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": NUL}
            return JsonResponse(problem, status=400, content_type="application/problem+json")
        raise BadRequest(NUL)

    return middleware
