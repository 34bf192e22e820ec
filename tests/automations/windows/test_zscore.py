"""Distance from other runs in standard deviations (EV8, EV9)."""

import math
import statistics
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automations.windows import InvalidWindow, ZScore

NAN, INF = math.nan, math.inf
LOSS = {"name": "loss", "window_size": 30, "threshold": 3.0, "change_dir": "ANY"}


def rule(**parts: Any) -> ZScore:
    return ZScore(**{**LOSS, **parts})


@pytest.mark.parametrize(
    ("asked", "value", "others", "holds", "reason"),
    [
        (
            rule(threshold=2),
            8,
            [2, 4, 6],
            True,
            "z-score 2.44949 is beyond ±2: 8 against mean 4 and deviation 1.63299 of 3 other runs",
        ),
        (
            rule(threshold=2, change_dir="DECREASE"),
            8,
            [2, 4, 6],
            False,
            "z-score 2.44949 is not ≤ -2: 8 against mean 4 and deviation 1.63299 of 3 other runs",
        ),
        (
            rule(threshold=1, change_dir="INCREASE"),
            3,
            [1, 3, NAN, 1, 3, INF],
            True,
            "z-score 1 is ≥ 1: 3 against mean 2 and deviation 1 of 4 other runs",
        ),
        (
            rule(threshold=1, window_size=3, change_dir="INCREASE"),
            3,
            [0, 0, 3, 99],
            True,
            "z-score 1.41421 is ≥ 1: 3 against mean 1 and deviation 1.41421 of 3 other runs",
        ),
    ],
)
def test_verdict_and_its_reason(asked: ZScore, value: float, others: list[float], holds: bool, reason: str) -> None:
    """EV8: population deviation; reached counts."""
    judgement = asked.judge(value, others)

    assert (judgement.holds, judgement.evaluable, judgement.reason) == (holds, True, reason)


@pytest.mark.parametrize(
    ("value", "others", "why"),
    [
        (9, [], "0 other runs have a finite value; 3 are needed"),
        (9, [1, 2, NAN, INF], "2 other runs have a finite value; 3 are needed"),
        (9, [2, 2, 2, 2], "the other runs' values do not deviate from their mean"),
        (9, [0.1] * 7, "the other runs' values do not deviate from their mean"),
        (NAN, [1, 2, 3], "latest value is NaN"),
        (-INF, [1, 2, 3], "latest value is infinite"),
    ],
)
def test_ev9_what_cannot_be_judged_never_holds_and_says_why(value: float, others: list[float], why: str) -> None:
    judgement = rule().judge(value, others)

    assert (judgement.holds, judgement.evaluable, judgement.reason) == (False, False, f"not evaluable: {why}")
    assert rule().judge_batch(others, [value]) == [False]


@pytest.mark.parametrize(
    ("change_dir", "sentence"),
    [
        ("ANY", "loss is at least 3 standard deviations away from the mean of the last 30 other runs"),
        ("INCREASE", "loss is at least 3 standard deviations above the mean of the last 30 other runs"),
        ("DECREASE", "loss is at least 3 standard deviations below the mean of the last 30 other runs"),
    ],
)
def test_a_rule_is_told_in_a_clause(change_dir: str, sentence: str) -> None:
    assert rule(change_dir=change_dir).describe() == sentence


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("name", ""),
        ("window_size", 2),
        ("window_size", 1_001),
        ("window_size", "30"),
        ("threshold", 0),
        ("threshold", INF),
        ("threshold", True),
        ("change_dir", "UP"),
    ],
)
def test_what_cannot_be_saved_is_refused_at_its_part(part: str, value: Any) -> None:
    with pytest.raises(InvalidWindow) as refused:
        rule(**{part: value})

    assert refused.value.field == part


def test_the_stored_form_has_all_parts() -> None:
    assert ZScore.from_condition(LOSS).as_condition() == LOSS
    with pytest.raises(InvalidWindow, match="change_dir"):
        ZScore.from_condition({"name": "loss", "window_size": 30, "threshold": 3})


numbers = st.one_of(st.integers(-50, 50).map(float), st.sampled_from([NAN, INF, -INF]))
rules = st.builds(
    ZScore,
    name=st.just("loss"),
    window_size=st.integers(3, 8),
    threshold=st.sampled_from([0.501, 1.103, 2.003, 3.07]),
    change_dir=st.sampled_from(["INCREASE", "DECREASE", "ANY"]),
)


def naive(asked: ZScore, value: float, others: list[float]) -> bool:
    """As EV8 reads, by the standard library."""
    level = [other for other in others[: asked.window_size] if math.isfinite(other)]
    if len(level) < 3 or not math.isfinite(value) or len(set(level)) == 1:
        return False
    score = (value - statistics.fmean(level)) / statistics.pstdev(level)
    up, down = score >= asked.threshold, score <= -asked.threshold
    return {"INCREASE": up, "DECREASE": down, "ANY": up or down}[asked.change_dir]


@given(rules, st.lists(numbers, max_size=10), st.lists(numbers, max_size=10))
def test_verdicts_are_what_a_naive_reading_says_one_by_one_and_in_batches(
    asked: ZScore, others: list[float], new: list[float]
) -> None:
    expected = [naive(asked, value, others) for value in new]

    assert [asked.judge(value, others).holds for value in new] == expected
    assert asked.judge_batch(others, new) == expected
