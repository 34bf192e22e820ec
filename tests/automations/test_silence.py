"""Stall and absence: what does not happen is found by the clock, once for each silence, also over restarts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from automations import editing, rearming, silence, tasks, watching
from automations.models import Automation, Cooldown, Event, EventType, Execution
from projects import metrics, reports, runs
from projects.models import MetricWindow, Project, Run, User
from projects.reports import Lines, Report
from registries.models import Collection, Registry
from tests import factories

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
STEP = {"source": "STEP", "minutes": 30}
HEARTBEAT = {"source": "HEARTBEAT", "minutes": 2}


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Coordinates]:
    """It is noon; time passes by `wait` alone."""
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def wait(clock: time_machine.Coordinates, **length: float) -> int:
    """Time passes, then the scheduler looks: how many silences does it find?"""
    clock.shift(timedelta(**length))
    return tasks.detect_silence()


def log(run: Run, **row: Any) -> None:
    metrics.append(run, metrics.parse(json.dumps([row]).encode()), at=timezone.now())


def watch(scope: Any, condition: dict[str, Any] | None = None, **fields: Any) -> Automation:
    return factories.make_automation(scope, EventType.RUN_STALL, condition=condition, **fields)


def test_a_metric_that_is_no_longer_logged_stalls_once(clock: time_machine.Coordinates) -> None:
    run = factories.make_run()
    watch(run.project)
    log(run, loss=0.5)

    assert [wait(clock, minutes=minutes) for minutes in (29, 1, 1, 600)] == [0, 1, 0, 0]
    execution = Execution.objects.get()
    assert execution.matched_because == "loss has not moved for 30 min"
    assert execution.event.details["silent_since"] == NOON.isoformat()


def test_a_metric_that_keeps_its_value_does_not_move(clock: time_machine.Coordinates) -> None:
    run = factories.make_run()
    watch(run.project)
    for _ in range(3):
        log(run, loss=0.5, other=timezone.now().timestamp())
        log(run, loss=float("nan"))
        log(run, loss=float("nan"))
        log(run, loss=0.5)
        wait(clock, minutes=20)
    assert not Execution.objects.exists()
    for _ in range(2):
        log(run, loss=0.5)
        wait(clock, minutes=10)
    assert Execution.objects.count() == 1


def test_a_metric_that_moves_within_the_time_does_not_stall(clock: time_machine.Coordinates) -> None:
    run = factories.make_run()
    watch(run.project)
    for step in range(10):
        log(run, loss=step)
        assert wait(clock, minutes=29) == 0


def test_a_run_that_never_logged_the_metric_is_not_waited_for(clock: time_machine.Coordinates) -> None:
    run = factories.make_run()
    watch(run.project)
    log(run, accuracy=0.5)

    assert wait(clock, minutes=500) == 0
    log(run, loss=0.5)
    assert [wait(clock, minutes=29), wait(clock, minutes=1)] == [0, 1]


def test_a_metric_that_stopped_before_it_was_watched_stalls_when_it_was_watched_long_enough(
    clock: time_machine.Coordinates,
) -> None:
    run = factories.make_run()
    log(run, **{"train.loss": 0.5})
    clock.shift(timedelta(hours=2))
    watch(run.project, {"source": "METRIC", "name": "train.loss", "minutes": 30})

    assert [wait(clock, seconds=1), wait(clock, minutes=29), wait(clock, minutes=1)] == [0, 0, 1]
    assert Execution.objects.get().matched_because == "train.loss has not moved for 30 min"


def test_a_window_from_before_anybody_asked_when_it_moved_counts_from_now_on(clock: time_machine.Coordinates) -> None:
    run = factories.make_run()
    factories.make_automation(run.project, EventType.RUN_METRIC, name="threshold")
    log(run, loss=0.5)
    MetricWindow.objects.update(moved_at=None)
    watch(run.project)

    assert [wait(clock, minutes=1), wait(clock, minutes=29), wait(clock, minutes=2)] == [0, 0, 1]


def test_ev13_enabling_it_again_neither_rearms_it_nor_counts_what_nobody_watched(
    clock: time_machine.Coordinates, project: Project, alice: User
) -> None:
    automation = watch(project)
    run = factories.make_run(project)
    log(run, loss=0.5)
    editing.set_enabled(automation, False, by=alice)
    assert wait(clock, hours=2) == 0
    editing.set_enabled(automation, True, by=alice)

    assert [wait(clock, minutes=1), wait(clock, minutes=29)] == [0, 1]
    assert Execution.objects.get().matched_because == "loss has not moved for 30 min"
    editing.change(automation, by=alice, name="another name")
    assert wait(clock, hours=48) == 0


def test_the_next_silence_of_the_same_run_within_a_day_is_counted_not_fired(clock: time_machine.Coordinates) -> None:
    """EV11"""
    run = factories.make_run()
    watch(run.project)
    log(run, loss=1)
    wait(clock, minutes=30)
    log(run, loss=2)
    wait(clock, minutes=30)
    wait(clock, minutes=1)
    assert (Execution.objects.count(), Cooldown.objects.get().surplus) == (1, 1)
    clock.shift(timedelta(hours=24))
    log(run, loss=3)
    assert wait(clock, minutes=30) == 1
    assert Execution.objects.count() == 2


def test_ev13_who_rearms_it_hears_of_the_same_silence_again(
    clock: time_machine.Coordinates, project: Project, alice: User
) -> None:
    automation, run = watch(project), factories.make_run(project)
    log(run, loss=1)
    wait(clock, minutes=30)

    assert rearming.rearm(automation, by=alice, at=timezone.now()) == 1
    assert [wait(clock, minutes=1), wait(clock, minutes=1)] == [1, 0]
    assert Execution.objects.count() == 2


def test_a_scheduler_that_was_away_finds_it_when_it_is_back(clock: time_machine.Coordinates) -> None:
    stuck, moving = factories.make_run(), factories.make_run()
    watch(stuck.project)
    log(stuck, loss=1)
    log(moving, loss=1)
    assert wait(clock, minutes=10) == 0
    watching.watches_of.cache_clear()  # a new process, which remembers nothing
    clock.shift(timedelta(hours=2))
    log(moving, loss=2)

    assert [wait(clock, minutes=20), wait(clock, minutes=1)] == [1, 0]
    assert Execution.objects.get().event.run == stuck
    assert Execution.objects.get().matched_because == "loss has not moved for 150 min"


def test_ev5_a_system_metric_stalls_on_its_own_stream(clock: time_machine.Coordinates) -> None:
    run = factories.make_run()

    def report(line: int, busy: float) -> None:
        batch = metrics.parse_lines([json.dumps({"system.gpu.0.gpu": busy})])
        reports.take(run, Report(system=Lines(first=line, batch=batch)), at=timezone.now())

    report(0, 97.0)  # before anybody watches
    watch(run.project, {"source": "METRIC", "name": "system.gpu.0.gpu", "minutes": 30})
    assert wait(clock, minutes=1) == 0
    report(1, 0.0)
    assert wait(clock, minutes=29) == 0
    report(2, 0.0)
    assert [wait(clock, minutes=0.5), wait(clock, minutes=0.5)] == [0, 1]


def test_the_step_stands_still_when_no_line_is_logged(clock: time_machine.Coordinates) -> None:
    run = factories.make_run()
    clock.shift(timedelta(minutes=20))
    log(run, accuracy=1)
    watch(run.project, STEP)

    assert [wait(clock, minutes=29), wait(clock, minutes=1)] == [0, 1]
    assert Execution.objects.get().matched_because == "the step has not moved for 30 min"


def test_a_run_that_logs_nothing_at_all_stands_still_since_it_began(clock: time_machine.Coordinates) -> None:
    factories.make_run()
    watch(factories.make_project(), STEP)

    assert [wait(clock, minutes=29), wait(clock, minutes=1)] == [0, 1]


def test_a_heartbeat_stands_still_before_the_run_counts_as_crashed(clock: time_machine.Coordinates) -> None:
    run = factories.make_run()
    watch(run.project, HEARTBEAT)
    clock.shift(timedelta(minutes=1))
    runs.heartbeat(run, at=timezone.now())

    assert [wait(clock, minutes=1.9), wait(clock, minutes=0.1)] == [0, 1]
    assert Execution.objects.get().matched_because == "the heartbeat has not moved for 2 min"


def test_a_run_that_goes_on_after_a_rest_is_waited_for_anew(clock: time_machine.Coordinates) -> None:
    run = factories.make_run()
    log(run, loss=1)
    watch(run.project, STEP)
    runs.finish(run, exit_code=0, by=None, at=timezone.now())
    assert wait(clock, hours=5) == 0
    runs.start_again(run, by=factories.make_user(), at=timezone.now())

    assert [wait(clock, minutes=29), wait(clock, minutes=1)] == [0, 1]


@pytest.mark.parametrize("state", ["finished", "preempted", "pending"])
def test_only_what_should_be_moving_stalls(clock: time_machine.Coordinates, state: str) -> None:
    run = factories.make_run(state="pending") if state == "pending" else factories.make_run()
    watch(run.project, STEP)
    if state == "finished":
        runs.finish(run, exit_code=0, by=None, at=timezone.now())
    if state == "preempted":
        Run.objects.update(preempting=True)

    assert wait(clock, hours=1) == 0


def test_ev4_a_run_filter_says_which_runs(clock: time_machine.Coordinates) -> None:
    factories.make_run(display_name="baseline")
    prod = factories.make_run(display_name="prod-1")
    watch(prod.project, STEP, filter={"display_name": {"$regex": "^prod-"}})

    assert wait(clock, minutes=30) == 1
    assert Execution.objects.get().event.run == prod


@pytest.mark.parametrize("kind", ["project", "team", "organization"])
def test_sc3_a_wide_scope_covers_the_runs_in_it_and_no_others(clock: time_machine.Coordinates, kind: str) -> None:
    run = factories.make_run()
    elsewhere = factories.make_team("elsewhere", factories.make_organization("other"))
    factories.make_run(factories.make_project(elsewhere))
    scopes = {"project": run.project, "team": run.project.team, "organization": run.project.team.organization}
    watch(scopes[kind], STEP)

    assert wait(clock, minutes=30) == 1
    assert Event.objects.get(kind="RUN_STALL").run == run


def test_a_hundred_stalled_runs_are_found_with_as_many_queries_as_two(clock: time_machine.Coordinates) -> None:
    project = factories.make_project()
    watch(project)
    # None of them is let through, so that what firing costs is not counted.
    Automation.objects.update(filter={"display_name": "nobody"})

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert wait(clock, hours=1) == 0
        return len(captured)

    for _ in range(2):
        log(factories.make_run(project), loss=1)
    few = cost()
    for _ in range(48):
        log(factories.make_run(project), loss=1)
    assert cost() == few


def test_a_stall_that_turned_invalid_does_not_keep_the_others_from_firing(clock: time_machine.Coordinates) -> None:
    run = factories.make_run()
    watch(run.project, {"source": "NOTHING"}, name="broken")
    watch(run.project, STEP)

    assert wait(clock, minutes=30) == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_schedulers_at_once_one_fires(clock: time_machine.Coordinates) -> None:
    run = factories.make_run()
    watch(run.project, STEP)
    factories.make_automation(factories.make_version().collection, EventType.ARTIFACT_ABSENCE)
    at = NOON + timedelta(days=2)

    def look(_: int) -> int:
        try:
            return silence.detect(at=at)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(look, range(8))) == 2
    assert Execution.objects.count() == 2


def absent(collection: Collection, **fields: Any) -> Automation:
    return factories.make_automation(collection, EventType.ARTIFACT_ABSENCE, **fields)


def test_an_absence_fires_once_for_each_silence_and_rearms_with_the_next_version(
    clock: time_machine.Coordinates, project: Project
) -> None:
    absent(factories.make_version(project).collection)

    assert [wait(clock, hours=hours) for hours in (23, 1, 1, 24, 24)] == [0, 1, 0, 0, 0]
    assert Execution.objects.get().matched_because == "the last new version, v0, came 24 h ago"
    factories.make_version(project, metadata={"n": 2})
    assert [wait(clock, hours=23), wait(clock, hours=2)] == [0, 1]
    assert Execution.objects.first().event.details["last_version"] == "v1"  # type: ignore[union-attr]


def test_an_absence_in_a_registry_waits_for_links(clock: time_machine.Coordinates, registry: Registry) -> None:
    collection = factories.make_collection(registry)
    absent(collection)

    assert wait(clock, hours=25) == 1
    assert Execution.objects.get().matched_because == "there has been no version for 25 h"
    assert Execution.objects.get().registry == registry
    factories.make_link(factories.make_version(), collection)
    assert [wait(clock, hours=23), wait(clock, hours=1)] == [0, 1]


def test_ev13_editing_an_absence_does_not_rearm_it_and_the_button_does(
    clock: time_machine.Coordinates, project: Project, alice: User
) -> None:
    automation = absent(factories.make_version(project).collection)
    wait(clock, hours=24)
    editing.change(automation, by=alice, condition={"hours": 12})
    assert wait(clock, hours=1) == 0

    rearming.rearm(automation, by=alice, at=timezone.now())
    assert [wait(clock, minutes=1), wait(clock, hours=1)] == [1, 0]
