"""The pages “Why didn't it fire?” (HI6) and “What it would have done” (HI7)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from automations import backtest
from automations.editing import draft_of
from automations.models import Automation, EventType
from automations.views.explanations import sealed
from projects import metrics, runs
from projects.models import Project, Run, User
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(project: Project) -> Run:
    return factories.make_run(project, display_name="baseline")


@pytest.fixture
def automation(project: Project) -> Automation:
    return factories.make_automation(project)


def why(automation: Automation, **asked: int) -> str:
    query = "&".join(f"{name}={pk}" for name, pk in asked.items())
    return f"{reverse('automations:why', args=[automation.pk])}?{query}"


def shown(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_hi6_every_gate_is_listed_and_the_first_no_is_the_answer(
    client: Client, bob: User, automation: Automation, run: Run
) -> None:
    client.force_login(bob)
    runs.finish(run, exit_code=0, by=bob, at=timezone.now())
    page = shown(client, why(automation, run=run.pk))
    assert "<b>The run is finished, not failed (" in page
    assert page.count("Passed") == 6
    assert page.count("Not reached") == 4


def test_hi6_the_other_half_is_chosen_from_a_list(client: Client, bob: User, automation: Automation, run: Run) -> None:
    client.force_login(bob)
    version = factories.make_version(run.project)
    factories.make_automation(run.project, EventType.CREATE_ARTIFACT, name="Of versions")
    assert f"?run={run.pk}" in shown(client, why(automation))
    of_run = shown(client, reverse("automations:why_of_run", args=[run.pk]))
    assert why(automation, run=run.pk) in of_run
    assert "Of versions" not in of_run
    of_version = shown(client, reverse("automations:why_of_version", args=[version.pk]))
    assert "Of versions" in of_version
    assert automation.name not in of_version


def test_a_run_that_no_automation_covers_is_told_just_that(client: Client, bob: User, run: Run) -> None:
    client.force_login(bob)
    of_run = shown(client, reverse("automations:why_of_run", args=[run.pk]))
    assert "No automation covers it." in of_run
    assert "These automations cover it." not in of_run


def test_the_pages_of_automation_run_and_version_lead_there(
    client: Client, bob: User, automation: Automation, run: Run
) -> None:
    client.force_login(bob)
    version = factories.make_version(run.project)
    assert reverse("automations:why", args=[automation.pk]) in shown(client, automation.get_absolute_url())
    assert reverse("automations:why_of_run", args=[run.pk]) in shown(client, run.get_absolute_url())
    assert reverse("automations:why_of_version", args=[version.pk]) in shown(client, version.get_absolute_url())


def test_az1_what_one_may_not_see_is_not_found(
    client: Client, charlie: User, bob: User, automation: Automation, run: Run
) -> None:
    version = factories.make_version(run.project)
    hidden = factories.make_run(factories.make_project(factories.make_team("secret"), "plans"))
    places = [
        why(automation),
        why(automation, run=run.pk),
        reverse("automations:why_of_run", args=[run.pk]),
        reverse("automations:why_of_version", args=[version.pk]),
        reverse("automations:replay", args=[automation.pk]),
    ]
    client.force_login(charlie)
    assert {client.get(place).status_code for place in places} == {404}
    client.force_login(bob)
    assert client.get(why(automation, run=hidden.pk)).status_code == 404
    assert client.get(why(automation) + "run=x").status_code == 404


def test_hi7_a_replay_without_script_is_a_page(client: Client, bob: User, automation: Automation, run: Run) -> None:
    client.force_login(bob)
    runs.finish(run, exit_code=1, by=bob, at=timezone.now())
    page = shown(client, reverse("automations:replay", args=[automation.pk]) + "?days=7")
    assert "Would have fired 1 time in 7 days: baseline." in page
    assert run.get_absolute_url() in page


def test_hi7_a_replay_is_told_line_by_line(client: Client, bob: User, automation: Automation, run: Run) -> None:
    client.force_login(bob)
    address = reverse("automations:replay", args=[automation.pk])
    answer = client.get(address, {"days": "90"}, headers={"Accept": "application/x-ndjson"})
    lines = [json.loads(line) for line in b"".join(answer).decode().splitlines()]
    assert lines[0] == {"done": 0, "total": 1}
    assert "Would not have fired in 90 days: 1 event looked at." in lines[-1]["html"]


def test_hi7_the_form_of_a_new_automation_replays_what_was_typed(
    client: Client, alice: User, bob: User, automation: Automation, run: Run
) -> None:
    runs.finish(run, exit_code=1, by=bob, at=timezone.now())
    draft = sealed(draft_of(automation), automation.scope)
    address = reverse("automations:replay_draft")
    client.force_login(alice)
    answer = client.post(address, {"draft": draft, "days": "30"})
    assert "Would have fired 1 time in 30 days" in answer.content.decode()
    assert client.post(address, {"draft": draft[:-1], "days": "30"}).status_code == 404
    client.force_login(bob)
    assert client.post(address, {"draft": draft, "days": "30"}).status_code == 403


def test_hi7_a_replay_of_a_metric_says_where_on_the_lines_it_would_have_fired(
    client: Client, alice: User, run: Run
) -> None:
    automation = factories.make_automation(run.project, EventType.RUN_METRIC)
    now = timezone.now()
    metrics.append(run, metrics.parse(b'[{"loss": 0.5}, {"loss": 2}, {"loss": 3}]'), at=now)
    client.force_login(alice)
    draft = sealed(draft_of(automation), automation.scope)
    asked = {"draft": draft, "days": "30"}

    answer = client.post(reverse("automations:replay_draft"), asked, headers={"Accept": "application/x-ndjson"})

    told = json.loads(b"".join(answer).decode().splitlines()[-1])
    assert told["marks"] == [{"run": str(run.pk), "step": 1, "at": now.timestamp(), "value": 2}]
    assert told["verdict"].startswith("Would have fired 1 time in 30 days: baseline")


def test_who_waits_for_a_turn_is_told_that_others_are_at_it(
    client: Client, alice: User, automation: Automation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Any:
        raise backtest.ReplaysAreRunning

    monkeypatch.setattr(backtest, "in_turn", refuse)
    client.force_login(alice)
    answer = client.get(reverse("automations:replay", args=[automation.pk]), headers={"Accept": "application/x-ndjson"})

    told = json.loads(b"".join(answer).decode().splitlines()[-1])
    assert told["busy"] is True
    assert "Try again in a few seconds." in told["html"]


def test_lists_to_choose_from_cost_the_same_queries_however_long(
    client: Client, bob: User, automation: Automation, run: Run
) -> None:
    client.force_login(bob)
    places = [why(automation), reverse("automations:why_of_run", args=[run.pk])]
    few = [queries_of(client, place) for place in places]
    for number in range(5):
        factories.make_run(run.project, run_id=f"more{number}")
        factories.make_automation(run.project, name=f"More {number}")
    assert [queries_of(client, place) for place in places] == few


def test_a_list_to_choose_from_says_when_it_is_not_all(
    client: Client, bob: User, automation: Automation, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(bob)
    assert "Another one is asked about" not in shown(client, why(automation))
    for module in ("automations.tracing", "automations.tracing.explaining"):
        monkeypatch.setattr(f"{module}.OFFERED", 1)
    assert "The newest 1. Another one is asked about" in shown(client, why(automation))


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        shown(client, address)
    return len(asked)
