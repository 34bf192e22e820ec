"""Curves that are kept: drawn on from where they end, by whoever comes first."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from projects import drawing, metrics, plots, reports, runs
from projects.metrics import parse_lines
from projects.models import DrawnUpTo, MetricCurve, Run
from projects.models.history import Stream
from projects.reports import Lines, Report
from tests import factories

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
FOREVER = float("inf")


def log(run: Run, *rows: dict[str, Any], minute: int = 1) -> Run:
    metrics.append(run, metrics.parse(json.dumps(rows).encode()), at=NOW + timedelta(minutes=minute))
    run.refresh_from_db()
    return run


def drawn(run: Run, metric: str = "loss", axis: Any = "step") -> list[tuple[float, float]]:
    curve = plots.draw([run], [metric]).curves[metric].get(run.pk)
    return [] if curve is None else list(zip(*(side.tolist() for side in curve.points(axis)), strict=True))


@pytest.fixture
def run(db: None) -> Run:
    return factories.make_run(at=NOW)


@pytest.fixture
def worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line is worth keeping."""
    monkeypatch.setattr(drawing, "WORTH_KEEPING", 1)


def test_what_was_logged_is_drawn_by_its_steps(run: Run) -> None:
    log(run, {"_step": 10, "loss": 3, "other": 1}, {"_step": 12, "acc": 1}, {"_step": 14, "loss": 2.5})
    assert drawn(run) == [(10, 3), (14, 2.5)]
    assert drawn(run, "never logged") == []


def test_nested_metrics_are_drawn_under_their_dotted_names(run: Run) -> None:
    log(run, {"val": {"loss": 1, "top": {"k": 5}}}, {"val.loss": 2}, {"val": {"loss": 9}, "val.loss": 3})
    assert drawn(run, "val.loss") == [(0, 1), (1, 2), (2, 3)]
    assert drawn(run, "val.top.k") == [(0, 5)]


def test_what_is_no_number_is_no_point(run: Run) -> None:
    lines = ['{"loss": "text"}', '{"loss": true}', '{"loss": null}', '{"loss": {"_type": "table-file"}}', '{"loss": 7}']
    reports.take(run, Report(history=Lines(first=0, batch=parse_lines(lines))), at=NOW)
    run.refresh_from_db()
    assert drawn(run) == [(4, 7)]
    assert drawn(run, "loss._type") == []


def test_an_integer_beyond_all_floats_is_a_gap(run: Run) -> None:
    log(run, {"loss": 10**400}, {"loss": 1})
    assert str(drawn(run)) == "[(0.0, nan), (1.0, 1.0)]"


def test_rows_that_do_not_say_when_are_spread_over_the_time_since_the_batch_before(run: Run) -> None:
    log(run, {"loss": 1}, {"loss": 2}, minute=2)
    log(run, {"loss": 3, "_timestamp": NOW.timestamp() + 150}, {"loss": 4}, minute=4)
    seconds = [when - NOW.timestamp() for when, _ in drawn(run, axis="time")]
    assert seconds == [60, 120, 150, 240]


def test_metrics_of_the_machine_are_drawn_from_their_own_stream(run: Run) -> None:
    log(run, {"system.cpu": 99, "loss": 1})
    system = Lines(first=0, batch=parse_lines(['{"system.cpu": 40}', '{"system.cpu": 60, "loss": 5}']))
    reports.take(run, Report(system=system), at=NOW)
    run.refresh_from_db()
    assert drawn(run, "system.cpu") == [(0, 40), (1, 60)]
    assert drawn(run) == [(0, 1)]


@pytest.mark.usefixtures("worth_it")
def test_what_was_drawn_is_not_read_again(run: Run) -> None:
    log(run, *({"loss": step} for step in range(50)))
    assert len(drawn(run)) == 50
    run.chunks.all().delete()
    assert len(drawn(run)) == 50
    log(run, {"loss": 50})
    assert len(drawn(run)) == 51
    assert DrawnUpTo.objects.get().line == 51


def test_a_few_new_lines_are_drawn_and_not_kept(run: Run) -> None:
    log(run, {"loss": 1})
    assert len(drawn(run)) == 1
    assert not MetricCurve.objects.exists()


def test_a_drawing_that_takes_too_long_goes_on_with_the_next_request(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "WORTH_KEEPING", 1)
    for batch in range(3):
        log(run, {"loss": batch})
    assert plots.draw([run], ["loss"], patience=-1).behind == {run.pk}
    assert plots.draw([run], ["loss"], patience=FOREVER).behind == set()
    assert plots.draw([run], ["loss"], patience=-1).behind == set()


@pytest.mark.usefixtures("worth_it")
def test_of_two_who_draw_the_same_lines_the_second_keeps_nothing(run: Run) -> None:
    log(run, {"loss": 1}, {"loss": 2})
    slow = drawing.kept([run], Stream.HISTORY)[run.pk]
    longer = slow.draw_on(deadline=FOREVER)
    drawing.catch_up(run, Stream.HISTORY, deadline=FOREVER)
    log(run, {"loss": 3})
    drawing.catch_up(run, Stream.HISTORY, deadline=FOREVER)
    drawing._keep(slow, before=0, longer=longer)
    assert drawn(run) == [(0, 1), (1, 2), (2, 3)]


def test_the_clock_draws_what_is_long_and_what_is_over(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "WORTH_KEEPING", 3)
    short, over = (factories.make_run(run.project, at=NOW) for _ in range(2))
    log(run, {"loss": 1}, {"loss": 2}, {"loss": 3})
    log(short, {"loss": 1})
    log(over, {"loss": 1})
    runs.finish(over, exit_code=0, by=None, at=NOW)
    assert drawing.catch_up_with_all(seconds=60) == 2
    assert set(DrawnUpTo.objects.values_list("run", flat=True)) == {run.pk, over.pk}
    assert drawing.catch_up_with_all(seconds=60) == 0


def test_a_run_with_very_many_metrics_has_curves_of_the_first(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "MOST_CURVES", 2)
    log(run, {"first": 1, "second": 2, "third": 3})
    assert set(drawing.catch_up(run, Stream.HISTORY, deadline=FOREVER).curves) == {"first", "second"}


@pytest.mark.usefixtures("worth_it")
def test_names_no_database_takes_are_left_out(run: Run) -> None:
    lines = ['{"lo\\u0000ss": 1, "\\ud800": 2, "' + "x" * 501 + '": 3, "損失": 4}']
    reports.take(run, Report(history=Lines(first=0, batch=parse_lines(lines))), at=NOW)
    run.refresh_from_db()
    assert set(drawing.catch_up(run, Stream.HISTORY, deadline=FOREVER).curves) == {"損失"}


@pytest.mark.usefixtures("worth_it")
def test_plots_take_as_many_queries_however_many_runs_and_metrics(run: Run) -> None:
    several = [run, *(factories.make_run(run.project, at=NOW) for _ in range(5))]
    for one in several:
        log(one, {"loss": 1, "acc": 2})
        drawing.catch_up(one, Stream.HISTORY, deadline=FOREVER)
    with CaptureQueriesContext(connection) as queries:
        plots.draw(several, ["loss", "acc"])
    assert len(queries) == 2


def test_metrics_to_plot_are_the_numbers_runs_logged(run: Run) -> None:
    log(run, {"loss": float("nan"), "val": {"acc": 1}, "_step": 3, "done": True})
    run.system_metrics = {"system.cpu": 4}
    assert plots.metrics_of([run]) == ["loss", "val.acc", "system.cpu"]
