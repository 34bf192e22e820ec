"""The answer when something went wrong that nobody foresaw; what it was is in the log, with the request's name."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults

from projects.api.problems import MEDIA_TYPE, document

OUR_FAULT = "Something went wrong in the server; the request was not at fault. The server's log says more."


def answer(request: HttpRequest) -> HttpResponse:
    """A problem document to clients of the API, which read no HTML; the page to everybody else (IF3)."""
    if request.path_info.startswith("/api/"):
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return JsonResponse(document(status, OUR_FAULT), status=status, content_type=MEDIA_TYPE)
    return defaults.server_error(request)
