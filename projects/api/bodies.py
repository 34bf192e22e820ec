"""Bodies of requests: of bounded size, also once unpacked; gzip and zstd; JSON whose mistakes are located."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Mapping
from typing import Any

import zstandard
from django.conf import settings
from django.http import HttpRequest
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from projects.metrics import loads

# What RFC 8878 asks every decoder to grant a frame; a larger window would let a small body claim much memory.
ZSTD_WINDOW = 8 * 1024 * 1024


class BodyTooLarge(Exception):
    """The body has more bytes than one request may have, as sent or unpacked."""


class LengthMissing(Exception):
    """The body is sent in chunks, and nothing tells the application where it ends."""


class UnknownEncoding(Exception):
    """The body is packed in a way this server cannot unpack."""


def too_large(most: int | None = None) -> str:
    """The sentence for a body over the limit."""
    return (
        f"The body is too large: at most {most or settings.MAX_BODY_BYTES:,} bytes are accepted, also after"
        " unpacking gzip or zstd. Send it in smaller parts."
    )


def require_length(request: HttpRequest) -> None:
    """Without a length the body would pass for an empty one, and what it says be ignored.

    Raises:
        LengthMissing: the body is chunked.
    """
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "") and not request.META.get("CONTENT_LENGTH"):
        raise LengthMissing("Send the body as a whole, with a Content-Length, rather than in chunks.")


def read(request: HttpRequest, *, most: int | None = None) -> bytes:
    """The body, unpacked; `most` bytes of it, where the limit of all other addresses is not the right one.

    Raises:
        LengthMissing: it is sent in chunks.
        BodyTooLarge: as sent, or as soon as unpacking passes the limit.
        UnknownEncoding: `Content-Encoding` is neither gzip nor zstd.
        ParseError: it is not what `Content-Encoding` says.
    """
    require_length(request)
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError as error:
        raise ParseError("The header Content-Length is not a number.") from error
    limit = most or settings.MAX_BODY_BYTES
    if length > limit:
        raise BodyTooLarge(too_large(limit))
    # Django's own limit, which is the one of all other addresses, is for `request.body`.
    body = request.read() if most else request.body
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if encoding in {"", "identity"}:
        return body
    if encoding in {"gzip", "x-gzip"}:
        return _bounded(_gunzip, body, "gzip", limit)
    if encoding == "zstd":
        return _bounded(_unzstd, body, "zstd", limit)
    raise UnknownEncoding(f"“Content-Encoding: {encoding[:40]}” is unknown here. Use gzip, zstd or none.")


def _bounded(unpack: Any, body: bytes, encoding: str, limit: int) -> bytes:
    try:
        unpacked: bytes = unpack(body, limit + 1)
    except (zlib.error, zstandard.ZstdError, EOFError) as error:
        raise ParseError(f"The body is not valid {encoding}, although Content-Encoding says so.") from error
    if len(unpacked) > limit:
        raise BodyTooLarge(too_large(limit))
    return unpacked


def _gunzip(body: bytes, most: int) -> bytes:
    stream = zlib.decompressobj(wbits=31)
    unpacked = stream.decompress(body, most)
    if len(unpacked) < most and (not stream.eof or stream.unused_data):
        raise EOFError
    return unpacked


def _unzstd(body: bytes, most: int) -> bytes:
    unpacker = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
    with unpacker.stream_reader(io.BytesIO(body), read_across_frames=True) as stream:
        return stream.read(most)


class JsonBody(BaseParser):
    """JSON in, with bare NaN and Infinity as Python writes them."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """The document.

        Raises:
            ParseError: with the line and column where it stops being JSON.
        """
        body = read((parser_context or {})["request"])
        try:
            return loads(body)
        except json.JSONDecodeError as error:
            where = f"line {error.lineno}, column {error.colno}"
            raise ParseError(f"The body is not JSON: {error.msg} at {where}.") from error
        except RecursionError as error:
            raise ParseError("The body is not usable JSON: it is nested too deeply.") from error
        except ValueError as error:
            raise ParseError(
                "The body is not usable JSON: it is not UTF-8, or a number has thousands of digits."
            ) from error
