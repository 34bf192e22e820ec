"""Close-ups of a stretch: every value that was logged there, and as little reading as that takes."""

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from projects import closeups, metrics, reports
from projects.closeups import Stretch
from projects.metrics import parse_lines
from projects.models import Project, Run
from projects.reports import Lines, Report
from tests import factories

AT = datetime(2026, 1, 1, tzinfo=UTC)


def log(run: Run, *rows: dict[str, Any], minute: int) -> None:
    metrics.append(run, metrics.parse(json.dumps(rows).encode()), at=AT + timedelta(minutes=minute))


@pytest.fixture
def run(project: Project) -> Run:
    """2,000 steps in chunks of fifty, a chunk a minute; loss is the step, and each hundredth step has an f1."""
    run = factories.make_run(project, at=AT)
    for chunk in range(40):
        steps = range(50 * chunk, 50 * (chunk + 1))
        log(run, *({"loss": float(n)} | ({"f1": n / 10} if n % 100 == 0 else {}) for n in steps), minute=chunk + 1)
    return run


def points(run: Run, metric: str, stretch: Stretch) -> tuple[list[float], list[float]]:
    found = closeups.drawn(run, [metric], stretch)
    assert found is not None
    if metric not in found:
        return [], []
    x, y = found[metric].points(stretch.axis)
    return x.tolist(), y.tolist()


def test_every_value_between_two_steps_is_there(run: Run) -> None:
    wanted = list(map(float, range(973, 1101)))
    assert points(run, "loss", Stretch("step", 972.4, 1100)) == (wanted, wanted)
    assert points(run, "f1", Stretch("step", 950, 1150)) == ([1000, 1100], [100, 110])


def test_the_ends_of_a_run_are_found(run: Run) -> None:
    assert points(run, "loss", Stretch("step", -5, 2))[0] == [0, 1, 2]
    assert points(run, "loss", Stretch("step", 1998, 9e9))[0] == [1998, 1999]
    assert points(run, "loss", Stretch("step", 5000, 6000)) == ([], [])
    assert points(run, "loss", Stretch("step", 10.2, 10.8)) == ([], [])


def test_between_two_times_rows_lie_where_they_arrived(run: Run) -> None:
    begin = (AT + timedelta(minutes=10)).timestamp()
    x, y = points(run, "loss", Stretch("time", begin, begin + 30))

    # Step 499 arrived last in the tenth minute; the next fifty are spread over the minute after it.
    assert y == list(map(float, range(499, 525)))
    assert x[0] == begin
    assert x[-1] == begin + 30


def test_times_that_a_script_says_count(project: Project) -> None:
    run = factories.make_run(project, at=AT)
    log(run, *({"loss": n, "_timestamp": 1000.0 + n} for n in range(100)), minute=9)
    assert points(run, "loss", Stretch("time", 1010, 1012)) == ([1010, 1011, 1012], [10, 11, 12])


def test_system_metrics_are_looked_at_closely_too(project: Project) -> None:
    run = factories.make_run(project, at=AT)
    for minute in range(1, 5):
        lines = Lines(first=minute - 1, batch=parse_lines([json.dumps({"system.cpu": minute})]))
        reports.take(run, Report(system=lines), at=AT + timedelta(minutes=minute))
    begin = (AT + timedelta(minutes=2)).timestamp()
    assert points(run, "system.cpu", Stretch("time", begin, begin + 60))[1] == [2, 3]


def test_what_is_not_finite_is_a_gap(project: Project) -> None:
    run = factories.make_run(project, at=AT)
    metrics.append(run, metrics.parse(b'[{"loss": 1}, {"loss": NaN}, {"loss": 3}]'), at=AT)
    _, y = points(run, "loss", Stretch("step", 0, 2))
    assert y[0] == 1
    assert math.isnan(y[1])
    assert y[2] == 3


def test_little_is_read_for_a_short_stretch(run: Run) -> None:
    with CaptureQueriesContext(connection) as queries:
        closeups.drawn(run, ["loss"], Stretch("step", 1000, 1010))
    # Halving 2,000 lines, with a look at the chunk and at the one before it.
    assert len(queries) <= 2 * 11 + 1


def test_with_too_much_to_read_there_is_no_close_up(run: Run) -> None:
    assert closeups.drawn(run, ["loss"], Stretch("step", 0, 2000), deadline=0) is None


def test_a_run_that_logged_nothing_has_none(project: Project) -> None:
    assert closeups.drawn(factories.make_run(project), ["loss"], Stretch("step", 0, 9)) == {}
