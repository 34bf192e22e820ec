"""Thresholds over the last logged values (EV6, EV9): verdicts, reasons, batches, stored forms."""

import itertools
import math
import time
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from automations import windows
from automations.windows import (
    AGGREGATES,
    COMPARISONS,
    NONFINITE,
    InvalidWindow,
    Threshold,
    arithmetic,
    threshold,
)


def average(size: int = 5, cmp_op: str = "$gt", bound: float = 0.9) -> Threshold:
    return Threshold("loss", "AVERAGE", size, cmp_op, bound)


def latest(cmp_op: str = "$gt", bound: float = 0.9) -> Threshold:
    return Threshold("loss", None, 1, cmp_op, bound)


NOT_A_NUMBER = Threshold("loss", None, 1, NONFINITE, None)


@pytest.mark.parametrize(
    ("rule", "values", "holds", "value", "reason"),
    [
        (
            average(),
            [5, 0.91, 0.91, 0.91, 0.91, 0.91],
            True,
            0.91,
            "0.91 > 0.9, average of the last 5 values",
        ),
        (average(), [0.5] * 5, False, 0.5, "0.5 is not > 0.9, average of the last 5 values"),
        (average(3, "$lte", 2), [1, math.nan, 3], True, 2, "2 ≤ 2, average of the last 3 values"),
        (Threshold("x", "MIN", 2, "$lt", 0), [-3, -1, 2], True, -1, "-1 < 0, minimum of the last 2 values"),
        (Threshold("x", "MAX", 2, "$gte", 7), [7, math.inf], True, 7, "7 ≥ 7, maximum of the last 2 values"),
        (latest(), [0.1, 0.95], True, 0.95, "0.95 > 0.9, latest value"),
        (latest("$eq", 0.9), [0.9], True, 0.9, "0.9 = 0.9, latest value"),
        (latest("$ne", 0.9), [0.9], False, 0.9, "0.9 is not ≠ 0.9, latest value"),
        (latest(), [0.9000000001], True, 0.9000000001, "0.9000000001 > 0.9, latest value"),
        (NOT_A_NUMBER, [1, math.nan], True, math.nan, "latest value is NaN"),
        (NOT_A_NUMBER, [-math.inf], True, -math.inf, "latest value is infinite"),
        (NOT_A_NUMBER, [10**400], True, math.inf, "latest value is infinite"),
        (NOT_A_NUMBER, [math.nan, 0.3], False, 0.3, "latest value 0.3 is finite"),
    ],
)
def test_verdict_and_its_reason(rule: Threshold, values: list[float], holds: bool, value: float, reason: str) -> None:
    """EV6."""
    judgement = rule.judge(values)

    assert (judgement.holds, judgement.evaluable, judgement.reason) == (holds, True, reason)
    assert judgement.value == pytest.approx(value, nan_ok=True)


@pytest.mark.parametrize(
    ("rule", "values", "why"),
    [
        (average(), [1, 2, 3], "window 3 of 5"),
        (average(), [], "window 0 of 5"),
        (NOT_A_NUMBER, [], "window 0 of 1"),
        (average(2), [9, math.nan, math.inf], "no finite value among the last 2"),
        (latest(), [9, math.nan], "latest value is NaN"),
        (latest(), [9, -math.inf], "latest value is infinite"),
        (latest(), [-(10**400)], "latest value is infinite"),
    ],
)
def test_what_cannot_be_judged_says_why_and_never_holds(rule: Threshold, values: list[float], why: str) -> None:
    """EV9: not evaluable never fires and never errors."""
    judgement = rule.judge(values)

    assert (judgement.holds, judgement.evaluable, judgement.value) == (False, False, None)
    assert judgement.reason == f"not evaluable: {why}"
    assert not any(rule.judge_batch(values[:-1], values[-1:]))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (average(), "loss (average of the last 5 values) is above 0.9"),
        (Threshold("acc", "MIN", 3, "$lte", 7), "acc (minimum of the last 3 values) is below or equal to 7"),
        (latest("$eq", 1e300), "loss is equal to 1e+300"),
        (NOT_A_NUMBER, "loss is NaN or infinite"),
    ],
)
def test_descriptions_fit_into_sentences(rule: Threshold, words: str) -> None:
    assert rule.describe() == words


