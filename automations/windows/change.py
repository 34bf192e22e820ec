"""EV7: an aggregate over the current window against the same over the window before it."""

from collections.abc import Sequence
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
    DIRECTIONS,
    MAX_WINDOW,
    aggregated,
    check_aggregate,
    check_amount,
    check_choice,
    check_name,
    check_size,
    measured,
    take_parts,
)
from automations.windows.threshold import VECTORISED_FROM
from automations.words import gettext as _
from automations.words import gettext_noop

RELATIVE: Final = "RELATIVE"
CHANGE_TYPES: Final = {RELATIVE: gettext_noop("relative"), "ABSOLUTE": gettext_noop("absolute")}
_SIGNS: Final = {"INCREASE": "+", "DECREASE": "-", "ANY": "±"}


@dataclass(frozen=True, slots=True)
class Change:
    """Whether metric `name` moved by at least `change_amount`: as a difference, or relative to the size of the prior
    value (0.25 is 25 %).

    The current window is the last values, the prior window those right before; they do not overlap. `agg_op` None
    compares the latest value with the one before it, so both windows are 1 whatever was given.
    """

    name: str
    agg_op: str | None
    current_window_size: int
    prior_window_size: int
    change_type: str
    change_dir: str
    change_amount: float

    def __post_init__(self) -> None:
        check_name(self.name)
        check_aggregate(self.agg_op)
        for part in ("current_window_size", "prior_window_size"):
            check_size(getattr(self, part), part=part)
            if self.agg_op is None:
                object.__setattr__(self, part, 1)
        if self.capacity > MAX_WINDOW:
            raise InvalidWindow(
                "prior_window_size",
                _("Both windows together have at most %(most_window)s values.") % {"most_window": f"{MAX_WINDOW:,}"},
            )
        check_choice(self.change_type, CHANGE_TYPES, part="change_type", what=_("The kind of change"))
        check_choice(self.change_dir, DIRECTIONS, part="change_dir", what=_("The direction"))
        check_amount(self.change_amount, part="change_amount", what=_("The amount"))

    @classmethod
    def from_condition(cls, condition: object) -> Self:
        """The rule that stored JSON stands for. Raises InvalidWindow, also for unknown or missing keys."""
        return cls(**take_parts(condition, _KEYS, what=_("A change")))

    def as_condition(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in _KEYS}

    @property
    def capacity(self) -> int:
        """How many of the last values have to be kept."""
        return self.current_window_size + self.prior_window_size

    def shorthand(self) -> str:
        """The rule in short: `loss +25%`."""
        return f"{self.name} {self._bound_in_words()}"

    def describe(self) -> str:
        """A clause for sentences: `loss (average of the last 10 values) increases by at least 25% against the 50
        values before`."""
        value = measured(self.name, self.agg_op, self.current_window_size)
        before = (
            _("the %(count)s values before") % {"count": self.prior_window_size}
            if self.agg_op
            else _("the value before")
        )
        told = {"value": value, "amount": self._written(self._amount), "before": before}
        return _(_MOVES[self.change_dir]) % told

    def judge(self, values: Sequence[float]) -> Judgement:
        """The verdict after the last of `values`, which are the values logged so far, oldest first."""
        if len(values) < self.capacity:
            return Judgement.not_evaluable(
                _("window %(values)s of %(capacity)s") % {"values": len(values), "capacity": self.capacity}
            )
        prior, current = self._aggregates(as_floats(values[len(values) - self.capacity :]))
        if current is None:
            return Judgement.not_evaluable(
                _("no finite value among the last %(current_window_size)s")
                % {"current_window_size": self.current_window_size}
            )
        if prior is None:
            return Judgement.not_evaluable(
                _("no finite value among the %(prior_window_size)s before")
                % {"prior_window_size": self.prior_window_size}
            )
        change = self._change(prior, current)
        if change is None:
            return Judgement.not_evaluable(_("prior value is 0, so there is no relative change"))
        holds = bool(self._reached(change))
        reason = _(_REACHES if holds else _DOES_NOT_REACH) % {
            "moved": self._written(change, signed=True),
            "bound": self._bound_in_words(),
            "now": digits(current),
            "before": digits(prior, unlike=current),
            "what": self._compared(),
        }
        return Judgement(holds, True, change, reason)

    def judge_batch(self, before: Sequence[float] | Floats, new: Sequence[float] | Floats) -> list[bool]:
        """Whether the rule holds after each of the `new` values, logged after those `before`.

        Equal to `judge(…).holds` on every prefix, whatever the size of the batch.
        """
        size = self.capacity
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
            verdicts: list[bool] = self._hold(series, full).tolist()
        return [False] * (len(new) - full) + verdicts

    def shortfalls(self, before: Sequence[float] | Floats, new: Sequence[float] | Floats) -> Floats:
        """How far each of the `new` values is from making the rule hold, infinite where that cannot be said: to find
        the nearest miss among many. `judge` says precisely how near it was."""
        size = self.capacity
        series = np.concatenate((array(before[max(0, len(before) - size + 1) :]), array(new)))
        if len(series) < size:
            return np.full(len(new), np.inf)
        with np.errstate(all="ignore"):
            prior, _ = sliding_aggregates(series, self.agg_op, self.prior_window_size)
            current, _ = sliding_aggregates(series, self.agg_op, self.current_window_size)
            prior, current = prior[: len(series) - size + 1], current[self.prior_window_size :]
            moved = (current - prior) / (np.abs(prior) if self.change_type == RELATIVE else 1.0)
            towards = {"INCREASE": moved, "DECREASE": -moved}.get(self.change_dir, np.abs(moved))
            return at_the_end(self._amount - towards, len(new))

    @property
    def _amount(self) -> float:
        return as_float(self.change_amount)

    def _aggregates(self, window: list[float]) -> tuple[float | None, float | None]:
        prior, current = window[: self.prior_window_size], window[self.prior_window_size :]
        return aggregate(prior, self.agg_op), aggregate(current, self.agg_op)

    def _change(self, prior: float, current: float) -> float | None:
        """How far it moved; None where that cannot be said."""
        if self.change_type != RELATIVE:
            return current - prior
        return (current - prior) / abs(prior) if prior else None

    def _reached(self, change: Any) -> Any:
        """For one change, or for an array of them."""
        if self.change_dir == "INCREASE":
            return change >= self._amount
        if self.change_dir == "DECREASE":
            return change <= -self._amount
        return abs(change) >= self._amount

    def _holds(self, window: list[float]) -> bool:
        prior, current = self._aggregates(window)
        change = None if prior is None or current is None else self._change(prior, current)
        return change is not None and bool(self._reached(change))

    def _hold(self, series: Floats, full: int) -> Flags:
        """_holds() of every pair of full windows of the series at once."""
        prior, doubt = (found[:full] for found in sliding_aggregates(series, self.agg_op, self.prior_window_size))
        found, margins = sliding_aggregates(series, self.agg_op, self.current_window_size)
        current = found[self.prior_window_size :]
        doubts = margins[self.prior_window_size :] + doubt
        change, error = current - prior, doubts
        known = ~np.isnan(change)
        if self.change_type == RELATIVE:
            least = np.abs(prior) - doubt  # the prior value is that far from 0, at least
            error = np.where(least > 0, (doubts + np.abs(change) * doubt / np.abs(prior)) / least, np.inf)
            change = change / np.abs(prior)
            known &= prior != 0
        verdicts: Flags = known & self._reached(change)
        # Where rounding may matter, the windows are aggregated exactly. Written so that overflow counts as too close.
        rounding = 8 * np.finfo(np.float64).eps * (np.abs(change) + self._amount)
        close = (doubts > 0) & ~(np.abs(np.abs(change) - self._amount) > 2 * error + rounding)
        for index in np.flatnonzero(close):
            verdicts[index] = self._holds(series[index : index + self.capacity].tolist())
        return verdicts

    def _compared(self) -> str:
        if self.agg_op is None:
            return _("latest value against the one before")
        now = aggregated(self.agg_op, self.current_window_size)
        return _("%(aggregate)s against the %(count)s before") % {"aggregate": now, "count": self.prior_window_size}

    def _bound_in_words(self) -> str:
        return f"{_SIGNS[self.change_dir]}{self._written(self._amount)}"

    def _written(self, change: float, *, signed: bool = False) -> str:
        relative = self.change_type == RELATIVE
        shown = digits(change * 100 if relative else change)
        sign = "+" if signed and change > 0 else ""
        return f"{sign}{shown}{'%' if relative else ''}"


_MOVES: Final = {
    "INCREASE": gettext_noop("%(value)s increases by at least %(amount)s against %(before)s"),
    "DECREASE": gettext_noop("%(value)s decreases by at least %(amount)s against %(before)s"),
    "ANY": gettext_noop("%(value)s changes by at least %(amount)s against %(before)s"),
}
_REACHES: Final = gettext_noop("%(moved)s reaches %(bound)s (%(now)s after %(before)s), %(what)s")
_DOES_NOT_REACH: Final = gettext_noop("%(moved)s does not reach %(bound)s (%(now)s after %(before)s), %(what)s")
_KEYS: Final = tuple(Change.__dataclass_fields__)
