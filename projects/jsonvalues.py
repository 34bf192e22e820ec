"""JSON that every database takes: PostgreSQL's jsonb knows neither NaN nor NUL characters nor lone surrogates."""

from __future__ import annotations

import json
import math
from typing import Any

from django.core.exceptions import ValidationError

MAX_DEPTH = 50
# Documents are read whole with their row, and copied into every event: they stay small.
MAX_DOCUMENT_BYTES = 1_000_000
MAX_DOCUMENT_KEYS = 10_000


def storable(value: Any, *, path: str = "", depth: int = 0) -> Any:
    """The value with NaN and infinities as the strings "NaN", "Infinity" and "-Infinity".

    Raises:
        ValidationError: naming the place of text that cannot be stored, or of nesting over 50 levels.
    """
    if depth > MAX_DEPTH:
        raise ValidationError(f"{path or 'The document'} is nested over {MAX_DEPTH} levels deep.")
    if isinstance(value, float):
        return value if math.isfinite(value) else non_finite_text(value)
    if isinstance(value, str):
        return _text(value, path)
    if isinstance(value, dict):
        return {
            _text(str(key), path): storable(item, path=f"{path}.{key}" if path else str(key), depth=depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [storable(item, path=f"{path}[{i}]", depth=depth + 1) for i, item in enumerate(value)]
    return value


def mended(value: Any, *, depth: int = 0) -> Any:
    """The value as `storable` has it, but with what cannot be stored replaced rather than refused: for scripts that
    would lose everything over one bad character.

    What is nested too deeply becomes null; NUL and halves of surrogate pairs become “�”.
    """
    if isinstance(value, str):
        return _mended_text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else non_finite_text(value)
    if isinstance(value, dict | list) and depth >= MAX_DEPTH:
        return None
    if isinstance(value, dict):
        return {_mended_text(key): mended(item, depth=depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [mended(item, depth=depth + 1) for item in value]
    return value


def shallow(value: Any, *, depth: int = 1) -> Any:
    """The value with null for what is nested too deeply, so that whatever walks through it comes back."""
    if not isinstance(value, dict | list):
        return value
    if depth >= MAX_DEPTH:
        return None
    if isinstance(value, dict):
        return {key: shallow(item, depth=depth + 1) for key, item in value.items()}
    return [shallow(item, depth=depth + 1) for item in value]


def fitting(document: dict[str, Any]) -> dict[str, Any]:
    """As many of the document's first entries as can be kept: see `check_size`."""
    kept: dict[str, Any] = {}
    keys = size = 0
    for key, value in document.items():
        keys += 1 + keys_in(value)
        size += len(json.dumps({key: value}, ensure_ascii=False, separators=(",", ":")).encode())
        if keys > MAX_DOCUMENT_KEYS or size > MAX_DOCUMENT_BYTES:
            break
        kept[key] = value
    return kept


def same(one: Any, other: Any) -> bool:
    """Whether two documents mean the same: the order of keys does not count, and 1 is 1.0 but not true."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def check_size(document: Any) -> None:
    """Refuse a document that would make everything slow which reads or copies it.

    Raises:
        ValidationError: it has over 10,000 keys, on all its levels together, or over 1 MB as JSON.
    """
    count = keys_in(document)
    if count > MAX_DOCUMENT_KEYS:
        raise ValidationError(
            f"This has {count:,} keys; at most {MAX_DOCUMENT_KEYS:,} can be kept. Keep the rest in a file."
        )
    size = len(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())
    if size > MAX_DOCUMENT_BYTES:
        raise ValidationError(f"This has {size:,} bytes as JSON; at most 1 MB can be kept. Keep the rest in a file.")


def keys_in(value: Any) -> int:
    """The number of keys of a document, on all its levels."""
    if isinstance(value, dict):
        return len(value) + sum(map(keys_in, value.values()))
    return sum(map(keys_in, value)) if isinstance(value, list) else 0


def non_finite_text(value: float) -> str:
    """How a NaN or an infinity is written where only strict JSON is possible."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _mended_text(value: str) -> str:
    if value.isascii() and "\x00" not in value:  # nearly always
        return value
    return "".join("�" if letter == "\x00" or "\ud800" <= letter <= "\udfff" else letter for letter in value)


def _text(value: str, path: str) -> str:
    where = f" at {path}" if path else ""
    if "\x00" in value:
        raise ValidationError(f"Text{where} has a NUL character, which cannot be stored. Remove it.")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ValidationError(f"Text{where} has half of a surrogate pair, which is not a character. Remove it.")
    return value
