from __future__ import annotations

import json
import math
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from projects import metrics, recent, runs
from projects.models import MetricChunk, MetricWindow, RunState
from tests import factories

pytestmark = pytest.mark.django_db


def append(run: Any, *rows: dict[str, Any], first_line: int | None = None) -> int:
    return metrics.append(run, metrics.parse(json.dumps(rows).encode()), at=timezone.now(), first_line=first_line)


def statements(captured: CaptureQueriesContext, verb: str) -> list[str]:
    return [query["sql"] for query in captured.captured_queries if query["sql"].startswith(verb)]


def test_a_thousand_points_cost_one_insert_and_one_update() -> None:
    run = factories.make_run()
    batch = metrics.parse(json.dumps([{"loss": i / 1000} for i in range(1000)]).encode())
    append(run, {"loss": 1.0})  # the rules of the project are cached from now on
    with CaptureQueriesContext(connection) as captured:
        metrics.append(run, batch, at=timezone.now())
    assert len(statements(captured, "INSERT")) == 1
    assert len(statements(captured, "UPDATE")) == 1
    assert len(statements(captured, "SELECT")) == 1
    assert MetricChunk.objects.latest("pk").line_count == 1000


def test_rows_come_back_as_they_were_logged() -> None:
    run = factories.make_run()
    append(run, {"loss": 0.5, "train": {"acc": 0.1}}, {"loss": float("nan")})
    append(run, {"loss": float("-inf"), "steps": 1152921504606846976})
    rows = [row for chunk in run.chunks.order_by("first_line") for row in metrics.rows_of(chunk)]
    assert rows[0] == {"loss": 0.5, "train": {"acc": 0.1}}
    assert math.isnan(rows[1]["loss"])
    assert rows[2] == {"loss": float("-inf"), "steps": 1152921504606846976}


def test_summary_holds_the_last_value_of_every_key() -> None:
    run = factories.make_run()
    append(run, {"loss": 1.0, "train": {"acc": 0.1}}, {"train": {"f1": 0.2}}, {"loss": float("nan")})
    append(run, {"train": {"acc": 0.3}})
    run.refresh_from_db()
    assert run.summary == {"loss": "NaN", "train": {"acc": 0.3, "f1": 0.2}}
    assert run.history_lines == 4


def test_repeated_lines_are_stored_once() -> None:
    run = factories.make_run()
    append(run, {"loss": 1}, {"loss": 2}, first_line=0)
    assert append(run, {"loss": 1}, {"loss": 2}, first_line=0) == 2
    assert append(run, {"loss": 2}, {"loss": 3}, first_line=1) == 3
    assert metrics.last_values(run, "loss", count=10, before_line=3) == [1, 2, 3]


def test_a_gap_in_the_lines_is_refused() -> None:
    run = factories.make_run()
    with pytest.raises(metrics.InvalidRows, match="lines are missing"):
        append(run, {"loss": 1}, first_line=5)
    assert not MetricChunk.objects.exists()


@pytest.mark.parametrize(
    ("body", "path", "words"),
    [
        (b'{"loss": 1}', "", "list of rows"),
        (b"[1, 2]", "[0]", "object"),
        (b'[{"loss": 1}, {"loss": "high"}]', "[1].loss", "is a number"),
        (b'[{"a": {"b": [1]}}]', "[0].a.b", "is a number"),
        (b'[{"loss": }]', "", "not JSON"),
        (b"[" * 10_000, "", "not JSON"),
        (b"\xff\xfe", "", "not JSON"),
    ],
)
def test_malformed_rows_are_refused_with_their_place(body: bytes, path: str, words: str) -> None:
    with pytest.raises(metrics.InvalidRows, match=words) as error:
        metrics.parse(body)
    assert error.value.path == path


def test_nothing_is_logged_to_a_run_that_ended() -> None:
    run = factories.make_run()
    runs.finish(run, exit_code=0, by=run.user, at=timezone.now())
    with pytest.raises(metrics.RunIsOver, match="is finished"):
        append(run, {"loss": 1})


def test_metrics_bring_a_crashed_run_back_to_life() -> None:
    """EV3: late data after a crash mark means that the script lives."""
    run = factories.make_run()
    type(run).objects.filter(pk=run.pk).update(state=RunState.CRASHED)
    append(run, {"loss": 1})
    run.refresh_from_db()
    assert run.state == RunState.RUNNING


@pytest.mark.parametrize(
    ("row", "key", "value"),
    [
        ({"loss": 1}, "loss", 1.0),
        ({"train/loss": 2}, "train/loss", 2.0),
        ({"train": {"loss": 3}}, "train.loss", 3.0),
        ({"train.loss": 4}, "train.loss", 4.0),
        ({"a.b": {"c": 5}}, "a.b.c", 5.0),
        ({"a": {"b.c": 6}}, "a.b.c", 6.0),
        ({"loss": True}, "loss", None),
        ({"loss": None}, "loss", None),
        ({"loss": 10**400}, "loss", math.inf),
        ({"loss": -(10**400)}, "loss", -math.inf),
        ({}, "loss", None),
    ],
)
def test_value_at_finds_numbers_under_nested_and_dotted_keys(row: Any, key: str, value: float | None) -> None:
    """EV5: nested keys use dots."""
    assert metrics.value_at(row, key) == value


