"""The answer when something went wrong that the request was not at fault for; what it was is in the log, with the
request's name."""

import sys
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from projects import outages
from projects.api.problems import MEDIA_TYPE, document

OUR_FAULT = outages.Outage(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    _("Something went wrong in the server; the request was not at fault. The server's log says more."),
    headers={},
)


def answer(request: HttpRequest) -> HttpResponse:
    """A problem document to clients of the API, which read no HTML; the page to everybody else (IF3). Django calls this
    while it handles the exception."""
    outage = outages.of(sys.exception())
    told = outage or OUR_FAULT
    if request.path_info.startswith("/api/"):
        found = document(told.status, str(told.sentence))
        return JsonResponse(found, status=told.status, headers=told.headers, content_type=MEDIA_TYPE)
    page = render_to_string("500.html", {"outage": outage})
    return HttpResponse(page, status=told.status, headers=told.headers)
