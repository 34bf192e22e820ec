"""EV6: an aggregate over the last values compared with a number, or a value that is NaN or infinite."""

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from automations.windows.arithmetic import (
    Flags,
    Floats,
    aggregate,
    array,
    as_float,
    as_floats,
    at_the_end,
    digits,
    sliding_aggregates,
)
from automations.windows.judgement import InvalidWindow, Judgement
from automations.windows.parts import (
    AGGREGATES,
    among,
    check_aggregate,
    check_name,
    check_number,
    check_size,
    take_parts,
)

NONFINITE: Final = "$nonfinite"
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
        check_name(self.name)
        check_size(self.window_size, part="window_size")
        check_aggregate(self.agg_op)
        if self.cmp_op == NONFINITE:
            _check_alone(self.agg_op, self.threshold)
        elif among(self.cmp_op, COMPARISONS):
            _check_bound(self.threshold)
        else:
            raise InvalidWindow("cmp_op", f"The comparison is one of {', '.join([*COMPARISONS, NONFINITE])}.")
        if self.agg_op is None:
            object.__setattr__(self, "window_size", 1)

    @classmethod
    def from_condition(cls, condition: object) -> Self:
        """The rule that stored JSON stands for. Raises InvalidWindow, also for unknown or missing keys."""
        return cls(**take_parts(condition, _KEYS, what="A threshold"))

    def as_condition(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in _KEYS}

    @property
    def capacity(self) -> int:
        """How many of the last values have to be kept."""
        return self.window_size

    def shorthand(self) -> str:
        """The rule in short: `loss > 0.9`."""
        if self.cmp_op == NONFINITE:
            return f"{self.name} not finite"
        return f"{self.name} {COMPARISONS[self.cmp_op].symbol} {digits(self._bound)}"

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
        value = aggregate(window, self.agg_op)
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

    def shortfalls(self, before: Sequence[float] | Floats, new: Sequence[float] | Floats) -> Floats:
        """How far each of the `new` values is from making the rule hold, infinite where that cannot be said: to find
        the nearest miss among many. `judge` says precisely how near it was."""
        if self.cmp_op == NONFINITE:
            return np.full(len(new), np.inf)
        size = self.window_size
        series = np.concatenate((array(before[max(0, len(before) - size + 1) :]), array(new)))
        if len(series) < size:
            return np.full(len(new), np.inf)
        with np.errstate(all="ignore"):
            found, _ = sliding_aggregates(series, self.agg_op, size)
            return at_the_end(np.abs(found - self._bound), len(new))

    @property
    def _bound(self) -> float:
        return as_float(self.threshold or 0)

    def _aggregate_in_words(self) -> str:
        return f"{AGGREGATES[self.agg_op]} of the last {self.window_size} values" if self.agg_op else "latest value"

    def _holds(self, window: list[float]) -> bool:
        if self.cmp_op == NONFINITE:
            return not math.isfinite(window[-1])
        value = aggregate(window, self.agg_op)
        return value is not None and bool(COMPARISONS[self.cmp_op].holds(value, self._bound))

    def _hold(self, series: Floats) -> Flags:
        """_holds() of every full window of the series at once."""
        if self.cmp_op == NONFINITE:
            return ~np.isfinite(series)
        compare, size, bound = COMPARISONS[self.cmp_op].holds, self.window_size, self._bound
        found, margins = sliding_aggregates(series, self.agg_op, size)
        verdicts: Flags = ~np.isnan(found) & compare(found, bound)
        # Where rounding may matter, the window is aggregated exactly. Written so that overflow counts as too close.
        rounding = 4 * np.finfo(np.float64).eps * abs(bound)
        for index in np.flatnonzero((margins > 0) & ~(np.abs(found - bound) > margins + rounding)):
            verdicts[index] = self._holds(series[index : index + size].tolist())
        return verdicts


_KEYS: Final = tuple(Threshold.__dataclass_fields__)


def _judge_finiteness(latest: float) -> Judgement:
    if math.isfinite(latest):
        return Judgement(False, True, latest, f"latest value {digits(latest)} is finite")
    return Judgement(True, True, latest, f"latest value is {_kind(latest)}")


def _kind(value: float) -> str:
    return "NaN" if math.isnan(value) else "infinite"


def _check_alone(agg_op: object, threshold: object) -> None:
    if agg_op is not None:
        raise InvalidWindow("agg_op", "Whether a value is NaN or infinite is asked of the latest one; write null.")
    if threshold is not None:
        raise InvalidWindow("threshold", "Whether a value is NaN or infinite needs no threshold; write null.")


def _check_bound(threshold: object) -> None:
    check_number(threshold, part="threshold", what="The threshold")
    if not math.isfinite(as_float(threshold)):  # type: ignore[arg-type]  # a number by now
        raise InvalidWindow("threshold", "The threshold is finite; to watch for NaN, compare by $nonfinite.")
