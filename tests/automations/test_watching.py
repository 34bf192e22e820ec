"""EV5 and EV6, from logged rows to executions."""

from __future__ import annotations

import json
import math
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automations import editing, watching
from automations.models import Automation, Cooldown, Event, EventType, Execution
from automations.windows import Threshold
from projects import metrics
from projects.models import MetricWindow, Project, Run
from tests import factories

pytestmark = pytest.mark.django_db

LOSS_IS_NAN = {"name": "loss", "agg_op": None, "window_size": 1, "cmp_op": "$nonfinite", "threshold": None}
LOSS_AVERAGE = {"name": "loss", "agg_op": "AVERAGE", "window_size": 3, "cmp_op": "$gt", "threshold": 0.9}


def watch(project: Project, condition: dict[str, Any] = LOSS_IS_NAN, **fields: Any) -> Automation:
    return factories.make_automation(project, EventType.RUN_METRIC, condition=condition, **fields)


def log(run: Run, *values: float, metric: str = "loss") -> None:
    rows = [{metric: value} for value in values]
    metrics.append(run, metrics.parse(json.dumps(rows).encode()), at=timezone.now())


def test_ev6_a_loss_that_becomes_nan_starts_one_execution() -> None:
    run = factories.make_run()
    watch(run.project)
    log(run, 1.0, 2.0, math.nan, math.nan, 3.0)
    log(run, math.nan)
    execution = Execution.objects.get()
    assert execution.matched_because == "loss: latest value is NaN"
    assert execution.event.details["line"] == 2
    assert execution.event.details["value"] == "NaN"
    assert Cooldown.objects.get().surplus == 2


def test_ev6_a_window_is_not_judged_before_it_is_full() -> None:
    run = factories.make_run()
    watch(run.project, LOSS_AVERAGE)
    log(run, 5.0, 5.0)
    assert not Execution.objects.exists()
    log(run, 5.0)
    assert Execution.objects.get().event.details["values"] == [5.0, 5.0, 5.0]


def test_ev5_rows_without_the_metric_do_not_count() -> None:
    run = factories.make_run()
    watch(run.project, LOSS_AVERAGE)
    log(run, 5.0, 5.0)
    log(run, 9.0, 9.0, metric="accuracy")
    assert not Execution.objects.exists()


def test_ev5_each_run_has_windows_of_its_own() -> None:
    first, second = factories.make_run(), factories.make_run()
    watch(first.project, LOSS_AVERAGE)
    log(first, 5.0, 5.0)
    log(second, 5.0)
    assert not Execution.objects.exists()


def test_an_automation_made_in_mid_run_sees_the_values_logged_before() -> None:
    run = factories.make_run()
    log(run, 5.0, 5.0)
    watch(run.project, LOSS_AVERAGE)
    log(run, 5.0)
    assert Execution.objects.count() == 1


def test_ev4_runs_the_filter_excludes_are_not_judged() -> None:
    run = factories.make_run(display_name="dev-1")
    automation = watch(run.project, filter={"display_name": {"$regex": "^prod-"}})
    log(run, math.nan)
    assert not Execution.objects.exists()
    prod = factories.make_run(display_name="prod-1")
    log(prod, math.nan)
    execution = Execution.objects.get()
    assert execution.automation == automation
    assert "prod" in execution.matched_because


def test_ev11_a_metric_fires_again_after_a_day() -> None:
    run = factories.make_run()
    watch(run.project)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        log(run, math.nan)
        clock.shift(timedelta(hours=23))
        log(run, math.nan)
        assert Execution.objects.count() == 1
        clock.shift(timedelta(hours=1))
        log(run, math.nan)
    assert Execution.objects.count() == 2


def test_ev13_disabled_automations_see_nothing_and_enabling_re_arms_nothing() -> None:
    run = factories.make_run()
    alice = factories.make_user("alice")
    factories.make_team(admin=alice)
    automation = watch(run.project)
    log(run, math.nan)
    editing.set_enabled(automation, False, by=alice)
    log(run, math.nan)
    editing.set_enabled(automation, True, by=alice)
    run.refresh_from_db()
    log(run, math.nan)
    assert Execution.objects.count() == 1
    assert Cooldown.objects.get().surplus == 1


def test_sc3_a_team_automation_covers_projects_made_later() -> None:
    team = factories.make_team()
    watch_team = factories.make_automation(team, EventType.RUN_METRIC, condition=LOSS_IS_NAN)
    run = factories.make_run(factories.make_project(team, "made-later"))
    log(run, math.nan)
    assert Execution.objects.get().automation == watch_team


