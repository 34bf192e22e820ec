"""HI7: what a replay finds, holds back, does not know, and how it ends."""

from __future__ import annotations

import json
import math
import tracemalloc
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from automations import backtest
from automations.backtest import Period, Progress, Result, batches, holding, points
from automations.models import Automation, Event, EventType, Execution
from automations.triggers import trigger_for
from projects import metrics, runs
from projects.models import Project, Run, User
from projects.models.history import Stream
from tests import factories

pytestmark = pytest.mark.django_db

NAN = {"name": "loss", "agg_op": None, "window_size": 1, "cmp_op": "$nonfinite", "threshold": None}


@pytest.fixture
def reader(db: object) -> User:
    return factories.make_user("operator", superuser=True)


def log(run: Run, *values: float, at: timedelta = timedelta(0)) -> None:
    rows = [{"loss": value} for value in values]
    metrics.append(run, metrics.parse(json.dumps(rows).encode()), at=timezone.now() + at)


def draft(project: Project, event_type: str = EventType.RUN_METRIC, **fields: Any) -> Automation:
    """An automation that is not saved."""
    fields.setdefault("condition", NAN if event_type == EventType.RUN_METRIC else {})
    return Automation(project=project, event_type=event_type, name="draft", **fields)


def last_days(days: int = 30) -> Period:
    return Period.of_days(days, until=timezone.now() + timedelta(seconds=1))


def test_hi7_an_unsaved_automation_says_for_which_runs_and_why(reader: User) -> None:
    good, bad = factories.make_run(display_name="good"), factories.make_run(display_name="bad")
    log(good, 1.0, 2.0)
    log(bad, 1.0, math.nan, math.inf)
    result = backtest.outcome(draft(good.project), period=last_days(), reader=reader)
    assert result.verdict == "Would have fired 1 time in 30 days: bad; 1 point held back by once a day."
    (firing,) = result.firings
    assert (firing.subject.address, firing.reason) == (bad.get_absolute_url(), "loss: latest value is NaN")
    assert result.looked_at == 5
    assert not Execution.objects.exists()
    assert not Event.objects.filter(kind="METRICS_LOGGED").exists()


def test_hi7_nothing_is_written_and_queries_do_not_grow_with_points(reader: User) -> None:
    run = factories.make_run()
    log(run, 1.0)
    with CaptureQueriesContext(connection) as few:
        backtest.outcome(draft(run.project), period=last_days(), reader=reader)
    log(run, *[1.0] * 1000)
    with CaptureQueriesContext(connection) as many:
        backtest.outcome(draft(run.project), period=last_days(), reader=reader)
    assert len(few) == len(many)
    assert all(query["sql"].startswith(("SELECT", "DECLARE", "CLOSE", "FETCH")) for query in many.captured_queries)


def test_hi7_only_the_period_is_judged_but_windows_reach_back(reader: User) -> None:
    run = factories.make_run(at=timezone.now() - timedelta(days=20))
    log(run, 9.0, 9.0, at=-timedelta(days=20))
    log(run, 9.0, at=-timedelta(days=1))
    average = {"name": "loss", "agg_op": "MIN", "window_size": 3, "cmp_op": "$gt", "threshold": 8.0}
    automation = draft(run.project, condition=average)
    assert len(backtest.outcome(automation, period=last_days(7), reader=reader).firings) == 1
    early = Period(timezone.now() - timedelta(days=30), timezone.now() - timedelta(days=7))
    assert backtest.outcome(automation, period=early, reader=reader).firings == []


def test_hi7_ev11_is_simulated_over_the_days(reader: User) -> None:
    with time_machine.travel(timezone.now() - timedelta(days=3), tick=False) as clock:
        run = factories.make_run()
        for hours in (0, 23, 1, 25):
            clock.shift(timedelta(hours=hours))
            runs.finish(run, exit_code=1, by=None, at=timezone.now())
            runs.start(run, by=None, at=timezone.now())
    failing = draft(run.project, EventType.RUN_STATE, condition={"states": ["FAILED"]})
    result = backtest.outcome(failing, period=last_days(), reader=reader)
    assert (len(result.firings), result.held_back) == (3, 1)


def test_hi7_ev12_limits_what_a_wide_automation_would_have_started(reader: User) -> None:
    project = factories.make_project()
    now = timezone.now()
    for number in range(65):
        run = factories.make_run(project, at=now, run_id=f"run{number}")
        runs.finish(run, exit_code=1, by=None, at=now)
    failing = {"event_type": EventType.RUN_STATE, "condition": {"states": ["FAILED"]}}
    wide = Automation(team=project.team, **failing)
    result = backtest.outcome(wide, period=last_days(), reader=reader)
    assert (len(result.firings), result.skipped) == (60, 5)
    assert result.verdict.endswith("run0, run1, run2 and 57 more; 5 skipped by the rate limit.")
    narrow = backtest.outcome(Automation(project=project, **failing), period=last_days(), reader=reader)
    assert len(narrow.firings) == 65


def test_hi7_versions_are_replayed_from_their_events(reader: User) -> None:
    version = factories.make_version(aliases=["production"])
    collection = version.collection
    assert collection.project is not None
    automation = Automation(collection=collection, event_type=EventType.CREATE_ARTIFACT, condition={})
    result = backtest.outcome(automation, period=last_days(), reader=reader)
    assert [(one.subject.kind, one.subject.name) for one in result.firings] == [("Version", "model:v0")]
    assert result.firings[0].subject.address == version.get_absolute_url()


