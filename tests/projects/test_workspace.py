"""The workspace of a project: which runs and metrics it plots, and what its address says."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from projects import metrics
from projects.models import Project, Run, User
from projects.workspace import Section, Settings, Workspace, sections_of
from tests import factories

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


@pytest.fixture
def browse(client: Client, bob: User) -> Callable[..., str]:
    """`browse(address, part)`: what bob sees there, or only a part of it."""
    client.force_login(bob)

    def get(address: str, part: str = "") -> str:
        headers = {"HX-Request": "true", "HX-Target": part} if part else {}
        return client.get(address, headers=headers).content.decode()

    return get


def make_runs(project: Project, count: int) -> list[Run]:
    return [
        factories.make_run(project, run_id=f"r{number}", at=NOW + timedelta(minutes=number)) for number in range(count)
    ]


def drawn(project: Project, **params: str) -> list[str]:
    return [plotted.run.run_id for plotted in Workspace(project, params).runs if plotted.shown]


def test_the_newest_runs_are_drawn_unless_the_address_says_otherwise(project: Project) -> None:
    make_runs(project, 12)
    assert drawn(project) == [f"r{number}" for number in range(11, 1, -1)]
    assert drawn(project, newest="5", hide="r11,r9", show="r0") == ["r10", "r8", "r7", "r0"]


def test_a_run_keeps_its_colour_while_others_come(project: Project) -> None:
    """UI5: what was orange a minute ago is orange now."""
    make_runs(project, 3)
    before = {plotted.run.run_id: plotted.colour for plotted in Workspace(project, {}).runs}
    factories.make_run(project, run_id="new", at=NOW + timedelta(hours=1))
    after = {plotted.run.run_id: plotted.colour for plotted in Workspace(project, {}).runs}
    assert after == before | {"new": 3}


def test_nonsense_in_the_address_is_as_usual() -> None:
    assert Settings.of({"x": "size", "smooth": "-4", "log": "yes", "clip": "on", "newest": "7"}) == Settings()
    assert Settings.of(
        {"x": "time", "smooth": "100", "log": "1", "clip": "1", "newest": "50", "q": "loss"}
    ) == Settings("time", 99, log=True, clip=True, search="loss", newest=50)


def test_metrics_are_grouped_by_how_their_names_begin() -> None:
    assert sections_of(["train/loss", "loss", "val.acc", "system.gpu.0.gpu", "train/lr", "/odd", "system.cpu"]) == [
        Section("Charts", ["/odd", "loss"]),
        Section("train", ["train/loss", "train/lr"]),
        Section("val", ["val.acc"]),
        Section("System", ["system.cpu", "system.gpu.0.gpu"]),
    ]


def test_each_metric_has_a_plot_and_admins_a_bell(
    project: Project, alice: User, client: Client, browse: Callable
) -> None:
    """UI3"""
    factories.make_run(project, summary={"train/loss & more": 1.0, "name": "text"})
    address = project.get_absolute_url()
    assert 'data-metric="train/loss &amp; more"' in browse(address)
    assert 'data-metric="name"' not in browse(address)
    bell = "automations/new?metric=train%2Floss%20%26%20more"
    assert bell not in browse(address)
    client.force_login(alice)
    assert bell in client.get(address).content.decode()


def test_the_list_of_runs_says_how_much_there_is_to_draw(project: Project, browse: Callable) -> None:
    run = factories.make_run(project, run_id="first", at=NOW)
    address = project.get_absolute_url()
    before = browse(address, "plotted-runs")
    assert 'data-lines="0"' in before
    assert "<h1" not in before
    metrics.append(run, metrics.parse(json.dumps([{"loss": 1}] * 3).encode()), at=NOW)
    after = browse(address, "plotted-runs")
    assert 'data-lines="3"' in after
    stamp = after.partition('data-metrics="')[2][:12]
    assert f'data-metrics="{stamp}"' not in before
    assert 'data-metric="loss"' in browse(address, "plots")


def test_a_workspace_takes_as_many_queries_however_many_runs(
    project: Project, client: Client, bob: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(bob)
    factories.make_run(project, summary={"loss": 1.0})
    client.get(project.get_absolute_url())
    with CaptureQueriesContext(connection) as first:
        client.get(project.get_absolute_url())
    for run in make_runs(project, 12):
        Run.objects.filter(pk=run.pk).update(summary={f"metric {run.pk}": 2.0})
    with django_assert_num_queries(len(first)):
        client.get(project.get_absolute_url())
