"""The list of files of a version, as the wandb client writes it: a JSON document, read when the version is committed.

It is kept as it came, since clients read it back; of what it says only what is needed here is believed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from django.core.exceptions import ValidationError

# What the wandb client itself allows in one version, with room for long paths and references.
MOST_ENTRIES = 100_000
MOST_BYTES = 100_000_000
# A path is part of an index of the database.
LONGEST_PATH = 1_000
LONGEST_TEXT = 10_000
MD5_BYTES = 16

EMPTY = orjson.dumps(
    {
        "version": 1,
        "storagePolicy": "wandb-storage-policy-v1",
        "storagePolicyConfig": {"storageLayout": "V2"},
        "contents": {},
    }
)


class InvalidManifest(ValidationError):
    """The list of files cannot be used; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: bytes that were uploaded, known by their MD5 in base64, or a reference to something kept elsewhere."""

    path: str
    digest: str
    size: int
    reference: str


def read(text: bytes) -> list[Entry]:
    """The entries of a manifest, by path.

    Raises:
        InvalidManifest: it is none, or too large.
    """
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidManifest(f"The list of files is not JSON: {error}.") from error
    contents = document.get("contents") if isinstance(document, dict) else None
    if not isinstance(contents, dict):
        raise InvalidManifest("The list of files has no “contents”.")
    if len(contents) > MOST_ENTRIES:
        raise InvalidManifest(
            f"The version has {len(contents):,} files; at most {MOST_ENTRIES:,} can be kept. Put some into an archive."
        )
    return [_entry(path, contents[path]) for path in sorted(contents)]


def merged(text: bytes, *, onto: bytes) -> bytes:
    """The manifest with all entries of both; those of `text` replace those of the same path.

    Raises:
        InvalidManifest: one of both is none.
    """
    base, added = _document(onto), _document(text)
    return orjson.dumps({**added, "contents": {**base["contents"], **added["contents"]}})


def total_size(entries: Iterable[Entry]) -> int:
    """Bytes of all files together."""
    return sum(entry.size for entry in entries)


def _document(text: bytes) -> dict[str, Any]:
    read(text)
    document: dict[str, Any] = orjson.loads(text)
    return document


def check_path(path: str) -> None:
    """Refuse what is no path of a file inside a version.

    Raises:
        InvalidManifest: with a sentence.
    """
    outside = any(part in {"", ".", ".."} for part in path.split("/"))
    if outside or len(path.encode("utf-8", "replace")) > LONGEST_PATH or "\x00" in path:
        raise InvalidManifest(f"“{path[:80]}” is no path inside the version, of up to {LONGEST_PATH:,} bytes.")


def _entry(path: str, said: Any) -> Entry:
    check_path(path)
    if not isinstance(said, Mapping):
        raise InvalidManifest(f"What is said of “{path}” is no object.")
    entry = Entry(
        path=path,
        digest=_text(path, said, "digest"),
        size=_size(path, said.get("size")),
        reference=_text(path, said, "ref"),
    )
    if not entry.reference and not is_md5(entry.digest):
        raise InvalidManifest(f"The digest of “{path}” is no MD5 in base64.")
    return entry


def is_md5(digest: str) -> bool:
    """Whether the text is an MD5 in base64."""
    try:
        return len(base64.b64decode(digest, validate=True)) == MD5_BYTES
    except (binascii.Error, ValueError):
        return False


def _text(path: str, said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or "\x00" in value:
        raise InvalidManifest(f"“{name}” of “{path}” is no text of up to {LONGEST_TEXT:,} characters.")
    return value


def _size(path: str, value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise InvalidManifest(f"The size of “{path}” is no number of bytes.")
    return value
