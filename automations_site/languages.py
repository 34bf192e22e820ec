"""In which language a request is answered (UI6)."""

from collections.abc import Callable, Iterator

from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

# Addresses that programs call. Their answers are English whoever asks: scripts, logs and bug reports compare such
# sentences, and what logs metrics all day shall neither pay for a choice nor vary by it.
FOR_PROGRAMS = (
    "/api/",
    "/graphql",
    "/files/",
    "/storage/",
    "/artifactsV2/",
    "/sdk/",
    "/healthz",
    "/readyz",
    "/metrics",
)


def choose(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: the language somebody chose in the menu, kept in a cookie; else the first of their browser's that
    there is; else LANGUAGE_CODE.

    Django's own middleware does not know addresses for programs, and leaves its choice behind in the thread.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(FOR_PROGRAMS):
            with translation.override("en"):
                return _to_its_end(get_response(request), "en")
        language = translation.get_language_from_request(request)
        with translation.override(language):
            response = _to_its_end(get_response(request), language)
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        response.headers.setdefault("Content-Language", language)
        return response

    return answer


def _to_its_end(response: HttpResponseBase, language: str) -> HttpResponseBase:
    """The answer, of which also what is made while it is sent is in the language. Files speak none."""
    if isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse):
        response.streaming_content = _spoken(iter(response), language)
    return response


def _spoken(parts: Iterator[bytes], language: str) -> Iterator[bytes]:
    while True:
        # Set anew for each part: between two of them the thread may be asked for something else.
        with translation.override(language):
            part = next(parts, None)
        if part is None:
            return
        yield part
