"""Changes, distances from other runs, system metrics and alerts: from what a run says to executions (EV5, EV7–EV9)."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automations.documents import default_document
from automations.models import Automation, Cooldown, EventType, Execution
from automations.variables import values_of
from automations.windows import Change
from projects import metrics, peers
from projects.events import METRICS_LOGGED, RUN_ALERT, Fact, announce, run_facts, run_scopes
from projects.models import MetricChunk, MetricWindow, Project, Run
from projects.models.history import Stream
from tests import factories

pytestmark = pytest.mark.django_db

FAR = {"name": "loss", "window_size": 30, "threshold": 3.0, "change_dir": "ANY"}
BUSY = {"name": "system.gpu.0.gpu", "agg_op": "AVERAGE", "window_size": 2, "cmp_op": "$lt", "threshold": 5}


def log(run: Run, *values: Any, metric: str = "loss", at: datetime | None = None) -> None:
    rows = [{metric: value} for value in values]
    metrics.append(run, metrics.parse(json.dumps(rows).encode()), at=at or timezone.now())


def log_system(run: Run, rows: list[dict[str, Any]], *, first_line: int) -> None:
    """What the system stream's writer does."""
    with transaction.atomic():
        MetricChunk.objects.create(
            run=run,
            stream=Stream.SYSTEM,
            first_line=first_line,
            line_count=len(rows),
            payload=metrics.compress(json.dumps(rows).encode()),
            created_at=timezone.now(),
        )
        announce(
            Fact(
                kind=METRICS_LOGGED,
                occurred_at=timezone.now(),
                dedupe_key=f"run:{run.pk}:system:{first_line}",
                scopes=run_scopes(run),
                run=run,
                rows=rows,
                first_line=first_line,
                stream=Stream.SYSTEM,
            )
        )


def raise_alert(run: Run, title: str, text: str = "", level: str = "WARN", *, number: int = 0) -> None:
    project = run.project
    details = {"entity": project.team.name, "project": project.name, "title": title, "text": text, "level": level}
    with transaction.atomic():
        announce(
            Fact(
                kind=RUN_ALERT,
                occurred_at=timezone.now(),
                dedupe_key=f"alert:{run.pk}:{title}:{number}",
                scopes=run_scopes(run),
                actor=run.user,
                run=run,
                facts=run_facts(run),
                details=details,
            )
        )


# --- changes --------------------------------------------------------------------------------------------------


def test_ev7_a_loss_that_jumps_starts_one_execution() -> None:
    run = factories.make_run()
    factories.make_automation(run.project, EventType.RUN_METRIC_CHANGE)
    log(run, 1.0, 1.1)
    log(run, 1.5, 1.5, 3.0)

    execution = Execution.objects.get()
    assert execution.matched_because == (
        "loss: +36.3636% reaches +25% (1.5 after 1.1), latest value against the one before"
    )
    values = values_of(execution.event, execution.rule)
    assert values["metric_values"] == "[1.1, 1.5]"
    assert values["metric_filter"] == "loss increases by at least 25% against the value before"
    assert values["metric_filter_short"] == "loss +25%"
    assert Cooldown.objects.get().surplus == 1


def test_rules_of_all_kinds_share_a_point_and_each_is_told_its_own_window() -> None:
    run = factories.make_run()
    factories.make_automation(run.project, EventType.RUN_METRIC, name="threshold")
    factories.make_automation(run.project, EventType.RUN_METRIC_CHANGE, name="change")
    log(run, 0.5, 0.9, 5.0)

    first, second = Execution.objects.order_by("rule__name")
    assert first.event.details["line"] == 1
    assert second.event.details["line"] == 2
    assert values_of(second.event, second.rule)["metric_values"] == "[5.0]"


changes = st.builds(
    Change,
    name=st.just("loss"),
    agg_op=st.sampled_from([None, "AVERAGE", "MIN", "MAX"]),
    current_window_size=st.integers(1, 4),
    prior_window_size=st.integers(1, 4),
    change_type=st.sampled_from(["RELATIVE", "ABSOLUTE"]),
    change_dir=st.sampled_from(["INCREASE", "DECREASE", "ANY"]),
    change_amount=st.sampled_from([0.25, 1, 2]),
)
points = st.one_of(st.integers(-4, 4).map(float), st.just(math.nan), st.just(math.inf))


