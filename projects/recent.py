"""The last values of watched metrics, kept beside the chunks so that a batch is judged without reading history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


def store(run: Run, *, next_line: int, capacities: Mapping[str, int], values: Mapping[str, Sequence[float]]) -> None:
    """Keep the windows, in one statement."""
    MetricWindow.objects.bulk_create(
        [
            MetricWindow(
                run=run,
                metric=metric,
                capacity=capacity,
                next_line=next_line,
                values=np.array(values[metric][-capacity:], dtype=FLOAT64).tobytes(),
            )
            for metric, capacity in capacities.items()
        ],
        update_conflicts=True,
        unique_fields=["run", "metric"],
        update_fields=["capacity", "next_line", "values"],
    )
