"""What automations have to say on plots: thresholds, who watches, where they fired."""

import json
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from projects import metrics
from projects.models import Project, Run, User
from tests import factories


def log(run: Run, *losses: float) -> None:
    rows = [{"loss": loss, "_step": 10 * number} for number, loss in enumerate(losses)]
    metrics.append(run, metrics.parse(json.dumps(rows).encode()), at=timezone.now())


def marks(project: Project, user: User) -> dict[str, Any]:
    client = Client()
    client.force_login(user)
    found: dict[str, Any] = client.get(f"{project.get_absolute_url()}automations/marks").json()
    return found


def test_a_threshold_is_marked_on_its_metric(project: Project, bob: User) -> None:
    """UI5"""
    guard = factories.make_automation(project, "RUN_METRIC", name="Loss guard")
    found = marks(project, bob)["loss"]
    assert found["thresholds"] == [{"value": 1.0, "text": "> 1"}]
    [watching] = found["watching"]
    assert (watching["name"], watching["url"]) == ("Loss guard", guard.get_absolute_url())
    assert watching["text"].startswith("When loss is above 1")


def test_what_has_no_threshold_is_named_only(project: Project, bob: User) -> None:
    for event in ("RUN_METRIC_CHANGE", "RUN_METRIC_ZSCORE", "RUN_STALL"):
        factories.make_automation(project.team, event, name=event)
    nonfinite = {"name": "loss", "agg_op": None, "window_size": 1, "cmp_op": "$nonfinite", "threshold": None}
    factories.make_automation(project, "RUN_METRIC", name="NaN", condition=nonfinite)
    factories.make_automation(project, "RUN_METRIC", name="off", enabled=False)
    found = marks(project, bob)["loss"]
    names = {watching["name"] for watching in found["watching"]}
    assert names == {"RUN_METRIC_CHANGE", "RUN_METRIC_ZSCORE", "RUN_STALL", "NaN"}
    # A z-score has a threshold too, but not one that could be drawn among values.
    assert found["thresholds"] == []


def test_a_firing_is_marked_where_it_was(project: Project, bob: User) -> None:
    factories.make_automation(project, "RUN_METRIC", name="Loss guard")
    run = factories.make_run(project, run_id="first")
    log(run, 0.5, 3.0, 4.0)
    [firing] = marks(project, bob)["loss"]["firings"]
    assert (firing["run"], firing["step"], firing["value"], firing["name"]) == ("first", 10, 3.0, "Loss guard")
    assert firing["url"].startswith("/executions/")


def test_what_one_may_not_see_marks_nothing(project: Project, bob: User) -> None:
    """AZ1: automations of other projects, and other people's projects."""
    factories.make_automation(factories.make_project(project.team, "other"), "RUN_METRIC")
    assert marks(project, bob) == {}


def test_invalid_automations_do_no_harm(project: Project, bob: User) -> None:
    for number, condition in enumerate(({}, [], {"name": 3}, {"name": "loss", "cmp_op": [], "threshold": "x"})):
        factories.make_automation(project, "RUN_METRIC", name=str(number), condition=condition)
    assert [watching["name"] for watching in marks(project, bob)["loss"]["watching"]] == ["3"]


def test_marks_take_as_many_queries_however_many_automations(project: Project, bob: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            marks(project, bob)
        return len(captured)

    factories.make_automation(project, "RUN_METRIC", name="first")
    log(factories.make_run(project), 2.0)
    before = queries()
    for number in range(4):
        factories.make_automation(project, "RUN_METRIC", name=f"more {number}")
    log(factories.make_run(project), 2.0)
    assert queries() == before