VALID = {"name": "loss", "agg_op": "AVERAGE", "window_size": 5, "cmp_op": "$gt", "threshold": 0.9}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": 5}, "name"),
        ({"name": "x" * 501}, "name"),
        ({"name": "a\0"}, "name"),
        ({"agg_op": "MEDIAN"}, "agg_op"),
        ({"agg_op": []}, "agg_op"),
        ({"window_size": 0}, "window_size"),
        ({"window_size": 10_001}, "window_size"),
        ({"window_size": 5.0}, "window_size"),
        ({"window_size": True}, "window_size"),
        ({"window_size": None}, "window_size"),
        ({"cmp_op": "$between"}, "cmp_op"),
        ({"cmp_op": {}}, "cmp_op"),
        ({"threshold": None}, "threshold"),
        ({"threshold": "0.9"}, "threshold"),
        ({"threshold": True}, "threshold"),
        ({"threshold": math.nan}, "threshold"),
        ({"threshold": 10**400}, "threshold"),
        ({"cmp_op": NONFINITE, "threshold": None}, "agg_op"),
        ({"cmp_op": NONFINITE, "agg_op": None}, "threshold"),
        ({"surplus": 1}, "surplus"),
    ],
)
def test_what_cannot_work_is_refused_with_the_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidWindow) as caught:
        Threshold.from_condition(VALID | change)

    assert caught.value.field == field
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize("key", VALID)
def test_missing_part_is_refused(key: str) -> None:
    with pytest.raises(InvalidWindow) as caught:
        Threshold.from_condition({name: value for name, value in VALID.items() if name != key})

    assert caught.value.field == key


def test_condition_that_is_no_object_is_refused() -> None:
    with pytest.raises(InvalidWindow):
        Threshold.from_condition([VALID])


def test_stored_form_comes_back_as_it_was() -> None:
    assert Threshold.from_condition(VALID).as_condition() == VALID
    assert Threshold.from_condition(Threshold("x", None, 1, NONFINITE, None).as_condition()) == Threshold(
        "x", None, 7, NONFINITE, None
    )


def test_latest_value_has_a_window_of_one() -> None:
    assert Threshold.from_condition(VALID | {"agg_op": None, "window_size": 9}).window_size == 1


def test_average_of_equal_values_is_that_value() -> None:
    """Adding 0.1 ten times and dividing gives less than 0.1; nobody expects that of an average."""
    rule = average(10, "$eq", 0.1)

    assert rule.judge([0.1] * 10).holds
    assert rule.judge_batch([], [0.1] * 1000) == [False] * 9 + [True] * 991


def test_average_is_never_below_all_of_its_values() -> None:
    """The sum and the division round once each, which here would end below 0.04."""
    values = [0.04] * 57 + [math.nextafter(0.04, 1)]

    assert average(58, "$gte", 0.04).judge(values).holds
    assert average(58, "$gte", 0.04).judge_batch(values[:57], [*values[57:], *values])[0]


def test_huge_values_do_not_hide_small_ones_that_follow() -> None:
    """A running total would still hold what 1e300 left of it."""
    values = [1e300, -1e300] + [1.0] * 500

    assert average(3, "$eq", 1).judge_batch([], values)[4:] == [True] * 498


def test_sums_beyond_the_range_of_floats_are_averaged() -> None:
    biggest = 1.7e308

    assert average(4, "$gt", 1e308).judge([biggest] * 3 + [biggest / 2]).value == pytest.approx(1.4875e308)
    assert average(4, "$gt", 1e308).judge_batch([], [biggest, biggest / 1.1] * 300)[3:] == [True] * 597


odd_floats = st.sampled_from(
    [
        math.nan,
        math.inf,
        -math.inf,
        0.0,
        -0.0,
        5e-324,
        1e-310,
        0.1,
        0.2,
        0.3,
        1.0,
        1e16,
        1e300,
        -1e300,
        1.7e308,
    ]
)
logged = st.one_of(odd_floats, st.floats(), st.integers(-3, 3), st.sampled_from([10**400, -(10**400)]))
series = st.lists(logged, max_size=40)
rules = st.one_of(
    st.builds(
        Threshold,
        st.just("loss"),
        st.sampled_from([None, *AGGREGATES]),
        st.integers(1, 12),
        st.sampled_from(list(COMPARISONS)),
        st.one_of(odd_floats.filter(math.isfinite), st.floats(allow_nan=False, allow_infinity=False)),
    ),
    st.just(NOT_A_NUMBER),
)


def naive(rule: Threshold, values: Sequence[float]) -> bool:
    """EV6 and EV9 in exact arithmetic; the average rounded to a float at the end."""
    window = [windows.as_float(value) for value in values[-rule.window_size :]]
    if len(window) < rule.window_size:
        return False
    if rule.cmp_op == NONFINITE:
        return not math.isfinite(window[-1])
    finite = [Fraction(value) for value in window if math.isfinite(value)]
    if not finite or rule.threshold is None:
        return False
    exact = sum(finite) / len(finite) if rule.agg_op == "AVERAGE" else max(finite)
    if rule.agg_op == "MIN":
        exact = min(finite)
    return bool(COMPARISONS[rule.cmp_op].holds(float(exact), rule.threshold))


@given(rules.filter(lambda rule: rule.agg_op != "AVERAGE"), series)
def test_verdicts_agree_with_a_naive_reading(rule: Threshold, values: list[float]) -> None:
    assert rule.judge(values).holds is naive(rule, values)


