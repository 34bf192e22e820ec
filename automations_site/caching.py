"""What browsers and proxies may keep of an answer: nothing, unless the view says otherwise."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

PRIVATE = "private, no-store"


def keep_private(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: an answer that says nothing about caching is stored nowhere.

    Nearly every page and API answer is made for one signed-in person. Without the header, caches may keep an answer
    and guess for how long: a shared proxy could hand one person's page to the next, and the Back button of a shared
    computer shows it after signing out.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        answer = get_response(request)
        answer.headers.setdefault("Cache-Control", PRIVATE)
        return answer

    return middleware
