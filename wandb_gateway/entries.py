"""`/artifactsV2/…`: one file of a version, for a client that signs in and knows its content by MD5."""

from __future__ import annotations

import base64
import binascii

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from projects.downloads import download
from projects.models import Blob, User
from wandb_gateway import refusals
from wandb_gateway.auth import signed_in
from wandb_gateway.whereabouts import artifact_numbered


@csrf_exempt  # signed in by key alone, never by cookie
@require_safe
def entry(request: HttpRequest, artifact_id: str, md5: str, name: str, **_place: str) -> HttpResponse | FileResponse:
    """The bytes with this MD5 in the version: whoever sees the version may have them, and nobody else."""
    try:
        return download(_blob_of(signed_in(request), artifact_id, md5), name)
    except Exception as error:  # noqa: BLE001  # whatever it is, the client is told in its own form
        return refusals.answer(error)


def _blob_of(user: User, artifact_id: str, md5: str) -> Blob:
    artifact = artifact_numbered(user, artifact_id)
    found = Blob.objects.filter(artifact_files__artifact=artifact, md5=_in_base64(md5)).first()
    if found is None:
        raise Http404("The version has no file with this content.")
    return found


def _in_base64(md5: str) -> str:
    try:
        return base64.b64encode(binascii.unhexlify(md5)).decode()
    except (binascii.Error, ValueError) as error:
        raise Http404("This is no MD5.") from error
