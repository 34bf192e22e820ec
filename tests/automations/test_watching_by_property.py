"""EV5 to EV9 from uploads to executions: whatever is logged, however it is cut, repeated and mixed up on the way."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from automations import watching
from automations.models import Automation, Cooldown, EventType, Execution
from automations.windows import Change, Threshold, ZScore
from projects import metrics, reports
from projects.models import Run
from tests import factories

pytestmark = pytest.mark.django_db

Row = dict[str, Any]
NAN, INF = math.nan, math.inf
ODD = [NAN, INF, -INF, 0.0, -0.0, 1e308, 10**18, 2**64, 10**400, -(10**400), None, True]
values = st.one_of(st.integers(-4, 4), st.integers(-4, 4).map(float), st.sampled_from(ODD))
rows = st.one_of(
    values.map(lambda value: {"loss": value}),
    st.builds(lambda value, step: {"loss": value, "_step": step}, values, st.integers(0, 50)),
    st.sampled_from([{}, {"other": 1.0}, {"_step": 7}, {"loss": {"inner": 1.0}}]),
)
OTHERS = [1.0, 2.0, 4.0]


def logged(row: Row) -> float | None:
    """The number a row has for the metric, read naively: neither nothing, nor a truth, nor an object."""
    value = row.get("loss")
    if value is None or isinstance(value, bool | dict):
        return None
    if isinstance(value, int) and abs(value) > 10**308:
        return INF if value > 0 else -INF
    return float(value)


thresholds = st.builds(
    Threshold,
    name=st.just("loss"),
    agg_op=st.sampled_from([None, "AVERAGE", "MIN", "MAX"]),
    window_size=st.integers(1, 5),
    cmp_op=st.sampled_from(["$gt", "$gte", "$lt", "$lte", "$eq", "$ne"]),
    threshold=st.integers(-3, 3),
)
not_a_number = st.just(Threshold("loss", None, 1, "$nonfinite", None))
changes = st.builds(
    Change,
    name=st.just("loss"),
    agg_op=st.sampled_from([None, "AVERAGE", "MIN", "MAX"]),
    current_window_size=st.integers(1, 3),
    prior_window_size=st.integers(1, 3),
    change_type=st.sampled_from(["RELATIVE", "ABSOLUTE"]),
    change_dir=st.sampled_from(["INCREASE", "DECREASE", "ANY"]),
    change_amount=st.sampled_from([0.25, 1]),
)
distances = st.builds(
    ZScore,
    name=st.just("loss"),
    window_size=st.just(3),
    threshold=st.sampled_from([0.5, 1.103]),
    change_dir=st.sampled_from(["INCREASE", "DECREASE", "ANY"]),
)
KINDS = {Threshold: EventType.RUN_METRIC, Change: EventType.RUN_METRIC_CHANGE, ZScore: EventType.RUN_METRIC_ZSCORE}
Rule = Threshold | Change | ZScore


def holds(rule: Rule, so_far: list[float]) -> bool:
    verdict = rule.judge(so_far[-1], OTHERS) if isinstance(rule, ZScore) else rule.judge(so_far)
    return verdict.holds


def expected(rule: Rule, lines: list[Row]) -> list[int]:
    """The lines at which the rule holds, one point at a time."""
    found, so_far = [], list[float]()
    for line, row in enumerate(lines):
        value = logged(row)
        if value is not None:
            so_far.append(value)
            if holds(rule, so_far):
                found.append(line)
    return found


def over_rest(run: Run, lines: list[Row], *, first_line: int) -> None:
    metrics.append(run, metrics.parse(json.dumps(lines).encode()), at=timezone.now(), first_line=first_line)


def as_the_client(run: Run, lines: list[Row], *, first_line: int) -> None:
    batch = metrics.parse_lines([json.dumps(row) for row in lines])
    report = reports.Report(history=reports.Lines(first=first_line, batch=batch))
    reports.take(run, report, at=timezone.now())


def upload(send: Callable[..., None], run: Run, lines: list[Row], data: st.DataObject) -> None:
    """Cut anywhere; an upload may begin with lines that are there already, and may come again, also much later."""
    sent, earlier = 0, list[tuple[int, int]]()
    while sent < len(lines):
        start = data.draw(st.integers(0, sent))
        end = data.draw(st.integers(sent + 1, len(lines)))
        uploads = [(start, end), *data.draw(st.lists(st.sampled_from([*earlier, (start, end)]), max_size=2))]
        for first, last in uploads:
            send(run, lines[first:last], first_line=first)
        earlier.append((start, end))
        sent = end


@pytest.mark.parametrize("send", [over_rest, as_the_client])
@given(
    rule=st.one_of(thresholds, not_a_number, changes, distances),
    lines=st.lists(rows, min_size=1, max_size=14),
    data=st.data(),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ev5_what_fires_depends_on_what_was_logged_and_on_nothing_else(
    send: Callable[..., None], rule: Rule, lines: list[Row], data: st.DataObject
) -> None:
    """EV6, EV7, EV8, EV9, EV11: the first point that holds fires, the others are surplus, and none counts twice."""
    project = factories.make_project(name="digits")
    Run.objects.filter(project=project).delete()
    Automation.objects.all().delete()
    for value in OTHERS:
        over_rest(factories.make_run(project), [{"loss": value}], first_line=0)
    automation = factories.make_automation(project, KINDS[type(rule)], condition=rule.as_condition())
    upload(send, factories.make_run(project), lines, data)

    holding = expected(rule, lines)
    fired = Execution.objects.filter(automation=automation)
    assert [execution.event.details["line"] for execution in fired] == holding[:1]
    surplus = sum(Cooldown.objects.filter(automation=automation).values_list("surplus", flat=True))
    assert surplus == max(len(holding) - 1, 0)


@given(st.lists(rows, max_size=10))
@example([{"loss": 1.0}, {"loss": 2.0}])
@example([{"loss": 1.0}, {"loss": None}])
def test_a_series_is_what_a_naive_reading_finds(lines: list[Row]) -> None:
    """Also where every row has a number, which is read in one go."""
    series = watching.series_of(lines, "loss")
    found = [(line, value) for line, row in enumerate(lines) if (value := logged(row)) is not None]
    assert list(series.rows) == [line for line, _ in found]
    assert str(series.values) == str([value for _, value in found])  # as text, since NaN is not itself


def test_an_upload_that_leaves_a_gap_is_refused_and_judged_when_it_fits() -> None:
    run = factories.make_run()
    factories.make_automation(run.project, EventType.RUN_METRIC)
    with pytest.raises(metrics.InvalidRows, match="lines are missing"):
        over_rest(run, [{"loss": 5.0}], first_line=1)
    assert not Execution.objects.exists()
    over_rest(run, [{"loss": 0.1}], first_line=0)
    over_rest(run, [{"loss": 5.0}], first_line=1)
    assert Execution.objects.get().event.details["line"] == 1
