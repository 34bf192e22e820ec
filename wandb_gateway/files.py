"""`/storage/…`: bytes come and go under signed addresses, because the client sends no key there."""

from __future__ import annotations

from http import HTTPStatus

from django.core.exceptions import BadRequest
from django.http import FileResponse, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from projects import storage
from projects.api import bodies, problems
from projects.downloads import download
from projects.models import Blob
from wandb_gateway import refusals

problems.answers_with(HTTPStatus.FORBIDDEN, storage.AddressNotValid)
problems.answers_with(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, storage.FileTooLarge)
# Worth trying again: an operator may make room meanwhile, and the client has minutes.
problems.answers_with(HTTPStatus.INSUFFICIENT_STORAGE, storage.StorageFull)


@csrf_exempt  # the address itself is the permission
@require_http_methods(["GET", "HEAD", "PUT"])
def bytes_at(request: HttpRequest, token: str) -> HttpResponse | FileResponse:
    """Take a file, or hand one out."""
    try:
        if request.method == "PUT":
            bodies.require_length(request)
            storage.receive(token, request, length=_length(request), at=timezone.now())
            return HttpResponse()
        return download(storage.announced(token), storage.named(token))
    except FileNotFoundError as error:
        return refusals.answer(storage.AddressNotValid().with_traceback(error.__traceback__))
    except Exception as error:  # noqa: BLE001  # whatever it is, the client is told in its own form
        return refusals.answer(error)


def _length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError as error:
        raise BadRequest("The header Content-Length is not a number.") from error


def address(request: HttpRequest, token: str) -> str:
    """The absolute address of a token, under the host by which the client reaches this server."""
    return request.build_absolute_uri(reverse("wandb_gateway:storage", kwargs={"token": token}))


def download_address(request: HttpRequest, blob: Blob, name: str) -> str:
    """Where a client gets these bytes, as a file of this name."""
    return address(request, storage.download_token(blob, name))
