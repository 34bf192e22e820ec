"""A stretch of a run's metrics, looked at closely: the outline of what lies between two places of the x axis.

What is kept of a metric (`projects.drawing`) is coarse once there is much of it. So a close-up reads what was logged
there, and nothing else: steps and times go on from line to line, and the first chunk is found by halving. A run whose
steps go back is drawn as far as that finds them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from projects.columns import places_of, read
from projects.curves import Axis, Curve, Floats, Points
from projects.drawing import stream_of
from projects.models import MetricChunk, Run
from projects.models.history import Stream

# Seconds a request may read for. A stretch with more in it stays as coarse as it is.
PATIENCE = 1.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """From one place of an axis to another, both included: steps, or seconds since 1970."""

    axis: Axis
    first: float
    last: float

    def of(self, points: Points) -> Points:
        """The points that lie in it."""
        places = points.steps if self.axis == "step" else points.times
        inside = (places >= self.first) & (places <= self.last)
        return Points(points.steps[inside], points.times[inside], points.values[inside])


def drawn(
    run: Run, metrics: Sequence[str], stretch: Stretch, *, deadline: float | None = None
) -> dict[str, Curve] | None:
    """The curve of each metric in the stretch, of those that have any point there; None if there is too much of it to
    be read until the deadline (of `time.monotonic`)."""
    deadline = time.monotonic() + PATIENCE if deadline is None else deadline
    found: dict[str, Curve] = {}
    for stream in Stream:
        wanted = frozenset(metric for metric in metrics if stream_of(metric) == stream)
        for chunk, since in _chunks(run, stream, stretch) if wanted else ():
            if time.monotonic() > deadline:
                return None
            steps, times, held = read(chunk, since=since, only=wanted)
            if (steps if stretch.axis == "step" else times)[:1] > stretch.last:
                break
            for metric, points in held.items():
                inside = stretch.of(points)
                if len(inside):
                    found[metric] = found.get(metric, Curve()).extended(inside)
    return found


def _chunks(run: Run, stream: Stream, stretch: Stretch) -> Iterator[tuple[MetricChunk, datetime]]:
    """The chunks from the first in which the stretch may begin, each with the arrival of the one before."""
    line, since = _begin(run, stream, stretch)
    chunks = run.chunks.filter(stream=stream, first_line__gte=line).order_by("first_line")
    for chunk in chunks.iterator(chunk_size=20):
        yield chunk, since
        since = chunk.created_at


def _begin(run: Run, stream: Stream, stretch: Stretch) -> tuple[int, datetime]:
    """The first line of the last chunk that begins before the stretch, and when the chunk before it arrived."""
    low, high = 0, run.history_lines if stream == Stream.HISTORY else run.system_lines
    begin = 0, run.started_at or run.created_at
    while low < high:
        middle = (low + high) // 2
        chunk, since = _chunk_with(run, stream, middle)
        places = _places(chunk, since, stretch.axis) if chunk else np.empty(0)
        if chunk is None or not len(places):
            low = middle + 1
        elif places[0] < stretch.first:
            begin = chunk.first_line, since
            low = max(middle, chunk.first_line + chunk.line_count - 1) + 1
        else:
            high = min(middle, chunk.first_line)
    return begin


def _chunk_with(run: Run, stream: Stream, line: int) -> tuple[MetricChunk | None, datetime]:
    """The chunk that holds a line, and when the one before it arrived."""
    before = run.chunks.filter(stream=stream, first_line__lte=line).order_by("-first_line")
    chunk = before.first()
    earlier = before.values_list("created_at", flat=True)[1:2].first() if chunk else None
    return chunk, earlier or run.started_at or run.created_at


def _places(chunk: MetricChunk, since: datetime, axis: Axis) -> Floats:
    steps, times = places_of(chunk, since=since)
    return steps if axis == "step" else times
