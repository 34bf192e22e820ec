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
    aggregated,
    among,
    check_aggregate,
    check_name,
    check_number,
    check_size,
    measured,
    take_parts,
)
from automations.words import gettext as _
from automations.words import gettext_noop

NONFINITE: Final = "$nonfinite"
# Comparisons that no aggregate meets if no value does: it lies between the least and the greatest of them.
ONE_SIDED: Final = {"$gt": np.fmax, "$gte": np.fmax, "$lt": np.fmin, "$lte": np.fmin}
# From about this many values to look at (batch × window), numpy is faster than plain Python.
VECTORISED_FROM = 100


@dataclass(frozen=True, slots=True)
class Comparison:
    holds: Callable[[Any, Any], Any]
    symbol: str
    words: str
    sentence: str


COMPARISONS: Final = {
    "$gt": Comparison(operator.gt, ">", gettext_noop("is above"), gettext_noop("%(value)s is above %(bound)s")),
    "$gte": Comparison(
        operator.ge, "≥", gettext_noop("is above or equal to"), gettext_noop("%(value)s is above or equal to %(bound)s")
    ),
    "$lt": Comparison(operator.lt, "<", gettext_noop("is below"), gettext_noop("%(value)s is below %(bound)s")),
    "$lte": Comparison(
        operator.le, "≤", gettext_noop("is below or equal to"), gettext_noop("%(value)s is below or equal to %(bound)s")
    ),
    "$eq": Comparison(operator.eq, "=", gettext_noop("is equal to"), gettext_noop("%(value)s is equal to %(bound)s")),
    "$ne": Comparison(
        operator.ne, "≠", gettext_noop("is not equal to"), gettext_noop("%(value)s is not equal to %(bound)s")
    ),
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
            raise InvalidWindow(
                "cmp_op", _("The comparison is one of %(known)s.") % {"known": ", ".join([*COMPARISONS, NONFINITE])}
            )
        if self.agg_op is None:
            object.__setattr__(self, "window_size", 1)

    @classmethod
    def from_condition(cls, condition: object) -> Self:
        """The rule that stored JSON stands for. Raises InvalidWindow, also for unknown or missing keys."""
        return cls(**take_parts(condition, _KEYS, what=_("A threshold")))

    def as_condition(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in _KEYS}

    @property
    def capacity(self) -> int:
        """How many of the last values have to be kept."""
        return self.window_size

    def shorthand(self) -> str:
        """The rule in short: `loss > 0.9`."""
        if self.cmp_op == NONFINITE:
            return _("%(name)s not finite") % {"name": self.name}
        return f"{self.name} {COMPARISONS[self.cmp_op].symbol} {digits(self._bound)}"

    def describe(self) -> str:
        """A clause for sentences: `loss (average of the last 5 values) is above 0.9`."""
        if self.cmp_op == NONFINITE:
            return _("%(name)s is NaN or infinite") % {"name": self.name}
        value = measured(self.name, self.agg_op, self.window_size)
        return _(COMPARISONS[self.cmp_op].sentence) % {"value": value, "bound": digits(self._bound)}

    def judge(self, values: Sequence[float]) -> Judgement:
        """The verdict after the last of `values`, which are the values logged so far, oldest first."""
        if len(values) < self.window_size:
            return Judgement.not_evaluable(
                _("window %(values)s of %(window_size)s") % {"values": len(values), "window_size": self.window_size}
            )
        window = as_floats(values[len(values) - self.window_size :])
        if self.cmp_op == NONFINITE:
            return _judge_finiteness(window[-1])
        value = aggregate(window, self.agg_op)
        if value is None:
            return Judgement.not_evaluable(
                _("no finite value among the last %(window_size)s") % {"window_size": self.window_size}
                if self.agg_op
                else _not_finite(window[-1])
            )
        comparison = COMPARISONS[self.cmp_op]
        holds = comparison.holds(value, self._bound)
        told = _HOLDS if holds else _DOES_NOT_HOLD
        reason = _(told) % {
            "value": digits(value, unlike=self._bound),
            "symbol": comparison.symbol,
            "bound": digits(self._bound),
            "what": self._aggregate_in_words(),
        }
        return Judgement(holds, True, value, reason)

    def judge_batch(self, before: Sequence[float] | Floats, new: Sequence[float] | Floats) -> list[bool]:
        """Whether the rule holds after each of the `new` values, logged after those `before`.

        Equal to `judge(…).holds` on every prefix, whatever the size of the batch.
        """
        size = self.window_size
        kept = before[max(0, len(before) - size + 1) :]
        if len(new) * min(size, len(kept) + len(new)) < VECTORISED_FROM:
            values = as_floats(kept) + as_floats(new)
            if self.cmp_op in ONE_SIDED and not any(map(self._compares, values)):
                return [False] * len(new)
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
        return aggregated(self.agg_op, self.window_size) if self.agg_op else _("latest value")

    def _compares(self, value: float) -> bool:
        return bool(COMPARISONS[self.cmp_op].holds(value, self._bound))

    def _holds(self, window: list[float]) -> bool:
        if self.cmp_op == NONFINITE:
            return not math.isfinite(window[-1])
        value = aggregate(window, self.agg_op)
        return value is not None and self._compares(value)

    def _hold(self, series: Floats) -> Flags:
        """_holds() of every full window of the series at once."""
        if self.cmp_op == NONFINITE:
            return ~np.isfinite(series)
        compare, size, bound = COMPARISONS[self.cmp_op].holds, self.window_size, self._bound
        farthest = ONE_SIDED.get(self.cmp_op)
        if farthest is not None and not compare(farthest.reduce(series), bound):
            return np.zeros(len(series) - size + 1, dtype=np.bool_)
        found, margins = sliding_aggregates(series, self.agg_op, size)
        verdicts: Flags = ~np.isnan(found) & compare(found, bound)
        # Where rounding may matter, the window is aggregated exactly. Written so that overflow counts as too close.
        rounding = 4 * np.finfo(np.float64).eps * abs(bound)
        for index in np.flatnonzero((margins > 0) & ~(np.abs(found - bound) > margins + rounding)):
            verdicts[index] = self._holds(series[index : index + size].tolist())
        return verdicts


_HOLDS: Final = gettext_noop("%(value)s %(symbol)s %(bound)s, %(what)s")
_DOES_NOT_HOLD: Final = gettext_noop("%(value)s is not %(symbol)s %(bound)s, %(what)s")
_KEYS: Final = tuple(Threshold.__dataclass_fields__)


def _judge_finiteness(latest: float) -> Judgement:
    if math.isfinite(latest):
        return Judgement(False, True, latest, _("latest value %(latest)s is finite") % {"latest": digits(latest)})
    return Judgement(True, True, latest, _not_finite(latest))


def _not_finite(value: float) -> str:
    return _("latest value is NaN") if math.isnan(value) else _("latest value is infinite")


def _check_alone(agg_op: object, threshold: object) -> None:
    if agg_op is not None:
        raise InvalidWindow("agg_op", _("Whether a value is NaN or infinite is asked of the latest one; write null."))
    if threshold is not None:
        raise InvalidWindow("threshold", _("Whether a value is NaN or infinite needs no threshold; write null."))


def _check_bound(threshold: object) -> None:
    check_number(threshold, part="threshold", what=_("The threshold"))
    if not math.isfinite(as_float(threshold)):  # type: ignore[arg-type]  # a number by now
        raise InvalidWindow("threshold", _("The threshold is finite; to watch for NaN, compare by $nonfinite."))
