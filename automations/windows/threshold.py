"""EV6: an aggregate over the last values compared with a number, or a value that is NaN or infinite."""

import math
import operator
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from automations.windows.arithmetic import Flags, Floats, array, as_float, as_floats, digits, mean, sliding
from automations.windows.judgement import InvalidWindow, Judgement

MAX_WINDOW = 10_000
MAX_NAME_LENGTH = 500
NONFINITE: Final = "$nonfinite"
AGGREGATES: Final = {"AVERAGE": "average", "MIN": "minimum", "MAX": "maximum"}
# From about this many values to look at (batch × window), numpy is faster than plain Python.
VECTORISED_FROM = 100


@dataclass(frozen=True, slots=True)
class Comparison:
    holds: Callable[[Any, Any], Any]
    symbol: str
    words: str


COMPARISONS: Final = {
    "$gt": Comparison(operator.gt, ">", "above"),
    "$gte": Comparison(operator.ge, "≥", "above or equal to"),
    "$lt": Comparison(operator.lt, "<", "below"),
    "$lte": Comparison(operator.le, "≤", "below or equal to"),
    "$eq": Comparison(operator.eq, "=", "equal to"),
    "$ne": Comparison(operator.ne, "≠", "not equal to"),
}


@dataclass(frozen=True, slots=True)
class Threshold:
    """An aggregate over the last `window_size` values of metric `name`, compared with `threshold`.

    `agg_op` None means the latest value, so the window is 1 whatever was given. `cmp_op` "$nonfinite" asks
    whether the latest value is NaN or infinite, and has neither aggregate nor threshold.
    """

    name: str
    agg_op: str | None
    window_size: int
    cmp_op: str
    threshold: float | None

    def __post_init__(self) -> None:
        _check_name(self.name)
        _check_window(self.window_size)
        if self.agg_op is not None and not _among(self.agg_op, AGGREGATES):
            raise InvalidWindow("agg_op", f"The aggregate is {', '.join(AGGREGATES)}, or null for the latest value.")
        if self.cmp_op == NONFINITE:
            _check_alone(self.agg_op, self.threshold)
        elif _among(self.cmp_op, COMPARISONS):
            _check_bound(self.threshold)
        else:
            raise InvalidWindow("cmp_op", f"The comparison is one of {', '.join([*COMPARISONS, NONFINITE])}.")
        if self.agg_op is None:
            object.__setattr__(self, "window_size", 1)

    @classmethod
    def from_condition(cls, condition: object) -> Self:
        """The rule that stored JSON stands for. Raises InvalidWindow, also for unknown or missing keys."""
        if not isinstance(condition, dict):
            raise InvalidWindow("", f"A threshold is an object with {', '.join(_KEYS)}.")
        for key in condition:
            if key not in _KEYS:
                raise InvalidWindow(str(key)[:80], f"A threshold has no such part; it has {', '.join(_KEYS)}.")
        for key in _KEYS:
            if key not in condition:
                raise InvalidWindow(key, "This part is missing; write null where there is nothing to say.")
        return cls(**condition)

    def as_condition(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in _KEYS}

    def describe(self) -> str:
        """A clause for sentences: `loss (average of the last 5 values) is above 0.9`."""
        if self.cmp_op == NONFINITE:
            return f"{self.name} is NaN or infinite"
        over = f" ({self._aggregate_in_words()})" if self.agg_op else ""
        return f"{self.name}{over} is {COMPARISONS[self.cmp_op].words} {digits(self._bound)}"

    def judge(self, values: Sequence[float]) -> Judgement:
        """The verdict after the last of `values`, which are the values logged so far, oldest first."""
        if len(values) < self.window_size:
            return Judgement.not_evaluable(f"window {len(values)} of {self.window_size}")
        window = as_floats(values[len(values) - self.window_size :])
        if self.cmp_op == NONFINITE:
            return _judge_finiteness(window[-1])
        value = self._aggregate(window)
        if value is None:
            return Judgement.not_evaluable(
                f"no finite value among the last {self.window_size}"
                if self.agg_op
                else f"latest value is {_kind(window[-1])}"
            )
        comparison = COMPARISONS[self.cmp_op]
        holds = comparison.holds(value, self._bound)
        verb = comparison.symbol if holds else f"is not {comparison.symbol}"
        shown = digits(value, unlike=self._bound)
        return Judgement(holds, True, value, f"{shown} {verb} {digits(self._bound)}, {self._aggregate_in_words()}")

    def judge_batch(self, before: Sequence[float] | Floats, new: Sequence[float] | Floats) -> list[bool]:
        """Whether the rule holds after each of the `new` values, logged after those `before`.

        Equal to `judge(…).holds` on every prefix, whatever the size of the batch.
        """
        size = self.window_size
        kept = before[max(0, len(before) - size + 1) :]
        if len(new) * min(size, len(kept) + len(new)) < VECTORISED_FROM:
            values = as_floats(kept) + as_floats(new)
            ends = range(len(kept) + 1, len(values) + 1)
            return [end >= size and self._holds(values[end - size : end]) for end in ends]
        series = np.concatenate((array(kept), array(new)))
        full = len(series) - size + 1
        if full <= 0:
            return [False] * len(new)
        with np.errstate(all="ignore"):
            verdicts: list[bool] = self._hold(series).tolist()
        return [False] * (len(new) - full) + verdicts

    @property
    def _bound(self) -> float:
        return as_float(self.threshold or 0)

    def _aggregate_in_words(self) -> str:
        return f"{AGGREGATES[self.agg_op]} of the last {self.window_size} values" if self.agg_op else "latest value"

    def _holds(self, window: list[float]) -> bool:
        if self.cmp_op == NONFINITE:
            return not math.isfinite(window[-1])
        value = self._aggregate(window)
        return value is not None and bool(COMPARISONS[self.cmp_op].holds(value, self._bound))

    def _aggregate(self, window: list[float]) -> float | None:
        finite = [value for value in window if math.isfinite(value)]
        if not finite:
            return None
        if self.agg_op == "MIN":
            return min(finite)
        if self.agg_op == "MAX":
            return max(finite)
        return mean(finite)

    def _hold(self, series: Floats) -> Flags:
        """_holds() of every full window of the series at once."""
        finite = np.isfinite(series)
        if self.cmp_op == NONFINITE:
            return ~finite
        compare, size = COMPARISONS[self.cmp_op].holds, self.window_size
        verdicts: Flags
        if size == 1:
            verdicts = finite & compare(series, self._bound)
            return verdicts
        if self.agg_op == "AVERAGE":
            return self._mean_holds(series, finite)
        combine, neutral = (np.minimum, np.inf) if self.agg_op == "MIN" else (np.maximum, -np.inf)
        found = sliding(combine, np.where(finite, series, neutral), size)
        verdicts = np.isfinite(found) & compare(found, self._bound)
        return verdicts

    def _mean_holds(self, series: Floats, finite: Flags) -> Flags:
        """Fast sums decide where rounding cannot matter; windows close to the bound are summed exactly."""
        compare, size, bound = COMPARISONS[self.cmp_op].holds, self.window_size, self._bound
        clean = np.where(finite, series, 0.0)
        counts = sliding(np.add, finite.astype(np.float64), size)
        means = sliding(np.add, clean, size) / counts
        sizes = sliding(np.add, np.abs(clean), size) / counts
        limits = np.finfo(np.float64)
        margin = (2 * size + 8) * limits.eps * (sizes + abs(bound)) + limits.tiny
        verdicts: Flags = compare(means, bound) & (counts > 0)
        # Written so that overflow, which leaves NaN or infinity here, counts as too close.
        close = ~(np.abs(means - bound) > margin) & (counts > 0)
        if close.any():
            lows = sliding(np.minimum, np.where(finite, series, np.inf), size)
            highs = sliding(np.maximum, np.where(finite, series, -np.inf), size)
            level = close & (lows == highs)
            verdicts[level] = compare(lows[level], bound)
            for index in np.flatnonzero(close & ~level):
                verdicts[index] = self._holds(series[index : index + size].tolist())
        return verdicts


