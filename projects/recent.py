"""The last values of watched metrics, kept beside the chunks so that a batch is judged without reading history.

On the hot path, as `projects.held` is: composing these statements by the ORM would cost more than running them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from django.db import connection

from projects.metrics import last_values
from projects.models import Run
from projects.models.history import Stream

FLOAT64 = np.dtype("<f8")
STORED = 'SELECT metric, capacity, next_line, "values" FROM projects_metricwindow WHERE run_id = %s AND metric IN ({})'
STORE = """INSERT INTO projects_metricwindow (run_id, metric, capacity, next_line, "values", moved_at) VALUES {}
    ON CONFLICT (run_id, metric) DO UPDATE
    SET capacity = excluded.capacity, next_line = excluded.next_line, "values" = excluded."values"
"""
STORE_MOVED = f"{STORE.rstrip()}, moved_at = excluded.moved_at"
# SQLite takes 32,766 parameters in one statement; each window has six.
WINDOWS_PER_STATEMENT = 5_000


def values_before(
    run: Run, *, line: int, capacities: Mapping[str, int], stream: str = Stream.HISTORY
) -> dict[str, list[float]]:
    """For each metric of a stream, up to `capacities[metric]` values logged before the line, oldest first.

    A window that is missing, too small, or that missed lines while nobody watched is filled from the chunks.
    """
    stored = _stored(run, list(capacities))
    values = {}
    for metric, wanted in capacities.items():
        capacity, next_line, packed = stored.get(metric, (0, -1, b""))
        if next_line == line and capacity >= wanted:
            values[metric] = np.frombuffer(bytes(packed), dtype=FLOAT64).tolist()
        else:
            values[metric] = last_values(run, metric, count=wanted, before_line=line, stream=stream)
    return values


def _stored(run: Run, metrics: Sequence[str]) -> dict[str, tuple[int, int, bytes]]:
    found: dict[str, tuple[int, int, bytes]] = {}
    with connection.cursor() as cursor:
        for start in range(0, len(metrics), WINDOWS_PER_STATEMENT):
            some = metrics[start : start + WINDOWS_PER_STATEMENT]
            cursor.execute(STORED.format(", ".join(["%s"] * len(some))), [run.pk, *some])
            found |= {metric: tuple(rest) for metric, *rest in cursor.fetchall()}
    return found


def store(
    run: Run,
    *,
    next_line: int,
    capacities: Mapping[str, int],
    values: Mapping[str, Sequence[float]],
    moved: Collection[str],
    at: datetime,
) -> None:
    """Keep the windows, in one statement; a second one, if some of the metrics `moved` and others stood still."""
    moment = connection.ops.adapt_datetimefield_value(at)
    for statement, metrics in (
        (STORE_MOVED, [metric for metric in capacities if metric in moved]),
        (STORE, [metric for metric in capacities if metric not in moved]),
    ):
        for start in range(0, len(metrics), WINDOWS_PER_STATEMENT):
            some = metrics[start : start + WINDOWS_PER_STATEMENT]
            parameters: list[Any] = []
            for metric in some:
                packed = np.array(values[metric][-capacities[metric] :], dtype=FLOAT64).tobytes()
                parameters += [run.pk, metric, capacities[metric], next_line, packed, moment]
            with connection.cursor() as cursor:
                cursor.execute(statement.format(", ".join(["(%s, %s, %s, %s, %s, %s)"] * len(some))), parameters)
