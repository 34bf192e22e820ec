"""What the plots of a project show: which metrics there are, and the curve of each in each run."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from projects import drawing
from projects.curves import Curve
from projects.models import Run
from projects.models.history import Stream

# Seconds a request may draw for. What is missing then comes with the next one.
PATIENCE = 0.35
NOT_FINITE = frozenset({"NaN", "Infinity", "-Infinity"})


@dataclass(frozen=True, slots=True)
class Plots:
    """The curves of some metrics, by metric and the key of the run; of the runs `behind` more was logged."""

    curves: Mapping[str, Mapping[int, Curve]]
    behind: Collection[int]


def draw(runs: Sequence[Run], metrics: Sequence[str], *, patience: float = PATIENCE) -> Plots:
    """The curves of these metrics in these runs as they are now: two queries for each stream, and some for each run
    that logged since its curves were drawn."""
    deadline = time.monotonic() + patience
    found: dict[str, dict[int, Curve]] = {metric: {} for metric in metrics}
    behind: set[int] = set()
    for stream in Stream:
        wanted = [metric for metric in found if drawing.is_drawable(metric, stream)]
        if not wanted:
            continue
        for pk, drawn in drawing.kept(runs, stream, wanted).items():
            if drawn.lines_behind > 0:
                drawn = _drawn_on(drawn, wanted, deadline)  # noqa: PLW2901  the same drawing, further on
            if drawn.lines_behind > 0:
                behind.add(pk)
            for metric in wanted:
                if metric in drawn.curves:
                    found[metric][pk] = drawn.curves[metric]
    return Plots(curves=found, behind=behind)


def _drawn_on(drawn: drawing.Drawing, metrics: Sequence[str], deadline: float) -> drawing.Drawing:
    if time.monotonic() > deadline:
        return drawn
    if drawn.lines_behind >= drawing.WORTH_KEEPING:
        return drawing.catch_up(drawn.run, drawn.stream, deadline=deadline)
    drawn.draw_on(deadline=deadline, only=frozenset(metrics))
    return drawn


def metrics_of(runs: Sequence[Run]) -> list[str]:
    """The metrics that the runs logged, by name; those with “_” are the client's own."""
    names: set[str] = set()
    for run in runs:
        for stream, latest in ((Stream.HISTORY, run.summary), (Stream.SYSTEM, run.system_metrics)):
            names.update(name for name in _numbers_in(latest) if drawing.is_drawable(name, stream))
    return sorted(names, key=lambda name: (name.startswith(drawing.SYSTEM_PREFIX), name))


def _numbers_in(document: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in document.items():
        if isinstance(value, Mapping):
            if "_type" not in value:
                yield from _numbers_in(value, f"{prefix}{key}.")
        elif prefix or not key.startswith("_"):
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if is_number or (isinstance(value, str) and value in NOT_FINITE):
                yield f"{prefix}{key}"