@given(changes, st.lists(points, min_size=1, max_size=20), st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ev5_the_size_of_batches_does_not_change_what_fires(
    rule: Change, values: list[float], data: st.DataObject
) -> None:
    expected = [i for i in range(len(values)) if rule.judge(values[: i + 1]).holds]
    run = factories.make_run()
    automation = factories.make_automation(
        run.project, EventType.RUN_METRIC_CHANGE, condition=rule.as_condition(), name=run.run_id
    )
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


# --- distance from other runs ---------------------------------------------------------------------------------


def make_others(project: Project, *values: float, metric: str = "loss") -> list[Run]:
    """Runs that logged one value each, the last of them the most recently active."""
    start = timezone.now() - timedelta(hours=1)
    runs = [factories.make_run(project, at=start) for _ in values]
    for number, (run, value) in enumerate(zip(runs, values, strict=True)):
        log(run, value, metric=metric, at=start + timedelta(minutes=number))
    return runs


def watch_distance(project: Project, **parts: Any) -> Automation:
    return factories.make_automation(project, EventType.RUN_METRIC_ZSCORE, condition={**FAR, **parts})


def test_ev8_a_run_far_from_the_others_starts_an_execution(project: Project) -> None:
    make_others(project, 1.0, 2.0, 3.0)
    watch_distance(project)
    run = factories.make_run(project)
    log(run, 2.0, 9.0)

    execution = Execution.objects.get()
    assert execution.event.run == run
    assert execution.event.details["others"] == [3.0, 2.0, 1.0]
    assert execution.matched_because == (
        "loss: z-score 8.57321 is beyond ±3: 9 against mean 2 and deviation 0.816497 of 3 other runs"
    )
    assert values_of(execution.event, execution.rule)["metric_filter_short"] == "z(loss) beyond ±3"


def test_ev8_only_the_most_recently_active_runs_count(project: Project) -> None:
    make_others(project, 900.0, -900.0, 1.0, 2.0, 3.0)
    watch_distance(project, window_size=3)
    log(factories.make_run(project), 9.0)

    assert Execution.objects.count() == 1


def test_ev9_two_other_runs_are_not_enough(project: Project) -> None:
    make_others(project, 1.0, 2.0)
    watch_distance(project)
    run = factories.make_run(project)
    log(run, 99.0)
    log(run, 1.0, metric="accuracy")

    assert not Execution.objects.exists()


def test_ev8_runs_of_other_projects_and_other_metrics_do_not_count(project: Project) -> None:
    make_others(project, 1.0, 2.0)
    make_others(project, 3.0, metric="accuracy")
    make_others(factories.make_project(project.team, "elsewhere"), 3.0)
    run = factories.make_run(project)
    log(run, 7.0)

    assert peers.latest_values(run, "loss", count=30) == [2.0, 1.0]


def test_the_latest_value_is_found_in_nested_summaries_and_in_windows(project: Project) -> None:
    nested, dotted, window, text = (factories.make_run(project) for _ in range(4))
    log(nested, {"loss": 1.0}, metric="val")
    log(dotted, 2.0, metric="val.loss")
    Run.objects.filter(pk=window.pk).update(summary={"val": {"loss": {"min": 0.1}}})
    MetricWindow.objects.create(run=window, metric="val.loss", capacity=1, next_line=1, values=b"\0" * 6 + b"\x08\x40")
    Run.objects.filter(pk=text.pk).update(summary={"val.loss": "lots"})

    assert sorted(peers.latest_values(factories.make_run(project), "val.loss", count=9)) == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("metric", ["7", "99999999999", "accuracy.0"])
def test_a_metric_that_is_called_by_digits_has_values_in_other_runs(project: Project, metric: str) -> None:
    make_others(project, 1.0, 2.0, metric=metric)

    assert peers.latest_values(factories.make_run(project), metric, count=9) == [2.0, 1.0]


def test_other_runs_are_read_once_a_batch(project: Project) -> None:
    """Architecture: no query for each point, and none for batches without the metric."""
    make_others(project, 1.0, 2.0, 3.0)
    watch_distance(project)
    run = factories.make_run(project)
    log(run, 2.0)
    with CaptureQueriesContext(connection) as captured:
        log(run, *[2.0, 2.5] * 50)
    verbs = [query["sql"].split()[0] for query in captured.captured_queries]
    assert verbs.count("SELECT") == 3
    with CaptureQueriesContext(connection) as captured:
        log(run, *[2.0] * 50, metric="accuracy")
    verbs = [query["sql"].split()[0] for query in captured.captured_queries]
    assert verbs.count("SELECT") == 1


# --- system metrics -------------------------------------------------------------------------------------------


def test_ev5_system_metrics_are_judged_on_the_system_stream(project: Project) -> None:
    run = factories.make_run(project)
    factories.make_automation(project, EventType.RUN_METRIC, condition=BUSY)
    log_system(run, [{"system.gpu.0.gpu": 3.0}], first_line=0)
    log(run, 1.0, metric="system.gpu.0.gpu")
    assert not Execution.objects.exists()
    log_system(run, [{"system": {"gpu.0.gpu": 4.0}}], first_line=1)

    execution = Execution.objects.get()
    assert execution.event.details["values"] == [3.0, 4.0]
    assert execution.matched_because == "system.gpu.0.gpu: 3.5 < 5, average of the last 2 values"


def test_other_keys_of_the_system_stream_are_no_history(project: Project) -> None:
    run = factories.make_run(project)
    factories.make_automation(project, EventType.RUN_METRIC)
    log_system(run, [{"loss": 9.0}], first_line=0)

    assert not Execution.objects.exists()


def test_a_system_window_is_filled_from_the_system_stream(project: Project) -> None:
    run = factories.make_run(project)
    log_system(run, [{"system.gpu.0.gpu": 1.0}], first_line=0)
    factories.make_automation(project, EventType.RUN_METRIC, condition=BUSY)
    run.project.refresh_from_db()
    log_system(run, [{"system.gpu.0.gpu": 2.0}], first_line=1)

    assert Execution.objects.get().event.details["values"] == [1.0, 2.0]


# --- alerts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "fires"),
    [
        ({}, True),
        ({"title": "^Low"}, True),
        ({"title": "^accuracy"}, False),
        ({"text": "0\\.4", "levels": ["WARN", "ERROR"]}, True),
        ({"levels": ["ERROR"]}, False),
    ],
)
def test_an_alert_fires_by_title_text_and_level(condition: dict[str, Any], fires: bool) -> None:
    run = factories.make_run(display_name="baseline")
    factories.make_automation(
        run.project, EventType.RUN_ALERT, condition=condition, filter={"display_name": "baseline"}
    )
    raise_alert(run, "Low accuracy", "It is 0.4 only.")

    assert Execution.objects.exists() is fires