def test_a_changed_threshold_is_seen_by_the_next_batch() -> None:
    run = factories.make_run()
    alice = factories.make_user("alice")
    factories.make_team(admin=alice)
    automation = watch(run.project, {**LOSS_AVERAGE, "agg_op": None, "window_size": 1, "threshold": 100.0})
    log(run, 50.0)
    draft = editing.draft_of(automation)
    draft.condition = {**draft.condition, "threshold": 10.0}
    editing.update(automation, draft, by=alice)
    log(run, 50.0)
    assert Execution.objects.count() == 1


def test_an_automation_that_became_one_on_another_event_does_not_fail_the_logging() -> None:
    """A process may have compiled the rule a moment before it was edited."""
    run = factories.make_run()
    automation = watch(run.project)
    run.project.refresh_from_db()
    watching.watches_of(run.project_id, run.project.rules_version)
    Automation.objects.filter(pk=automation.pk).update(event_type=EventType.RUN_STATE, condition={"states": ["FAILED"]})
    log(run, math.nan)
    assert not Execution.objects.exists()


def test_sc3_a_team_that_moves_leaves_its_old_organizations_rules_and_gets_the_new_ones() -> None:
    team = factories.make_team()
    run = factories.make_run(factories.make_project(team))
    new_home = factories.make_organization("globex")
    factories.make_automation(team.organization, EventType.RUN_METRIC, condition=LOSS_IS_NAN, name="old")
    factories.make_automation(new_home, EventType.RUN_METRIC, condition=LOSS_IS_NAN, name="new")
    log(run, 1.0)
    team.organization = new_home
    team.save()
    log(run, math.nan)
    assert [execution.rule["name"] for execution in Execution.objects.all()] == ["new"]


def test_two_automations_on_one_point_share_the_event() -> None:
    run = factories.make_run()
    watch(run.project, name="first")
    watch(run.project, name="second")
    log(run, 1.0, math.nan)
    assert Event.objects.filter(kind="METRICS_LOGGED").count() == 1
    assert Execution.objects.count() == 2


def test_unwatched_batches_cost_nothing_more() -> None:
    """Architecture §5: one insert and one update, whatever the number of automations."""
    run = factories.make_run()
    for number in range(10):
        watch(run.project, {**LOSS_IS_NAN, "name": f"other-{number}"}, name=f"watch {number}")
    log(run, 1.0)
    with CaptureQueriesContext(connection) as captured:
        log(run, 1.0)
    verbs = [query["sql"].split()[0] for query in captured.captured_queries]
    assert verbs.count("INSERT") == 1
    assert verbs.count("UPDATE") == 1
    assert verbs.count("SELECT") == 1


def test_watched_batches_cost_one_more_read_and_write() -> None:
    run = factories.make_run()
    for number in range(10):
        watch(run.project, {**LOSS_AVERAGE, "name": f"metric-{number}"}, name=f"watch {number}")
    rows = [{f"metric-{number}": 0.1 for number in range(10)}] * 20
    batch = metrics.parse(json.dumps(rows).encode())
    metrics.append(run, batch, at=timezone.now())
    with CaptureQueriesContext(connection) as captured:
        metrics.append(run, batch, at=timezone.now())
    verbs = [query["sql"].split()[0] for query in captured.captured_queries]
    assert verbs.count("INSERT") == 2
    assert verbs.count("UPDATE") == 1
    assert verbs.count("SELECT") == 2
    assert MetricWindow.objects.count() == 10


thresholds = st.builds(
    Threshold,
    name=st.just("loss"),
    agg_op=st.sampled_from([None, "AVERAGE", "MIN", "MAX"]),
    window_size=st.integers(1, 6),
    cmp_op=st.sampled_from(["$gt", "$gte", "$lt", "$lte", "$eq", "$ne"]),
    threshold=st.integers(-3, 3),
)
points = st.one_of(st.integers(-4, 4).map(float), st.just(math.nan), st.just(math.inf))


@given(thresholds, st.lists(points, min_size=1, max_size=25), st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ev5_the_size_of_batches_does_not_change_what_fires(
    threshold: Threshold, values: list[float], data: st.DataObject
) -> None:
    """However the values are cut into uploads, the first point that holds fires, and the others are surplus."""
    expected = [i for i in range(len(values)) if threshold.judge(values[: i + 1]).holds]
    run = factories.make_run()
    automation = watch(run.project, threshold.as_condition(), name=f"automation {run.run_id}")
    rest = list(values)
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        log(run, *rest[:size])
        rest = rest[size:]
    fired = list(Execution.objects.filter(automation=automation))
    assert [execution.event.details["line"] for execution in fired] == expected[:1]
    surplus = sum(Cooldown.objects.filter(automation=automation).values_list("surplus", flat=True))
    assert surplus == max(len(expected) - 1, 0)
    automation.delete()