def test_last_values_are_read_from_the_end() -> None:
    run = factories.make_run()
    for start in range(0, 50, 10):
        append(run, *({"loss": i} for i in range(start, start + 10)))
    assert metrics.last_values(run, "loss", count=3, before_line=45) == [47.0, 48.0, 49.0]
    assert metrics.last_values(run, "loss", count=3, before_line=40) == [37.0, 38.0, 39.0]
    assert metrics.last_values(run, "loss", count=100, before_line=50) == [float(i) for i in range(50)]


def test_a_window_that_missed_lines_is_filled_from_the_chunks() -> None:
    run = factories.make_run()
    append(run, *({"loss": i} for i in range(10)))
    recent.store(
        run, next_line=10, capacities={"loss": 3}, values={"loss": [7.0, 8.0, 9.0]}, moved={"loss"}, at=timezone.now()
    )
    append(run, {"loss": 10})
    assert recent.values_before(run, line=11, capacities={"loss": 3}) == {"loss": [8.0, 9.0, 10.0]}
    assert recent.values_before(run, line=11, capacities={"loss": 5})["loss"] == [6.0, 7.0, 8.0, 9.0, 10.0]


def test_a_window_that_is_current_is_not_filled_again() -> None:
    run = factories.make_run()
    append(run, {"loss": 1})
    recent.store(
        run,
        next_line=1,
        capacities={"loss": 3},
        values={"loss": [float("nan"), 2.0]},
        moved={"loss"},
        at=timezone.now(),
    )
    assert recent.values_before(run, line=1, capacities={"loss": 3})["loss"][1] == 2.0
    recent.store(
        run, next_line=1, capacities={"loss": 1}, values={"loss": [4.0, 5.0]}, moved={"loss"}, at=timezone.now()
    )
    assert MetricWindow.objects.count() == 1
    assert recent.values_before(run, line=1, capacities={"loss": 1}) == {"loss": [5.0]}


json_numbers = st.one_of(st.integers(-(2**70), 2**70), st.floats(allow_nan=True), st.booleans(), st.none())
rows = st.lists(st.dictionaries(st.text(max_size=8), json_numbers, max_size=4), max_size=5)


@given(rows)
@settings(max_examples=60)
def test_parse_takes_every_list_of_rows_of_numbers(rows: list[dict[str, Any]]) -> None:
    batch = metrics.parse(json.dumps(rows).encode())
    assert len(batch.rows) == len(rows)
    assert [set(row) for row in batch.rows] == [set(row) for row in rows]


# --- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "path", "words"),
    [
        ([{f"m{number}": 1 for number in range(10_000)}], "", "would have 10,001 metrics; log at most 10,000"),
        ([{f"m{number}": 1} for number in range(10_000)], "", "would have 10,001 metrics; log at most 10,000"),
        ([{"a": {f"m{number}": 1 for number in range(10_000)}}], "", "would have 10,001 metrics"),
        ([{"n" * 501: 1}], f"{'n' * 40}…", "has 501 characters; use at most 500"),
        ([{"n" * 250: {"m" * 250: 1}}], f"{'n' * 40}…", "has 501 characters; use at most 500"),
        ([{f"{number:0400}": 1 for number in range(2_600)}], "", "1,000,000 characters together"),
    ],
)
def test_a_run_has_a_limited_number_of_metrics_with_names_of_limited_length(
    rows: list[dict[str, Any]], path: str, words: str
) -> None:
    """A summary is read and written with every later point, so that one batch could make all of them slow."""
    run = factories.make_run()
    append(run, {"loss": 1.0})
    with pytest.raises(metrics.InvalidRows, match=words) as error:
        append(run, *rows[1:] or rows, *rows[:1])
    assert error.value.path == path
    run.refresh_from_db()
    assert (run.summary, run.history_lines, run.chunks.count()) == ({"loss": 1.0}, 1, 1)


def test_the_limit_of_metrics_counts_those_logged_before() -> None:
    run = factories.make_run()
    append(run, {f"a{number}": 1 for number in range(5_000)}, {"b": {f"{number}": 1 for number in range(5_000)}})
    assert append(run, {"a1": 2, "b": {"2": 3}}) == 3
    for row in ({"c": 1}, {"b": {"c": 1}}):
        with pytest.raises(metrics.InvalidRows, match="10,001 metrics"):
            append(run, row)
    run.refresh_from_db()
    assert (run.summary["a1"], run.summary["b"]["2"]) == (2, 3)


def test_numbers_of_many_digits_do_not_fill_the_summary() -> None:
    run = factories.make_run()
    metrics.append(
        run, metrics.parse(b'[{"a": NaN, "b": %s, "c": 18446744073709551615}]' % (b"9" * 300)), at=timezone.now()
    )
    run.refresh_from_db()
    # PostgreSQL's jsonb gives a large float back as the integer it is.
    assert {**run.summary, "b": float(run.summary["b"])} == {"a": "NaN", "b": 1e300, "c": 2**64 - 1}
