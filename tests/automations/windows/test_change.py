"""Changes between two windows (EV7, EV9): verdicts, reasons, batches, stored forms."""

import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from automations.windows import Change, InvalidWindow, change

NAN, INF = math.nan, math.inf
LOSS = {
    "name": "loss",
    "agg_op": "AVERAGE",
    "current_window_size": 2,
    "prior_window_size": 3,
    "change_type": "RELATIVE",
    "change_dir": "INCREASE",
    "change_amount": 0.25,
}


def rule(**parts: Any) -> Change:
    return Change(**{**LOSS, **parts})


LATEST = rule(agg_op=None)


@pytest.mark.parametrize(
    ("asked", "values", "holds", "reason"),
    [
        (
            rule(),
            [1, 1, 1, 1.5, 1.5],
            True,
            "+50% reaches +25% (1.5 after 1), average of the last 2 values against the 3 before",
        ),
        (
            rule(),
            [9, 2, 2, 2, 2, 2],
            False,
            "0% does not reach +25% (2 after 2), average of the last 2 values against the 3 before",
        ),
        (LATEST, [4, 5], True, "+25% reaches +25% (5 after 4), latest value against the one before"),
        (
            rule(agg_op=None, change_dir="DECREASE", change_amount=0.5),
            [-1, -1.5],
            True,
            "-50% reaches -50% (-1.5 after -1), latest value against the one before",
        ),
        (
            rule(agg_op="MAX", change_type="ABSOLUTE", change_dir="ANY", change_amount=2),
            [5, NAN, 1, 3, INF],
            True,
            "-2 reaches ±2 (3 after 5), maximum of the last 2 values against the 3 before",
        ),
        (
            rule(agg_op="MIN", change_dir="DECREASE"),
            [4, 6, 8, 3, 9],
            True,
            "-25% reaches -25% (3 after 4), minimum of the last 2 values against the 3 before",
        ),
    ],
)
def test_verdict_and_its_reason(asked: Change, values: list[float], holds: bool, reason: str) -> None:
    """EV7"""
    judgement = asked.judge(values)

    assert (judgement.holds, judgement.evaluable, judgement.reason) == (holds, True, reason)


@pytest.mark.parametrize(
    ("asked", "values", "why"),
    [
        (rule(), [1, 1, 1, 9], "window 4 of 5"),
        (LATEST, [1], "window 1 of 2"),
        (rule(), [1, 1, 1, NAN, INF], "no finite value among the last 2"),
        (rule(), [NAN, NAN, INF, 1, 1], "no finite value among the 3 before"),
        (LATEST, [0.0, 5], "prior value is 0, so there is no relative change"),
        (LATEST, [-0.0, 5], "prior value is 0, so there is no relative change"),
    ],
)
def test_ev9_what_cannot_be_judged_never_holds_and_says_why(asked: Change, values: list[float], why: str) -> None:
    judgement = asked.judge(values)

    assert (judgement.holds, judgement.evaluable, judgement.reason) == (False, False, f"not evaluable: {why}")
    assert not any(asked.judge_batch([], values)[-1:])


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (
            rule(),
            "loss (average of the last 2 values) increases by at least 25% against the 3 values before",
        ),
        (
            rule(agg_op=None, change_type="ABSOLUTE", change_dir="ANY", change_amount=2),
            "loss changes by at least 2 against the value before",
        ),
    ],
)
def test_a_rule_is_told_in_a_clause(asked: Change, sentence: str) -> None:
    assert asked.describe() == sentence


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("name", " "),
        ("name", 7),
        ("agg_op", "MEDIAN"),
        ("agg_op", []),
        ("current_window_size", 0),
        ("current_window_size", True),
        ("prior_window_size", 2.0),
        ("prior_window_size", 9_999),
        ("change_type", "relative"),
        ("change_dir", None),
        ("change_dir", {}),
        ("change_amount", 0),
        ("change_amount", -1),
        ("change_amount", NAN),
        ("change_amount", 10**400),
        ("change_amount", "1"),
        ("change_amount", None),
    ],
)
def test_what_cannot_be_saved_is_refused_at_its_part(part: str, value: Any) -> None:
    with pytest.raises(InvalidWindow) as refused:
        rule(**{part: value})

    assert refused.value.field == part
    assert refused.value.message.endswith(".")


