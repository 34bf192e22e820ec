"""Sums, means and extremes over windows of floats, exact where it matters, and how windows are packed."""

import math
import struct
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def pack(values: Iterable[float]) -> bytes:
    """Values as little-endian float64, for stored windows; an integer beyond that range becomes infinite."""
    floats = as_floats(values)
    return struct.pack(f"<{len(floats)}d", *floats)


def unpack(packed: bytes) -> list[float]:
    """What pack() was given. Raises ValueError for bytes that are not a whole number of values."""
    if len(packed) % 8:
        raise ValueError(f"A packed window has 8 bytes for each value; {len(packed)} bytes do not divide.")
    return list(struct.unpack(f"<{len(packed) // 8}d", packed))


def as_float(value: float) -> float:
    """A logged number as a float; an integer beyond the range of floats is infinite, with its sign."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def as_floats(values: Iterable[float]) -> list[float]:
    return [as_float(value) for value in values]


def digits(value: float, *, unlike: float | None = None) -> str:
    """Six significant digits; all of them where six would read like a number that is not the same."""
    short = f"{value:.6g}"
    return repr(value) if unlike is not None and value != unlike and short == f"{unlike:.6g}" else short


def array(values: Sequence[float] | Floats) -> Floats:
    try:
        return np.asarray(values, dtype=np.float64)
    except OverflowError:
        return np.array(as_floats(values))


def mean(values: list[float]) -> float:
    """The mean, rounded once and never outside the values; sums beyond the range of floats do no harm."""
    low, high = min(values), max(values)
    if low == high:
        return low
    try:
        mean = math.fsum(values) / len(values)
    except OverflowError:
        mean = math.fsum(value * 2.0**-20 for value in values) / len(values) * 2.0**20
    return min(max(mean, low), high)


def at_the_end(found: Floats, count: int) -> Floats:
    """What was found for the last of `count` values, infinite for those before; what is not a number is infinite."""
    shown = np.full(count, np.inf)
    if len(found):
        shown[count - len(found) :] = np.where(np.isfinite(found), found, np.inf)
    return shown


def aggregate(window: Sequence[float], agg_op: str | None) -> float | None:
    """Minimum, maximum or mean of the finite values, or None if there are none; of one value, that value."""
    finite = [value for value in window if math.isfinite(value)]
    if not finite:
        return None
    if agg_op == "MIN":
        return min(finite)
    if agg_op == "MAX":
        return max(finite)
    return mean(finite)


def sliding_aggregates(values: Floats, agg_op: str | None, size: int) -> tuple[Floats, Floats]:
    """aggregate() of every window of `size` values, NaN where it is None; and how far each may be from it, mostly 0."""
    finite = np.isfinite(values)
    if agg_op == "AVERAGE" and size > 1:
        return _sliding_means(values, finite, size)
    combine, neutral = (np.minimum, np.inf) if agg_op == "MIN" else (np.maximum, -np.inf)
    found = sliding(combine, np.where(finite, values, neutral), size)
    return np.where(np.isfinite(found), found, np.nan), np.zeros(len(found))


def _sliding_means(values: Floats, finite: Flags, size: int) -> tuple[Floats, Floats]:
    """Fast sums, with a bound for what rounding did to them; windows of equal values are exact."""
    clean = np.where(finite, values, 0.0)
    counts = sliding(np.add, finite.astype(np.float64), size)
    means = sliding(np.add, clean, size) / counts
    sizes = sliding(np.add, np.abs(clean), size) / counts
    limits = np.finfo(np.float64)
    margins = (2 * size + 8) * limits.eps * sizes + limits.tiny
    margins[~np.isfinite(margins)] = np.inf  # sums beyond the range of floats
    lows = sliding(np.minimum, np.where(finite, values, np.inf), size)
    highs = sliding(np.maximum, np.where(finite, values, -np.inf), size)
    level = lows == highs
    means[level] = lows[level]
    means[counts == 0] = np.nan
    margins[level | (counts == 0)] = 0.0
    return means, margins


def sliding(combine: np.ufunc, values: Floats, size: int) -> Floats:
    """`combine` over every window of `size` values, in time that does not grow with the size.

    A window is the end of one block of `size` values and the start of the next (van Herk and Gil-Werman), so
    sums only ever add: differences of running totals would lose small values beside large ones.
    """
    windows = len(values) - size + 1
    padded = np.zeros(-(-len(values) // size) * size)
    padded[: len(values)] = values
    blocks = padded.reshape(-1, size)
    starts = combine.accumulate(blocks, axis=1).ravel()
    ends = combine.accumulate(blocks[:, ::-1], axis=1)[:, ::-1].ravel()
    found: Floats = combine(ends[:windows], starts[size - 1 : size - 1 + windows])
    found[::size] = ends[:windows:size]  # a window that is a whole block
    return found