def test_ev11_an_alert_fires_once_a_day_for_each_title() -> None:
    run = factories.make_run()
    factories.make_automation(run.project, EventType.RUN_ALERT)
    for number in range(3):
        raise_alert(run, "Low accuracy", number=number)
    raise_alert(run, "Disk is full", level="ERROR")

    assert [execution.event.details["title"] for execution in Execution.objects.order_by("pk")] == [
        "Low accuracy",
        "Disk is full",
    ]
    assert sum(Cooldown.objects.values_list("surplus", flat=True)) == 2


def test_an_alert_is_in_variables_and_in_the_default_document() -> None:
    run = factories.make_run(display_name="baseline")
    factories.make_automation(run.project, EventType.RUN_ALERT)
    raise_alert(run, "Low accuracy", "It is 0.4 only.")
    execution = Execution.objects.get()

    assert execution.matched_because == "the script raised WARN “Low accuracy”"
    values = values_of(execution.event, execution.rule)
    assert (values["alert_title"], values["alert_text"], values["alert_level"]) == (
        "Low accuracy",
        "It is 0.4 only.",
        "WARN",
    )
    assert "run_status" not in values
    document = json.loads(default_document(execution.event, execution.rule, execution=execution))
    assert document["alert"] == {"title": "Low accuracy", "text": "It is 0.4 only.", "level": "WARN"}
    assert document["run"]["name"] == "baseline"
