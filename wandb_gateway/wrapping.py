"""A run's documents as the client writes and reads them: JSON inside a text, each value of a config in an envelope.

The client sends `{"lr": {"value": 0.1}}`; here the config is `{"lr": 0.1}`, which is what conditions and pages read.
What it keeps for itself, under `_wandb`, is kept apart.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import BadRequest

from projects.jsonvalues import mended
from projects.metrics import loads
from projects.models import Run

OWN = "_wandb"
NON_FINITE = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def document(text: str | None, name: str) -> dict[str, Any] | None:
    """The object in a text, mended so that it can be stored; None if there is no text.

    Raises:
        BadRequest: it is no JSON object.
    """
    if text is None:
        return None
    try:
        found = loads(text.encode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"“{name}” is not JSON: {error}.") from error
    if found is None:
        return None
    if not isinstance(found, dict):
        raise BadRequest(f"“{name}” is a JSON object of names and values.")
    mended_document: dict[str, Any] = mended(found)
    return mended_document


def unwrapped(config: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The values of a config, and what the client keeps for itself if that is in it."""
    values = {name: _unwrapped(value) for name, value in config.items()}
    own = values.pop(OWN, None)
    return values, own if isinstance(own, dict) else None


def _unwrapped(value: Any) -> Any:
    return (
        value["value"] if isinstance(value, dict) and "value" in value and value.keys() <= {"value", "desc"} else value
    )


def wrapped(run: Run) -> str:
    """The config of a run as the client wants it back."""
    values: dict[str, Any] = {name: {"value": value} for name, value in run.config.items()}
    if run.client_config:
        values[OWN] = {"value": run.client_config}
    return text_of(values)


def text_of(stored: Any) -> str:
    """A stored document as the text the client reads, in which NaN and infinities are bare again."""
    return json.dumps(_bare(stored), ensure_ascii=False, separators=(",", ":"))


def _bare(value: Any) -> Any:
    if isinstance(value, str):
        return NON_FINITE.get(value, value)
    if isinstance(value, dict):
        return {key: _bare(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_bare(item) for item in value]
    return value
