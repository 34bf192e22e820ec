"""How near rules came to holding (HI6), against what `judge` says of every point."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automations.windows import Change, Threshold, ZScore

numbers = st.one_of(st.integers(-1000, 1000).map(lambda number: number / 8), st.sampled_from([math.nan, math.inf]))
series = st.lists(numbers, max_size=30)


def expected(value: float | None, bound: float, direction: str) -> float:
    """How far a judged value is from the bound."""
    if value is None:
        return math.inf
    if direction == "NEAR":
        return abs(value - bound)
    return bound - {"INCREASE": value, "DECREASE": -value}.get(direction, abs(value))


def near(found: Any, wanted: list[float]) -> bool:
    return list(found) == pytest.approx(wanted, rel=1e-9, abs=1e-9)


@given(series, series, st.sampled_from([None, "AVERAGE", "MIN", "MAX"]), st.integers(1, 5))
def test_hi6_a_threshold_is_as_near_as_its_value(
    before: list[float], new: list[float], agg_op: str | None, size: int
) -> None:
    rule = Threshold("loss", agg_op, size, "$gt", 2.0)
    wanted = [expected(rule.judge([*before, *new[: end + 1]]).value, 2.0, "NEAR") for end in range(len(new))]
    assert near(rule.shortfalls(before, new), wanted)


@given(series, series, st.sampled_from(["INCREASE", "DECREASE", "ANY"]), st.sampled_from(["RELATIVE", "ABSOLUTE"]))
def test_hi6_a_change_lacks_what_it_did_not_move(
    before: list[float], new: list[float], direction: str, kind: str
) -> None:
    rule = Change("loss", "AVERAGE", 2, 3, kind, direction, 0.5)
    wanted = [expected(rule.judge([*before, *new[: end + 1]]).value, 0.5, direction) for end in range(len(new))]
    assert near(rule.shortfalls(before, new), wanted)


@given(series, series, st.sampled_from(["INCREASE", "DECREASE", "ANY"]))
def test_hi6_a_zscore_lacks_deviations(others: list[float], new: list[float], direction: str) -> None:
    rule = ZScore("loss", 3, 2.0, direction)
    wanted = [expected(rule.judge(value, others).value, 2.0, direction) for value in new]
    found = rule.shortfalls(others, new)
    evaluable = [index for index, value in enumerate(wanted) if math.isfinite(value)]
    assert near([found[index] for index in evaluable], [wanted[index] for index in evaluable])


def test_hi6_what_is_not_finite_has_no_nearest_miss() -> None:
    rule = Threshold("loss", None, 1, "$nonfinite", None)
    assert list(rule.shortfalls([], [1.0, 2.0])) == [math.inf, math.inf]
