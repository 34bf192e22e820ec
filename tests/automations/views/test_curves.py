"""The plot in an automation's form (UI2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from django.utils import timezone

from automations.views import curves
from projects import metrics
from projects.models import Run
from projects.models.history import Stream
from tests import factories

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from projects.models import Project, User


def train(project: Project, name: str, *losses: float) -> Run:
    run = factories.make_run(project, display_name=name)
    rows = orjson.dumps([{"loss": loss, "system.cpu": 40} for loss in losses])
    metrics.append(run, metrics.parse(rows), at=timezone.now())
    return run


def drawn(client: Client, address: str, **asked: Any) -> Any:
    response = client.get(address, asked)
    assert response.status_code == 200
    return response.json()


def test_a_metric_is_drawn_over_the_latest_runs_that_logged_it(
    browser: Callable[[User], Client], alice: User, project: Project, tab: str
) -> None:
    older, newer = train(project, "older", 0.5, 0.25), train(project, "newer", 1.0)
    factories.make_run(project, display_name="without")

    found = drawn(browser(alice), f"{tab}/curves", metric="loss")

    assert [(run["run"], run["name"], run["colour"]) for run in found["runs"]] == [
        (str(newer.pk), "newer", 0),
        (str(older.pk), "older", 1),
    ]
    assert found["curves"][1] == {"run": str(older.pk), "count": 2, "not_finite": 0, "x": [0, 1], "y": [0.5, 0.25]}
    assert found["behind"] is False


def test_a_run_that_would_have_fired_is_drawn_however_old_it_is(
    browser: Callable[[User], Client], alice: User, project: Project, tab: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curves, "LATEST", 1)
    older, newer = train(project, "older", 0.5), train(project, "newer", 1.0)
    client = browser(alice)

    assert [run["name"] for run in drawn(client, f"{tab}/curves", metric="loss")["runs"]] == ["newer"]
    asked = drawn(client, f"{tab}/curves", metric="loss", run=[older.pk, newer.pk, "x", "9" * 30])
    assert {run["name"] for run in asked["runs"]} == {"newer", "older"}


def test_a_team_and_an_organization_draw_the_runs_of_all_their_projects(
    browser: Callable[[User], Client], alice: User, project: Project
) -> None:
    train(project, "here", 1.0)
    train(factories.make_project(project.team, "letters"), "there", 1.0)
    client = browser(alice)
    organization = project.team.organization
    assert organization is not None

    for address in (f"/teams/{project.team.name}/automations/curves", f"/orgs/{organization.name}/automations/curves"):
        assert [run["name"] for run in drawn(client, address, metric="loss")["runs"]] == ["there", "here"]


def test_az1_runs_of_others_are_not_drawn_even_if_one_names_them(
    browser: Callable[[User], Client], charlie: User, project: Project, tab: str
) -> None:
    run = train(project, "secret", 1.0)
    own = factories.make_project(factories.make_team("charlies", admin=charlie), "own")
    organization = project.team.organization
    assert organization is not None
    client = browser(charlie)

    assert client.get(f"{tab}/curves", {"metric": "loss"}).status_code == 404
    for address in ("/charlies/own/automations/curves", f"/orgs/{organization.name}/automations/curves"):
        assert drawn(client, address, metric="loss", run=[run.pk])["runs"] == []
    assert own.runs.count() == 0


@pytest.mark.parametrize("metric", ["", "nothing", "x" * 2000, "system."])
def test_a_metric_that_nobody_logged_has_no_lines(
    browser: Callable[[User], Client], alice: User, project: Project, tab: str, metric: str
) -> None:
    train(project, "older", 0.5)

    assert drawn(browser(alice), f"{tab}/curves", metric=metric)["curves"] == []


def test_what_the_machine_reports_is_drawn_over_time(
    browser: Callable[[User], Client], alice: User, project: Project, tab: str
) -> None:
    run = factories.make_run(project)
    rows = metrics.parse(b'[{"system.cpu": 40, "_timestamp": 1700000000}]')
    metrics.keep(run, rows, stream=Stream.SYSTEM, first_line=0, at=timezone.now())
    Run.objects.filter(pk=run.pk).update(system_lines=1)

    found = drawn(browser(alice), f"{tab}/curves", metric="system.cpu")

    assert [(curve["x"], curve["y"]) for curve in found["curves"]] == [([1700000000], [40])]