@given(
    st.lists(st.integers(-8, 8).map(float), max_size=30),
    st.integers(1, 8),
    st.sampled_from(list(COMPARISONS)),
)
def test_averages_that_floats_hold_exactly_agree_with_a_naive_reading(
    values: list[float], size: int, cmp_op: str
) -> None:
    rule = average(size, cmp_op, 0.5)

    assert rule.judge(values).holds is naive(rule, values)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=9))
def test_average_is_within_an_ulp_or_two_of_the_exact_one(values: list[float]) -> None:
    found = average(len(values)).judge(values).value
    exact = float(sum(map(Fraction, values)) / len(values))

    assert found is not None
    assert abs(found - exact) <= 2 * math.ulp(exact)


@given(rules, series, st.data())
@example(average(2, "$eq", 0.1), [0.1, 0.1, math.nan, 0.1, math.inf, math.nan], None)
@example(Threshold("loss", "MIN", 2, "$gt", 0), [math.nan, math.inf, math.nan, 1], None)
@example(Threshold("loss", "MAX", 2, "$lt", 0), [math.nan, math.inf, math.nan, -1], None)
@pytest.mark.parametrize("vectorised_from", [0, 10**9], ids=["numpy", "plain"])
def test_batches_of_any_size_equal_one_point_at_a_time(
    vectorised_from: int, rule: Threshold, values: list[float], data: st.DataObject | None
) -> None:
    """EV5: point by point in the order logged, whatever the batch size."""
    one_by_one = [rule.judge(values[: end + 1]).holds for end in range(len(values))]
    cuts = sorted(data.draw(st.sets(st.integers(0, len(values))))) if data else [3]
    bounds = [0, *cuts, len(values)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threshold, "VECTORISED_FROM", vectorised_from)
        batched = [
            verdict
            for start, end in itertools.pairwise(bounds)
            for verdict in rule.judge_batch(values[:start], values[start:end])
        ]

    assert batched == one_by_one


@given(rules, series)
def test_only_the_last_values_of_a_window_are_needed(rule: Threshold, values: list[float]) -> None:
    kept = values[: len(values) // 2][-rule.window_size :]
    new = values[len(values) // 2 :]

    assert rule.judge_batch(kept, new) == rule.judge_batch(values[: len(values) // 2], new)


@given(st.lists(st.integers(-99, 99).map(float), min_size=1, max_size=60), st.integers(1, 60))
def test_sliding_sums_and_extremes_are_those_of_every_window(values: list[float], size: int) -> None:
    array = np.array(values)
    for combine in (np.add, np.minimum, np.maximum):
        expected = [combine.reduce(array[end - size : end]) for end in range(size, len(values) + 1)]
        if expected:
            assert arithmetic.sliding(combine, array, size).tolist() == expected


@pytest.mark.parametrize(("agg_op", "bound"), [(None, 0.1), ("AVERAGE", 0.1), ("MIN", -2), ("MAX", 2)])
def test_long_batches_equal_plain_evaluation(agg_op: str | None, bound: float, monkeypatch: pytest.MonkeyPatch) -> None:
    randomness = np.random.default_rng(7)
    values = np.round(randomness.normal(size=3_000), 1)
    values[randomness.integers(0, 3_000, size=300)] = math.nan
    rule = Threshold("loss", agg_op, 50, "$gte", bound)
    vectorised = rule.judge_batch(values[:40], values[40:])
    monkeypatch.setattr(threshold, "VECTORISED_FROM", 10**9)

    assert vectorised == rule.judge_batch(values[:40].tolist(), values[40:].tolist())
    assert True in vectorised
    assert False in vectorised


def test_widest_window_over_a_large_batch_stays_fast() -> None:
    values = np.random.default_rng(3).normal(size=110_000).tolist()
    started = time.perf_counter()

    assert len(average(10_000, "$gt", 5).judge_batch(values[:10_000], values[10_000:])) == 100_000
    assert time.perf_counter() - started < 2


@given(series)
def test_packed_values_come_back_as_they_were(values: list[float]) -> None:
    unpacked = windows.unpack(windows.pack(values))

    assert unpacked == pytest.approx([windows.as_float(value) for value in values], rel=0, abs=0, nan_ok=True)
    assert len(windows.pack(values)) == 8 * len(values)


def test_packing_is_little_endian_whatever_the_machine() -> None:
    assert windows.pack([1.0]) == bytes.fromhex("000000000000f03f")
    assert windows.unpack(windows.pack([10**400, -(10**400)])) == [math.inf, -math.inf]


def test_packed_bytes_that_were_cut_are_refused() -> None:
    with pytest.raises(ValueError, match="7 bytes do not divide"):
        windows.unpack(b"1234567")
