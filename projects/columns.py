"""Logged rows turned on their side: for each metric its values, with the step and the time of each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

import numpy as np

from projects.curves import Floats, Points
from projects.metrics import rows_of, value_at
from projects.models import MetricChunk
from projects.models.history import Stream
from projects.series import STEP, step_of

TIMESTAMP = "_timestamp"
PLAIN = frozenset({float, int})
MISSING = type(None)
Row = dict[str, Any]


def points_of(chunk: MetricChunk, *, since: datetime, only: Collection[str] | None = None) -> dict[str, Points]:
    """What a chunk holds of each metric, or of `only` some. Rows that do not say when they were logged were logged
    between `since`, when the chunk before arrived, and the arrival of this one."""
    return read(chunk, since=since, only=only)[2]


def read(
    chunk: MetricChunk, *, since: datetime, only: Collection[str] | None = None
) -> tuple[Floats, Floats, dict[str, Points]]:
    """The same, after the step and the time of each row."""
    rows = rows_of(chunk)
    if any(dict in map(type, row.values()) for row in rows):
        rows = [_flat(row) for row in rows]
    steps, times = _places(rows, chunk, since)
    found = {}
    # In the order logged: where there are too many metrics, the first ones are drawn.
    for key in dict.fromkeys(chain.from_iterable(rows)):
        if not key.startswith("_") and (only is None or key in only):
            column = [row.get(key) for row in rows]
            points = _points(column, steps, times)
            if len(points):
                found[key] = points
    return steps, times, found


def places_of(chunk: MetricChunk, *, since: datetime) -> tuple[Floats, Floats]:
    """The step and the time of each row of a chunk."""
    return _places(rows_of(chunk), chunk, since)


def _places(rows: Sequence[Row], chunk: MetricChunk, since: datetime) -> tuple[Floats, Floats]:
    lines = np.arange(chunk.first_line, chunk.first_line + len(rows))
    steps = _steps(rows, lines) if chunk.stream == Stream.HISTORY else lines.astype(np.float64)
    return steps, _times(rows, since=since.timestamp(), until=max(chunk.created_at, since).timestamp())


def _points(column: list[Any], steps: Floats, times: Floats) -> Points:
    kinds = set(map(type, column))
    if kinds <= PLAIN:
        return Points(steps, times, _floats(column))
    kept = [index for index, value in enumerate(column) if type(value) in PLAIN]
    values = _floats([column[index] for index in kept])
    return Points(steps[kept], times[kept], values)


def _floats(column: list[Any]) -> Floats:
    try:
        return np.array(column, dtype=np.float64)
    except OverflowError:  # an integer of hundreds of digits
        return np.array([value_at({"": value}, "") for value in column], dtype=np.float64)


def _steps(rows: Sequence[Row], lines: Any) -> Floats:
    column = [row.get(STEP) for row in rows]
    if set(map(type, column)) == {int}:
        return _floats(column)
    return np.array([step_of(row, line) for row, line in zip(rows, lines.tolist(), strict=True)], dtype=np.float64)


def _times(rows: Sequence[Row], *, since: float, until: float) -> Floats:
    spread = since + (until - since) * np.arange(1, len(rows) + 1) / len(rows)
    column = [row.get(TIMESTAMP) for row in rows]
    kinds = set(map(type, column))
    if kinds == {MISSING}:
        return spread
    told = np.array([value if type(value) in PLAIN else np.nan for value in column], dtype=np.float64)
    return np.where(np.isfinite(told), told, spread)


def _flat(row: Row) -> Row:
    """The row with what is nested under its dotted path; a key that has the dots itself comes first."""
    flat: Row = {}
    _spread(row, flat, "")
    return flat | {key: value for key, value in row.items() if type(value) is not dict}


def _spread(row: Row, flat: Row, prefix: str) -> None:
    for key, value in row.items():
        if type(value) is dict:
            if "_type" not in value:
                _spread(value, flat, f"{prefix}{key}.")
        else:
            flat.setdefault(f"{prefix}{key}", value)
