"""Requests that no part of the server could make sense of, turned away at the door."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django_htmx.middleware import HtmxDetails

NOTHING_THERE = "There is nothing at this address: it holds a NUL character (%00), which no name can have."
NOT_A_QUERY = "The query holds a NUL character (%00), which no text here can have. Remove it."
NOT_AN_ADDRESS = "The header HX-Current-URL is no address of a page."


def refuse_nul(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: a NUL character, which PostgreSQL takes in no text, is not found in a path and wrong in a query."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        in_path = "\x00" in request.path_info
        if not in_path and "%00" not in request.META.get("QUERY_STRING", ""):
            return get_response(request)
        if request.path_info.startswith("/api/"):
            return _problem(404, "Not found", NOTHING_THERE) if in_path else _problem(400, "Bad request", NOT_A_QUERY)
        raise Http404(NOTHING_THERE) if in_path else BadRequest(NOT_A_QUERY)

    return middleware


def refuse_odd_current_url(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: where htmx says the reader is has to be an address whose query could have been asked for."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        current = HtmxDetails(request).current_url or ""
        try:
            query = urlsplit(current).query
        except ValueError as error:
            raise BadRequest(NOT_AN_ADDRESS) from error
        if "\x00" in current or "%00" in query:
            raise BadRequest(NOT_A_QUERY)
        return get_response(request)

    return middleware


def _problem(status: int, title: str, detail: str) -> JsonResponse:
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JsonResponse(document, status=status, content_type="application/problem+json")
