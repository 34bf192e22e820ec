"""EV8: how many standard deviations the latest value lies from those of other runs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from automations.windows.arithmetic import Floats, array, as_float, as_floats, at_the_end, digits, mean
from automations.windows.judgement import Judgement
from automations.windows.parts import DIRECTIONS, check_amount, check_choice, check_name, check_size, take_parts
from automations.words import gettext as _
from automations.words import gettext_noop

LEAST_RUNS = 3
MOST_RUNS = 1_000
_LIES: Final = {
    "INCREASE": gettext_noop(
        "%(metric)s is at least %(bound)s standard deviations above the mean of the last %(count)s other runs"
    ),
    "DECREASE": gettext_noop(
        "%(metric)s is at least %(bound)s standard deviations below the mean of the last %(count)s other runs"
    ),
    "ANY": gettext_noop(
        "%(metric)s is at least %(bound)s standard deviations away from the mean of the last %(count)s other runs"
    ),
}
_REACHES: Final = gettext_noop(
    "z-score %(score)s is %(bound)s: %(value)s against mean %(mean)s and deviation %(deviation)s of %(count)s"
    " other runs"
)
_DOES_NOT_REACH: Final = gettext_noop(
    "z-score %(score)s is not %(bound)s: %(value)s against mean %(mean)s and deviation %(deviation)s of"
    " %(count)s other runs"
)
_BOUNDS: Final = {"INCREASE": "≥ %(bound)s", "DECREASE": "≤ -%(bound)s", "ANY": gettext_noop("beyond ±%(bound)s")}


@dataclass(frozen=True, slots=True)
class ZScore:
    """Whether the latest value of metric `name` lies at least `threshold` population standard deviations from the mean
    of the latest values in the `window_size` most recently active other runs."""

    name: str
    window_size: int
    threshold: float
    change_dir: str

    def __post_init__(self) -> None:
        check_name(self.name)
        check_size(self.window_size, part="window_size", of=_("other runs"), least=LEAST_RUNS, most=MOST_RUNS)
        check_amount(self.threshold, part="threshold", what=_("The threshold"))
        check_choice(self.change_dir, DIRECTIONS, part="change_dir", what=_("The direction"))

    @classmethod
    def from_condition(cls, condition: object) -> Self:
        """The rule that stored JSON stands for. Raises InvalidWindow, also for unknown or missing keys."""
        return cls(**take_parts(condition, _KEYS, what=_("A z-score")))

    def as_condition(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in _KEYS}

    @property
    def capacity(self) -> int:
        """How many of the run's own last values have to be kept: other runs are judged by the latest."""
        return 1

    def shorthand(self) -> str:
        """The rule in short: `z(loss) beyond ±3`."""
        return f"z({self.name}) {self._bound_in_words()}"

    def describe(self) -> str:
        """A clause for sentences: `loss is at least 3 standard deviations away from the mean of the last 30 other
        runs`."""
        told = {"metric": self.name, "bound": digits(self._bound), "count": self.window_size}
        return _(_LIES[self.change_dir]) % told

    def judge(self, value: float, others: Sequence[float]) -> Judgement:
        """The verdict on the run's latest value; `others` are those of other runs, the most recently active first."""
        level = _Level.of(others[: self.window_size])
        if level.runs < LEAST_RUNS:
            return Judgement.not_evaluable(
                _("%(runs)s other runs have a finite value; %(least_runs)s are needed")
                % {"runs": level.runs, "least_runs": LEAST_RUNS}
            )
        if not level.deviation or not math.isfinite(level.deviation):
            return Judgement.not_evaluable(_("the other runs' values do not deviate from their mean"))
        latest = as_float(value)
        if not math.isfinite(latest):
            return Judgement.not_evaluable(
                _("latest value is NaN") if math.isnan(latest) else _("latest value is infinite")
            )
        score = level.score(latest)
        holds = self._reached(score)
        reason = _(_REACHES if holds else _DOES_NOT_REACH) % {
            "score": digits(score, unlike=self._bound),
            "bound": self._bound_in_words(),
            "value": digits(latest),
            "mean": digits(level.mean),
            "deviation": digits(level.deviation),
            "count": level.runs,
        }
        return Judgement(holds, True, score, reason)

    def judge_batch(self, others: Sequence[float], new: Sequence[float]) -> list[bool]:
        """Whether the rule holds after each of the `new` values; the other runs are the same for all of them."""
        level = _Level.of(others[: self.window_size])
        if level.runs < LEAST_RUNS or not level.deviation or not math.isfinite(level.deviation):
            return [False] * len(new)
        return [math.isfinite(value) and self._reached(level.score(value)) for value in as_floats(new)]

    def shortfalls(self, others: Sequence[float], new: Sequence[float]) -> Floats:
        """How far each of the `new` values is from making the rule hold, infinite where that cannot be said: to find
        the nearest miss among many. `judge` says precisely how near it was."""
        level = _Level.of(others[: self.window_size])
        with np.errstate(all="ignore"):
            scores = (array(new) - level.mean) / level.deviation
            towards = {"INCREASE": scores, "DECREASE": -scores}.get(self.change_dir, np.abs(scores))
            return at_the_end(self._bound - towards, len(new))

    @property
    def _bound(self) -> float:
        return as_float(self.threshold)

    def _bound_in_words(self) -> str:
        return _(_BOUNDS[self.change_dir]) % {"bound": digits(self._bound)}

    def _reached(self, score: float) -> bool:
        if self.change_dir == "INCREASE":
            return score >= self._bound
        if self.change_dir == "DECREASE":
            return score <= -self._bound
        return abs(score) >= self._bound


@dataclass(frozen=True, slots=True)
class _Level:
    """Where other runs are: mean and population standard deviation of their finite values."""

    runs: int
    mean: float
    deviation: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        finite = [value for value in as_floats(values) if math.isfinite(value)]
        if not finite:
            return cls(0, math.nan, math.nan)
        middle = mean(finite)
        # hypot squares without leaving the range of floats.
        deviation = math.hypot(*(value - middle for value in finite)) / math.sqrt(len(finite))
        return cls(len(finite), middle, deviation)

    def score(self, value: float) -> float:
        return (value - self.mean) / self.deviation


_KEYS: Final = tuple(ZScore.__dataclass_fields__)
