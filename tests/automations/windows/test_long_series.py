"""A million values at once: judged in a moment, and to the last of them as one by one."""

import math
import time

import numpy as np
import pytest

from automations.windows import MAX_WINDOW, Change, Threshold

MILLION = 1_000_000
RULES = [
    Threshold("loss", "AVERAGE", MAX_WINDOW, "$gt", 0.02),
    Threshold("loss", "MAX", MAX_WINDOW, "$lte", 3.9),
    Threshold("loss", "MIN", 500, "$lt", -4.0),
    Threshold("loss", None, 1, "$ne", 0.5),
    Threshold("loss", None, 1, "$nonfinite", None),
    Change("loss", "AVERAGE", 1_000, MAX_WINDOW - 1_000, "ABSOLUTE", "ANY", 0.1),
]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_million_values_are_judged_at_once_as_one_by_one(rule: Threshold | Change) -> None:
    """EV5, EV9."""
    randomness = np.random.default_rng(11)
    logged = randomness.normal(size=MILLION)
    logged[randomness.integers(0, MILLION, size=1_000)] = math.nan
    logged[randomness.integers(0, MILLION, size=100)] = math.inf

    began = time.process_time()
    verdicts = rule.judge_batch([], logged.tolist())
    assert time.process_time() - began < 10

    assert len(verdicts) == MILLION
    assert True in verdicts
    assert False in verdicts
    # Where it begins and ceases to hold, and here and there.
    turns = np.flatnonzero(np.diff(np.array(verdicts)))
    looked_at = {*turns[:30], *(turns[:30] + 1), *randomness.integers(0, MILLION, size=30), MILLION - 1}
    for end in map(int, looked_at):
        window = logged[max(0, end + 1 - rule.capacity) : end + 1].tolist()
        assert rule.judge(window).holds is verdicts[end], end


def test_nothing_beyond_the_bound_means_that_no_aggregate_is() -> None:
    """EV6: what is told from the extremes alone is what the windows say."""
    logged = [0.5, math.nan, -2.0, 0.9, math.inf, 0.1] * 50
    for cmp_op in ("$gt", "$gte", "$lt", "$lte"):
        for bound in (-3, -2, 0.9, 1):
            for agg_op in (None, "AVERAGE", "MIN", "MAX"):
                rule = Threshold("loss", agg_op, 4, cmp_op, bound)
                one_by_one = [rule.judge(logged[: end + 1]).holds for end in range(len(logged))]
                assert rule.judge_batch([], logged) == one_by_one
                assert rule.judge_batch([], logged[:12]) == one_by_one[:12]