def test_hi7_what_is_not_recorded_is_said_plainly(reader: User) -> None:
    run = factories.make_run()
    version = factories.make_version(run.project)
    Event.objects.filter(run=run).delete()
    Event.objects.filter(artifact=version.artifact).delete()
    factories.make_event(factories.make_run(run.project))
    states = draft(run.project, EventType.RUN_STATE, condition={"states": ["FAILED"]})
    notes = backtest.outcome(states, period=last_days(), reader=reader).notes
    assert notes[0].startswith("Events are recorded since ")
    assert notes[1] == "1 run has no recorded change of state and could not be replayed."
    created = backtest.outcome(draft(run.project, EventType.CREATE_ARTIFACT), period=last_days(), reader=reader)
    assert created.notes[1] == "1 version has no recorded event and could not be replayed."
    log(run, 1.0)
    filtered = draft(run.project, filter={"config.lr": 1, "state": "running"})
    assert backtest.outcome(filtered, period=last_days(), reader=reader).notes == [
        "What the filter asks of runs (settings) was taken as it is now; what it was then is not stored."
    ]


def test_hi7_an_invalid_condition_is_told_instead_of_failing(reader: User) -> None:
    broken = draft(factories.make_project(), filter={"nothing": 1})
    result = backtest.outcome(broken, period=last_days(), reader=reader)
    assert result.notes[0].startswith("It cannot be evaluated: ")


def test_hi7_it_ends_in_time_and_says_how_far_it_came(reader: User) -> None:
    run = factories.make_run()
    log(run, 1.0)
    log(run, 1.0)
    *_, result = backtest.replay(draft(run.project), period=last_days(), reader=reader, within=0.0)
    assert isinstance(result, Result)
    assert result.notes[0].endswith("choose fewer days. It looked at 1 of 2 rows.")


def test_hi7_whoever_stops_listening_stops_it(reader: User) -> None:
    run = factories.make_run()
    for _ in range(3 * batches.READ_AT_ONCE):
        log(run, 1.0)
    told = backtest.replay(draft(run.project), period=last_days(), reader=reader)
    assert next(told) == Progress(0, 3 * batches.READ_AT_ONCE)
    with CaptureQueriesContext(connection) as asked:
        told.close()
    assert [query for query in asked.captured_queries if query["sql"].startswith("SELECT")] == []


def test_hi7_az1_only_what_the_reader_may_see_is_replayed(alice: User, bob: User) -> None:
    mine = factories.make_run(factories.make_project(factories.make_team(member=bob)), display_name="mine")
    theirs = factories.make_run(factories.make_project(factories.make_team("secret"), "plans"), display_name="theirs")
    for run in (mine, theirs):
        log(run, math.nan)
        runs.finish(run, exit_code=1, by=None, at=timezone.now())
    organization = factories.make_organization(member=bob, admin=alice)
    for event_type, condition in ((EventType.RUN_METRIC, NAN), (EventType.RUN_STATE, {"states": ["FAILED"]})):
        automation = Automation(organization=organization, event_type=event_type, condition=condition)
        for_bob = backtest.outcome(automation, period=last_days(), reader=bob)
        assert [one.subject.name for one in for_bob.firings] == ["mine"]
        assert for_bob.notes[-1] == "Only what you may see was replayed; it covers the whole organization."
        for_alice = backtest.outcome(automation, period=last_days(), reader=alice)
        assert {one.subject.name for one in for_alice.firings} == {"mine", "theirs"}


def test_hi7_batches_of_many_runs_come_in_the_order_of_time_few_at_once() -> None:
    project = factories.make_project()
    started = [factories.make_run(project) for _ in range(3)]
    for minute in range(12):
        log(started[minute % 3], float(minute), at=-timedelta(minutes=60 - minute))
    period = last_days()
    found = batches.runs_that_logged(project, Stream.HISTORY, period)
    assert found == [run.pk for run in started]
    in_time = [metrics.rows_of(chunk)[0]["loss"] for chunk in batches.as_they_came(found, Stream.HISTORY, period)]
    assert in_time == sorted(in_time)
    by_run = [chunk.run_id for chunk in batches.run_by_run(found, Stream.HISTORY, period)]
    assert by_run == sorted(by_run)


def test_hi7_windows_of_one_run_only_are_held() -> None:
    project = factories.make_project()
    started = [factories.make_run(project) for _ in range(3)]
    for run in started:
        log(run, 1.0, 2.0)
    judge = points.Judge(trigger_for(EventType.RUN_METRIC).compile(NAN, {}))
    for chunk in batches.run_by_run([run.pk for run in started], Stream.HISTORY, last_days()):
        judge.judge(chunk)
        assert list(judge._windows) == [chunk.run_id]


def test_hi7_memory_does_not_grow_with_runs_and_points(reader: User) -> None:
    few, many = factories.make_project(name="few"), factories.make_project(name="many")
    for project, count in ((few, 1), (many, 12)):
        for _ in range(count):
            run = factories.make_run(project)
            for _ in range(3):
                log(run, *[1.0] * 2_000)
    backtest.outcome(draft(few), period=last_days(), reader=reader)
    assert peak_of(draft(many), reader) < 1.5 * peak_of(draft(few), reader)


def peak_of(automation: Automation, reader: User) -> int:
    tracemalloc.start()
    try:
        backtest.outcome(automation, period=last_days(), reader=reader)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_hi7_ev12_a_minute_and_an_hour_begin_with_a_firing() -> None:
    begin = timezone.now()
    spread = [begin + timedelta(seconds=second) for second in range(0, 180, 2)]
    assert all(holding.within_limits(spread))
    crowd = [begin] * 61 + [begin + timedelta(minutes=1)]
    assert list(holding.within_limits(crowd)) == [True] * 60 + [False, True]
    hour = [begin + timedelta(minutes=index // 60) for index in range(60 * 20)]
    assert list(holding.within_limits(hour)).count(True) == 1_000