def test_the_stored_form_has_all_parts_and_no_others() -> None:
    assert Change.from_condition(LOSS).as_condition() == LOSS
    with pytest.raises(InvalidWindow, match="prior_window_size"):
        Change.from_condition({key: value for key, value in LOSS.items() if key != "prior_window_size"})
    with pytest.raises(InvalidWindow, match="cmp_op"):
        Change.from_condition({**LOSS, "cmp_op": None})
    with pytest.raises(InvalidWindow, match="is an object"):
        Change.from_condition([])


def test_without_an_aggregate_the_windows_are_single_values() -> None:
    assert (LATEST.current_window_size, LATEST.prior_window_size, LATEST.capacity) == (1, 1, 2)


# --- against an oracle that knows nothing of windows ------------------------------------------------------------

values = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.0, 0.1, 0.3, NAN, INF, -INF]),
    st.floats(-1e3, 1e3, width=16),
    st.floats(allow_nan=False, allow_infinity=False),
)
rules = st.builds(
    Change,
    name=st.just("loss"),
    agg_op=st.sampled_from([None, "AVERAGE", "MIN", "MAX"]),
    current_window_size=st.integers(1, 5),
    prior_window_size=st.integers(1, 5),
    change_type=st.sampled_from(["RELATIVE", "ABSOLUTE"]),
    change_dir=st.sampled_from(["INCREASE", "DECREASE", "ANY"]),
    change_amount=st.sampled_from([0.25, 0.5, 1, 2.0, 1e-9]),
)


def exact(numbers: list[float], agg_op: str | None) -> float | None:
    finite = [Fraction(number) for number in numbers if math.isfinite(number)]
    if not finite:
        return None
    combine = {"MIN": min, "MAX": max}.get(agg_op or "", lambda all_: sum(all_) / len(all_))
    return float(combine(finite))


def naive(asked: Change, logged: list[float]) -> bool:
    """As EV7 reads: slices, fractions and comparisons."""
    current, prior = logged[-asked.current_window_size :], logged[: -asked.current_window_size]
    prior = prior[-asked.prior_window_size :]
    if len(current) < asked.current_window_size or len(prior) < asked.prior_window_size:
        return False
    now, then = exact(current, asked.agg_op), exact(prior, asked.agg_op)
    if now is None or then is None:
        return False
    moved = now - then
    if asked.change_type == "RELATIVE":
        if then == 0:
            return False
        moved /= abs(then)
    up, down = moved >= asked.change_amount, moved <= -asked.change_amount
    return {"INCREASE": up, "DECREASE": down, "ANY": up or down}[asked.change_dir]


@given(rules, st.lists(values, max_size=14))
@example(rule(agg_op="AVERAGE"), [0.1, 0.1, 0.1, 0.1, 0.1])
@example(rule(agg_op="AVERAGE"), [1e308, 1e308, 1e308, -1e308, -1e308])
def test_a_verdict_is_what_a_naive_reading_says(asked: Change, logged: list[float]) -> None:
    assert asked.judge(logged).holds is naive(asked, logged)


@given(rules, st.lists(values, max_size=40), st.data(), st.sampled_from([0, 10**9]))
@example(rule(agg_op="AVERAGE"), [0.1] * 12, None, 0)
@example(rule(agg_op="AVERAGE", change_type="ABSOLUTE", change_amount=1e-9), [0.1, 0.3] * 8, None, 0)
@example(rule(agg_op="AVERAGE"), [1e308, -1e308, 5e-324] * 5, None, 0)
def test_a_batch_is_judged_point_by_point_however_it_is_cut(
    asked: Change, logged: list[float], data: st.DataObject | None, vectorised_from: int
) -> None:
    """EV5: with numpy and without."""
    expected = [naive(asked, logged[: end + 1]) for end in range(len(logged))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(change, "VECTORISED_FROM", vectorised_from)
        found: list[bool] = []
        while len(found) < len(logged):
            left = len(logged) - len(found)
            size = data.draw(st.integers(1, left)) if data else left
            before = logged[: len(found)][-asked.capacity :]
            found += asked.judge_batch(before, logged[len(found) : len(found) + size])
    assert found == expected
