"""Sessions that end while a page is open."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import resolve_url


def say_signed_out(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: scripts of a page that ask for a part of it, or send a form, hear that nobody is signed in, and where
    to sign in.

    A redirect would be followed without a word, and the page for signing in put where the part belongs, in place of
    what was typed.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        answer = get_response(request)
        by_script = "HX-Request" in request.headers or not request.accepts("text/html")
        sign_in = resolve_url(settings.LOGIN_URL)
        if by_script and isinstance(answer, HttpResponseRedirect) and answer.url.partition("?")[0] == sign_in:
            return HttpResponse(status=401, headers={"Location": sign_in})
        return answer

    return middleware
