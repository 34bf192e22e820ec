"""The outline of a long line of points: few enough to draw, with every peak and dip of the line in it.

The values of a metric are counted off into stretches of equal length, of which each keeps its lowest and its highest
finite value. Once there are too many stretches, each two neighbours become one. So a curve goes on with every batch
without a look at earlier ones, and comes out the same however the values were divided into batches. A stretch that is
narrower than a few pixels looks as if all its values had been drawn. A choice of points by the area they span (LTTB)
would look smoother, but may leave out the one spike that somebody looks for, and looks at the whole line each time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
import zstandard

Floats = npt.NDArray[np.float64]
Axis = Literal["step", "time"]

MOST_STRETCHES = 256
# The columns of a stretch: where and when its lowest and its highest value were logged, and how many were not finite.
LOW_STEP, LOW_TIME, LOW, HIGH_STEP, HIGH_TIME, HIGH, ODD = range(7)
COLUMNS = 7
# Within these bounds four bytes hold a value well enough for any screen, and half as many digits travel.
SINGLE = (1e-37, 3e38)


@dataclass(frozen=True, slots=True)
class Points:
    """What was logged of one metric, in order: the values with their steps and times."""

    steps: Floats
    times: Floats
    values: Floats

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True)
class Curve:
    """The outline of `count` values, in stretches of `width` of them each, the last of which may be shorter."""

    count: int = 0
    width: int = 1
    stretches: Floats = field(default_factory=lambda: np.empty((0, COLUMNS)))
    last: tuple[float, float, float] = (np.nan, np.nan, np.nan)

    def extended(self, points: Points) -> Curve:
        """The curve with points that were logged after it."""
        if not len(points):
            return self
        count, width, stretches = self.count + len(points), self.width, self.stretches
        while -(-count // width) > MOST_STRETCHES:
            stretches, width = _halved(stretches), 2 * width
        begun = self.count % width
        fresh = _stretched(points, width, begun=begun)
        if begun:
            fresh[:1] = _joined(stretches[-1:], fresh[:1])
            stretches = stretches[:-1]
        last = (points.steps[-1].item(), points.times[-1].item(), points.values[-1].item())
        return Curve(count, width, np.concatenate((stretches, fresh)), last)

    @property
    def odd(self) -> int:
        """How many of the values are NaN or infinite."""
        return int(self.stretches[:, ODD].sum())

    def points(self, by: Axis) -> tuple[Floats, Floats]:
        """What to draw, in order: places on the axis, and values there; NaN is a gap where no finite number was."""
        column = LOW_STEP if by == "step" else LOW_TIME
        far = HIGH_STEP - LOW_STEP
        low, high = self.stretches[:, [column, LOW]], self.stretches[:, [column + far, HIGH]]
        swapped = self.stretches[:, HIGH_STEP] < self.stretches[:, LOW_STEP]
        first, second = np.where(swapped[:, None], high, low), np.where(swapped[:, None], low, high)
        gap = np.column_stack((second[:, 0], np.full(len(second), np.nan)))
        shown = np.column_stack(
            (
                np.isfinite(first[:, 1]),
                (first != second).any(axis=1) & np.isfinite(first[:, 1]),
                self.stretches[:, ODD] > 0,
            )
        )
        drawn = np.stack((first, second, gap), axis=1)[shown]
        step, time, value = self.last
        end = np.array([[step if by == "step" else time, value]])
        if np.isfinite(value) and not (drawn[-1:] == end).all(axis=1).any():
            drawn = np.concatenate((drawn, end))
        return drawn[:, 0], drawn[:, 1]

    def pack(self) -> bytes:
        """The curve as bytes, to be kept."""
        head = np.array([[self.count, self.width, *self.last, 0, 0]])
        return zstandard.ZstdCompressor(level=1).compress(np.concatenate((head, self.stretches)).tobytes())

    @classmethod
    def unpack(cls, payload: bytes) -> Self:
        """The curve that `pack` made bytes of."""
        rows = np.frombuffer(zstandard.ZstdDecompressor().decompress(payload)).reshape(-1, COLUMNS)
        head = rows[0].tolist()
        return cls(int(head[0]), int(head[1]), rows[1:], (head[2], head[3], head[4]))


def short(values: Floats) -> npt.NDArray[np.generic]:
    """Values as numbers with as few digits as a drawing needs."""
    sizes = np.abs(values[np.isfinite(values) & (values != 0)])
    fits = not len(sizes) or (sizes.min() > SINGLE[0] and sizes.max() < SINGLE[1])
    return values.astype(np.float32) if fits else values


def _halved(stretches: Floats) -> Floats:
    """Each two neighbours as one; a last one without a neighbour stays."""
    pairs = len(stretches) // 2
    joined = _joined(stretches[0 : 2 * pairs : 2], stretches[1 : 2 * pairs : 2])
    return np.concatenate((joined, stretches[2 * pairs :]))


def _joined(earlier: Floats, later: Floats) -> Floats:
    """Stretch by stretch, what is the lowest and the highest of both."""
    joined = earlier.copy()
    lower = (later[:, LOW] < earlier[:, LOW]) | np.isnan(earlier[:, LOW])
    joined[lower, LOW_STEP : LOW + 1] = later[lower, LOW_STEP : LOW + 1]
    higher = (later[:, HIGH] > earlier[:, HIGH]) | np.isnan(earlier[:, HIGH])
    joined[higher, HIGH_STEP : HIGH + 1] = later[higher, HIGH_STEP : HIGH + 1]
    joined[:, ODD] += later[:, ODD]
    return joined


def _stretched(points: Points, width: int, *, begun: int) -> Floats:
    """The points in stretches, the first of which has `begun` values already."""
    rows = -(-(begun + len(points)) // width)
    values = np.full(rows * width, np.nan)
    values[begun : begun + len(points)] = points.values
    finite = np.isfinite(values).reshape(rows, width)
    table = values.reshape(rows, width)
    # Where nothing is finite, the place of the first value stands for the stretch.
    starts = np.arange(rows) * width
    first = np.maximum(starts, begun)
    some = finite.any(axis=1)
    lowest = np.where(some, np.where(finite, table, np.inf).argmin(axis=1) + starts, first)
    highest = np.where(some, np.where(finite, table, -np.inf).argmax(axis=1) + starts, first)
    found = np.empty((rows, COLUMNS))
    for at, step, time, value in ((lowest, LOW_STEP, LOW_TIME, LOW), (highest, HIGH_STEP, HIGH_TIME, HIGH)):
        found[:, step] = points.steps[at - begun]
        found[:, time] = points.times[at - begun]
        found[:, value] = np.where(some, values[at], np.nan)
    ends = np.minimum(starts + width, begun + len(points))
    found[:, ODD] = (ends - first) - finite.sum(axis=1)
    return found
