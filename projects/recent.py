"""The last values of watched metrics, kept beside the chunks so that a batch is judged without reading history."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import numpy as np

from projects.metrics import last_values
from projects.models import MetricWindow, Run
from projects.models.history import Stream

FLOAT64 = np.dtype("<f8")


def values_before(
    run: Run, *, line: int, capacities: Mapping[str, int], stream: str = Stream.HISTORY
) -> dict[str, list[float]]:
    """For each metric of a stream, up to `capacities[metric]` values logged before the line, oldest first.

    A window that is missing, too small, or that missed lines while nobody watched is filled from the chunks.
    """
    stored = {row.metric: row for row in MetricWindow.objects.filter(run=run, metric__in=capacities)}
    values = {}
    for metric, capacity in capacities.items():
        row = stored.get(metric)
        if row is not None and row.next_line == line and row.capacity >= capacity:
            values[metric] = np.frombuffer(bytes(row.values), dtype=FLOAT64).tolist()
        else:
            values[metric] = last_values(run, metric, count=capacity, before_line=line, stream=stream)
    return values


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
    windows = [
        MetricWindow(
            run=run,
            metric=metric,
            capacity=capacity,
            next_line=next_line,
            values=np.array(values[metric][-capacity:], dtype=FLOAT64).tobytes(),
            moved_at=at,
        )
        for metric, capacity in capacities.items()
    ]
    kept = ["capacity", "next_line", "values"]
    for has_moved, fields in ((True, [*kept, "moved_at"]), (False, kept)):
        some = [window for window in windows if (window.metric in moved) is has_moved]
        if some:
            MetricWindow.objects.bulk_create(
                some, update_conflicts=True, unique_fields=["run", "metric"], update_fields=fields
            )
