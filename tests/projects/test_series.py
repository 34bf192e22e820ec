"""Reading what a run logged: by steps, by samples, by keys."""

import json
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projects import metrics, series
from projects.models import Run
from tests import factories


def log(run: Run, *rows: dict[str, Any]) -> None:
    """One batch; the run's row is read again."""
    metrics.append(run, metrics.parse(json.dumps(rows).encode()), at=timezone.now())
    run.refresh_from_db()


def steps(rows: Any) -> list[int]:
    return [row["_step"] for row in rows]


@pytest.fixture
def run(db: None) -> Run:
    """Forty rows in four batches, at every other step."""
    run = factories.make_run()
    for batch in range(4):
        log(run, *({"_step": 2 * line, "loss": line / 10} for line in range(10 * batch, 10 * batch + 10)))
    return run


def test_rows_are_found_by_their_steps(run: Run) -> None:
    assert steps(series.rows_between(run, 10, 20)) == [10, 12, 14, 16, 18]
    assert steps(series.rows_between(run, 0, 10**12)) == list(range(0, 80, 2))
    assert steps(series.rows_between(run, 79, 200)) == steps(series.rows_between(run, 5, 5)) == []


def test_only_chunks_with_such_steps_are_read_once_they_are_known(run: Run) -> None:
    assert series.survey_of(run).chunks_between(18, 21) == [0, 10]
    with CaptureQueriesContext(connection) as queries:
        assert steps(series.rows_between(run, 22, 24)) == [22]

    assert len(queries) == 1


def test_rows_without_a_step_are_as_far_as_their_line(db: None) -> None:
    run = factories.make_run()
    log(run, {"loss": 1}, {"loss": 2})
    log(run, {"loss": 3}, {"_step": float("nan"), "loss": 4})

    assert steps(series.rows_between(run, 1, 9)) == [1, 2, 3]


def test_what_is_logged_later_is_seen(run: Run) -> None:
    assert series.survey_of(run).last_step == 78
    log(run, {"_step": 100, "acc": 1})

    assert series.survey_of(run).last_step == 100
    assert steps(series.rows_between(run, 78, 101)) == [78, 100]
    assert list(series.survey_of(run).keys) == ["_step", "loss", "acc"]


def test_steps_may_come_in_any_order(db: None) -> None:
    run = factories.make_run()
    log(run, {"_step": 50}, {"_step": 3})
    log(run, {"_step": 7}, {"_step": 60})

    assert steps(series.rows_between(run, 0, 10)) == [3, 7]
    assert (series.survey_of(run).first_step, series.survey_of(run).last_step) == (3, 60)


def test_a_run_that_logged_nothing_has_no_steps(db: None) -> None:
    run = factories.make_run()

    assert (series.survey_of(run).first_step, series.survey_of(run).last_step) == (None, -1)
    assert list(series.sampled(run, 5)) == series.with_keys(run, ["loss"], count=5) == []


@pytest.mark.parametrize(
    ("count", "expected"), [(0, []), (1, [78]), (2, [0, 78]), (3, [0, 38, 78]), (40, None), (99, None)]
)
def test_a_sample_is_even_and_has_both_ends(run: Run, count: int, expected: list[int] | None) -> None:
    wanted = list(range(0, 80, 2)) if expected is None else expected

    assert steps(series.sampled(run, count)) == wanted
    assert steps(series.with_keys(run, ["_step", "loss"], count=count)) == wanted


def test_rows_with_all_keys_are_reduced_to_them(db: None) -> None:
    run = factories.make_run()
    log(
        run, {"loss": 1, "val": {"acc": 0.5}}, {"loss": 2}, {"loss": None, "val": {"acc": 1}}, {"val.acc": 3, "loss": 4}
    )

    assert series.with_keys(run, ["_step", "loss", "val.acc"], count=9) == [
        {"_step": 0, "loss": 1, "val.acc": 0.5},
        {"_step": 3, "loss": 4, "val.acc": 3},
    ]


def test_rows_with_all_keys_in_a_range(run: Run) -> None:
    assert steps(series.with_keys(run, ["_step", "loss"], first=10, last=15, count=100)) == [10, 12, 14]


@pytest.fixture
def long_run(db: None) -> Run:
    """Three thousand rows, more than are held while sampling."""
    run = factories.make_run()
    log(run, *({"loss": line} for line in range(3_000)))
    return run


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(total=st.integers(0, 3_000), count=st.integers(0, 50))
def test_a_sample_of_many_is_even_enough_and_has_both_ends(long_run: Run, total: int, count: int) -> None:
    found = [row["loss"] for row in series.with_keys(long_run, ["loss"], last=total, count=count)]

    assert len(found) == min(count, total)
    if count > 1 and total:
        assert (found[0], found[-1]) == (0, total - 1)
        gaps = [after - before for before, after in pairwise(found)]
        assert all(0 < gap <= 2 * total / (len(found) - 1) + 1 for gap in gaps)


def test_keys_are_counted_by_type(db: None) -> None:
    run = factories.make_run()
    log(run, {"loss": 1.5, "val": {"acc": 1}, "done": True}, {"loss": float("inf"), "val": {"acc": None}})

    keys = series.survey_of(run).keys

    assert {key: use.counts for key, use in keys.items()} == {
        "loss": {"number": 2},
        "val.acc": {"number": 1, "nil": 1},
        "done": {"boolean": 1},
    }
    assert (keys["val.acc"].last, keys["loss"].last) == (1, float("inf"))


def test_few_runs_are_remembered(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "MOST_REMEMBERED", 2)
    made = [factories.make_run() for _ in range(3)]
    for one in made:
        log(one, {"loss": 1})
        series.survey_of(one)

    with CaptureQueriesContext(connection) as queries:
        series.survey_of(made[2])
        assert len(queries) == 0
        series.survey_of(made[0])
        assert len(queries) == 1
