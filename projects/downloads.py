"""Handing out what others uploaded: always as a file to keep, never as a page that runs here."""

from __future__ import annotations

from django.core.files.storage import default_storage
from django.http import FileResponse
from django.urls import register_converter
from django.urls.converters import PathConverter

from projects.models import Blob

AT_ONCE = 64 * 1024


class FileName(PathConverter):
    """The name of a file in an address. It is the script's to choose: unlike in a `path`, it may have line breaks."""

    regex = "(?s:.+)"


register_converter(FileName, "file")


def download(blob: Blob, name: str) -> FileResponse:
    """The bytes as an attachment. HTML or SVG among them would otherwise act in the name of who looks at it."""
    response = FileResponse(
        default_storage.open(blob.path),
        as_attachment=True,
        filename=name.rpartition("/")[2],
        content_type="application/octet-stream",
    )
    response.block_size = AT_ONCE
    response["Content-Length"] = str(blob.size)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
