"""The outline of a line of points: what it keeps, however the points came."""

import math
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.curves import MOST_STRETCHES, Curve, Points, short

values = st.lists(st.floats(width=64), min_size=1, max_size=1_500)
cuts = st.lists(st.integers(1, 700), min_size=1, max_size=12)


def points(logged: list[float], first: int = 0) -> Points:
    steps = np.arange(first, first + len(logged), dtype=np.float64)
    return Points(steps, steps / 10, np.array(logged, dtype=np.float64))


def outline(logged: list[float]) -> list[tuple[float, float]]:
    return list(zip(*(axis.tolist() for axis in Curve().extended(points(logged)).points("step")), strict=True))


def in_batches(logged: list[float], sizes: list[int]) -> Curve:
    curve, ends = Curve(), [*accumulate(sizes), len(logged)]
    start = 0
    for end in ends:
        curve = curve.extended(points(logged[start:end], start))
        start = max(start, min(end, len(logged)))
    return curve


def test_a_short_line_is_drawn_as_it_is() -> None:
    assert outline([3, 1, 2]) == [(0, 3), (1, 1), (2, 2)]


@given(values)
def test_no_peak_and_no_dip_is_left_out(logged: list[float]) -> None:
    """UI5: a spike of one point among a hundred thousand is what somebody looks for."""
    finite = [(step, value) for step, value in enumerate(logged) if math.isfinite(value)]
    drawn = set(outline(logged))
    for extreme in (min, max):
        if finite:
            assert extreme(finite, key=lambda point: point[1]) in drawn
    assert {point for point in drawn if math.isfinite(point[1])} <= set(finite)


@given(values)
def test_a_line_is_drawn_to_its_end(logged: list[float]) -> None:
    step, value = outline(logged)[-1]
    assert math.isnan(value) if not math.isfinite(logged[-1]) else (step, value) == (len(logged) - 1, logged[-1])


@given(values, cuts)
def test_batches_make_no_difference(logged: list[float], sizes: list[int]) -> None:
    whole, parts = Curve().extended(points(logged)), in_batches(logged, sizes)
    assert (parts.count, parts.width, parts.odd) == (whole.count, whole.width, whole.odd)
    np.testing.assert_array_equal(parts.stretches, whole.stretches)
    np.testing.assert_array_equal(parts.last, whole.last)


@given(values, cuts)
def test_a_curve_comes_back_as_it_was_kept(logged: list[float], sizes: list[int]) -> None:
    curve = in_batches(logged, sizes)
    kept = Curve.unpack(curve.pack())
    for axis in ("step", "time"):
        np.testing.assert_array_equal(kept.points(axis), curve.points(axis))


@given(values)
def test_values_that_are_not_finite_are_counted_and_leave_a_gap(logged: list[float]) -> None:
    odd = sum(not math.isfinite(value) for value in logged)
    curve = Curve().extended(points(logged))
    assert curve.odd == odd
    assert bool(np.isnan(curve.points("step")[1]).any()) == bool(odd)


@pytest.mark.parametrize("count", [1, 255, 256, 257, 512, 513, 100_000, 1_234_567])
def test_however_long_a_line_is_it_has_few_points(count: int) -> None:
    rising = Curve().extended(points(list(range(count))))
    assert len(rising.stretches) <= MOST_STRETCHES
    assert min(count, MOST_STRETCHES) <= len(rising.points("step")[0]) <= 2 * MOST_STRETCHES + 1


def test_a_gap_is_where_it_was() -> None:
    drawn = outline([1, math.nan, math.inf, 4])
    assert [step for step, _ in drawn] == [0, 1, 2, 3]
    assert [math.isnan(value) for _, value in drawn] == [False, True, True, False]


def test_values_have_as_few_digits_as_a_screen_needs_unless_they_are_huge_or_tiny() -> None:
    assert short(np.array([0.1, np.nan])).dtype == np.float32
    for far in (1e300, 1e-300):
        assert short(np.array([0.1, far])).tolist() == [0.1, far]