_KEYS: Final = tuple(Threshold.__dataclass_fields__)


def _judge_finiteness(latest: float) -> Judgement:
    if math.isfinite(latest):
        return Judgement(False, True, latest, f"latest value {digits(latest)} is finite")
    return Judgement(True, True, latest, f"latest value is {_kind(latest)}")


def _kind(value: float) -> str:
    return "NaN" if math.isnan(value) else "infinite"


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not name.strip():
        raise InvalidWindow("name", "The metric is missing; write the key under which it is logged.")
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidWindow("name", f"The metric's key may have at most {MAX_NAME_LENGTH} characters.")
    if "\0" in name or any("\ud800" <= char <= "\udfff" for char in name):
        raise InvalidWindow("name", "The metric's key may not hold NUL characters or lone surrogates.")


def _check_window(size: object) -> None:
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= MAX_WINDOW:
        raise InvalidWindow("window_size", f"The window is a whole number of values from 1 to {MAX_WINDOW:,}.")


def _check_bound(threshold: object) -> None:
    if isinstance(threshold, bool) or not isinstance(threshold, int | float):
        raise InvalidWindow("threshold", "The threshold is a number.")
    if not math.isfinite(as_float(threshold)):
        raise InvalidWindow("threshold", "The threshold is finite; to watch for NaN, compare by $nonfinite.")


def _check_alone(agg_op: object, threshold: object) -> None:
    if agg_op is not None:
        raise InvalidWindow("agg_op", "Whether a value is NaN or infinite is asked of the latest one; write null.")
    if threshold is not None:
        raise InvalidWindow("threshold", "Whether a value is NaN or infinite needs no threshold; write null.")


def _among(value: object, known: Container[str]) -> bool:
    return isinstance(value, str) and value in known
