"""JSON that every database takes: PostgreSQL's jsonb knows neither NaN nor NUL characters nor lone surrogates."""

from __future__ import annotations

import math
from typing import Any

from django.core.exceptions import ValidationError

MAX_DEPTH = 50


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


def non_finite_text(value: float) -> str:
    """How a NaN or an infinity is written where only strict JSON is possible."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _text(value: str, path: str) -> str:
    where = f" at {path}" if path else ""
    if "\x00" in value:
        raise ValidationError(f"Text{where} has a NUL character, which cannot be stored. Remove it.")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ValidationError(f"Text{where} has half of a surrogate pair, which is not a character. Remove it.")
    return value
