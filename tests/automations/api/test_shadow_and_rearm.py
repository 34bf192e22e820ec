"""Shadow mode, re-arming, limits and problems over REST (AC2, EV12, EV13)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from automations import executions
from automations.models import Automation, Execution
from projects import runs
from projects.models import Project, User
from tests import factories

Api = Callable[[User | None], APIClient]
AUTOMATIONS = "/api/automations/"
GUARD: dict[str, Any] = {
    "name": "Guard",
    "shadow": True,
    "scope": {"kind": "project", "name": "research/digits"},
    "event_type": "RUN_STALL",
    "condition": {"source": "METRIC", "name": "loss", "minutes": 30},
    "action_kind": "NO_OP",
}


def fail_a_run(project: Project) -> Execution:
    runs.finish(factories.make_run(project), exit_code=1, by=None, at=timezone.now())
    execution = Execution.objects.latest("pk")
    executions.run(execution.pk)
    return execution


def test_ac2_it_is_created_filtered_and_made_live(api: Api, alice: User, project: Project) -> None:
    client = api(alice)
    made = client.post(AUTOMATIONS, GUARD)
    assert made.status_code == 201
    assert made.json()["shadow"] is True
    assert made.json()["summary"] == (
        "When a run is running and loss has not moved for 30 min, do nothing but record it"
    )
    factories.make_automation(project, name="live")
    for shadow, name in (("true", "Guard"), ("false", "live")):
        (found,) = client.get(AUTOMATIONS, {"shadow": shadow}).json()["results"]
        assert found["name"] == name

    address = f"{AUTOMATIONS}{made.json()['id']}/"
    assert client.patch(address, {"description": "x"}).json()["shadow"] is True
    assert client.patch(address, {"shadow": False}).json()["shadow"] is False
    assert client.patch(address, {"shadow": "perhaps"}).status_code == 400


def test_ac2_executions_say_that_they_were_rehearsed(api: Api, alice: User, project: Project) -> None:
    automation = factories.make_automation(project, shadow=True)
    shadow = fail_a_run(project)
    Automation.objects.filter(pk=automation.pk).update(shadow=False)
    fail_a_run(project)
    client = api(alice)

    (found,) = client.get("/api/executions/", {"shadow": "true"}).json()["results"]
    assert (found["key"], found["shadow"]) == (str(shadow.key), True)
    assert (found["status"], found["reason_code"]) == ("skipped", "shadow")


def test_ev13_it_is_rearmed_for_one_run_or_all(api: Api, alice: User, project: Project) -> None:
    automation = factories.make_automation(project)
    run = fail_a_run(project).event.run
    fail_a_run(project)
    fail_a_run(project)
    client = api(alice)
    address = f"{AUTOMATIONS}{automation.pk}/"
    assert run is not None

    one = client.post(f"{address}rearm/", {"run": f"research/digits/{run.run_id}"}).json()
    assert (one["runs"], one["rearmed_by"]) == (1, "alice")
    assert client.post(f"{address}rearm/").json()["runs"] == 2
    shown = client.get(address).json()
    assert shown["rearmed_by"] == "alice"
    assert shown["rearmed_at"] is not None


@pytest.mark.parametrize("run", ["", "first", "a/b/c/d", "research/digits/nobody", "other/secret/first", 7])
def test_ev13_a_run_that_is_not_there_is_refused_at_its_field(
    api: Api, alice: User, project: Project, run: object
) -> None:
    factories.make_run(factories.make_project(factories.make_team("other"), "secret"), run_id="first")
    automation = factories.make_automation(project)

    refused = api(alice).post(f"{AUTOMATIONS}{automation.pk}/rearm/", {"run": run}, format="json")
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "run"


def test_what_turned_invalid_has_its_problem_and_can_be_mended(api: Api, alice: User, project: Project) -> None:
    automation = factories.make_automation(project)
    client = api(alice)
    address = f"{AUTOMATIONS}{automation.pk}/"
    assert client.get(address).json()["problem"] == ""
    Automation.objects.update(condition={"states": ["SLEEPING"]})

    assert client.get(address).json()["problem"].startswith("cannot be evaluated: “SLEEPING”")
    assert client.get(AUTOMATIONS).json()["results"][0]["problem"]
    assert client.patch(address, {"condition": {"states": ["FAILED"]}}).json()["problem"] == ""


def test_sc4_an_absence_is_of_one_collection(api: Api, alice: User, project: Project) -> None:
    factories.make_version(project, collection="model")
    absence = GUARD | {"event_type": "ARTIFACT_ABSENCE", "condition": {"hours": 24}}
    client = api(alice)

    refused = client.post(AUTOMATIONS, absence)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "event_type")
    of_one = absence | {"scope": {"kind": "collection", "name": "research/digits/model"}}
    assert client.post(AUTOMATIONS, of_one).status_code == 201
