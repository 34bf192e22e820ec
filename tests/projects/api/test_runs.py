"""The life of a run over REST."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from automations.models import Event
from projects import runs
from projects.models import Project, Run, Team, User
from tests import factories

Api = Callable[[User | None], APIClient]
RUNS = "/api/projects/research/digits/runs/"


def test_a_script_starts_a_run_and_finishes_it(api: Api, bob: User, project: Project) -> None:
    """EV3"""
    client = api(bob)

    started = client.post(
        RUNS, {"run_id": "first", "display_name": "prod-1", "config": {"lr": 0.1}, "tags": ["baseline"]}
    )
    assert started.status_code == 201
    assert started.json()["state"] == "running"
    assert started.json()["user"] == "bob"

    ended = client.post(f"{RUNS}first/finish/", {"exit_code": 0})
    assert (ended.status_code, ended.json()["state"], ended.json()["exit_code"]) == (200, "finished", 0)
    assert client.get(f"{RUNS}first/").json() == ended.json()
    assert client.post(f"{RUNS}first/finish/", {"exit_code": 0}).status_code == 200


def test_another_exit_code_is_a_failure(api: Api, bob: User, project: Project) -> None:
    client = api(bob)
    client.post(RUNS, {"run_id": "first"})

    assert client.post(f"{RUNS}first/finish/", {"exit_code": 137}).json()["state"] == "failed"
    refused = client.post(f"{RUNS}first/kill/")
    assert refused.status_code == 409
    assert refused.json()["detail"] == "Run first is failed; it cannot become killed from there."


def test_a_run_without_anything_gets_an_id_and_a_name(api: Api, bob: User, project: Project) -> None:
    run = api(bob).post(RUNS).json()

    assert len(run["run_id"]) == 8
    assert run["display_name"] == run["run_id"]


def test_the_project_is_made_on_demand(api: Api, bob: User, team: Team) -> None:
    assert api(bob).post("/api/projects/research/fresh/runs/", {"run_id": "first"}).status_code == 201
    assert Project.objects.get().name == "fresh"


def test_a_refused_run_leaves_no_project_behind(api: Api, bob: User, team: Team) -> None:
    answer = api(bob).post("/api/projects/research/fresh/runs/", {"config": {"a": "nul\x00"}})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "config")
    assert not Project.objects.exists()


def test_nobody_makes_projects_in_teams_they_cannot_see(api: Api, charlie: User, team: Team) -> None:
    """AZ1"""
    assert api(charlie).post("/api/projects/research/fresh/runs/").status_code == 404
    assert not Project.objects.exists()


def test_everybody_has_a_team_to_log_to(api: Api, charlie: User) -> None:
    """SC5"""
    assert api(charlie).post("/api/projects/charlie/fresh/runs/").status_code == 201


def test_an_id_is_taken_once(api: Api, bob: User, project: Project) -> None:
    client = api(bob)
    client.post(RUNS, {"run_id": "first"})

    again = client.post(RUNS, {"run_id": "first"})

    assert again.status_code == 409
    assert again.json()["detail"] == "There is a run “first” in research/digits already."


def test_config_is_merged_and_tags_are_replaced(api: Api, bob: User, project: Project) -> None:
    factories.make_run(project, run_id="first", config={"lr": 0.1, "seed": 1}, tags=["old"])

    changed = api(bob).patch(
        f"{RUNS}first/", {"config": {"lr": 0.2}, "tags": ["new"], "notes": "Better", "summary": {"best": 1}}
    )

    assert changed.status_code == 200
    found = api(bob).get(f"{RUNS}first/").json()
    assert found["config"] == {"lr": 0.2, "seed": 1}
    assert (found["tags"], found["notes"], found["summary"]) == (["new"], "Better", {"best": 1})


def test_a_pending_run_is_started_and_a_finished_one_resumed(api: Api, bob: User, project: Project) -> None:
    client = api(bob)
    client.post(RUNS, {"run_id": "first", "state": "pending"})

    assert client.post(f"{RUNS}first/start/").json()["state"] == "running"
    client.post(f"{RUNS}first/finish/", {"exit_code": 1})
    resumed = client.post(f"{RUNS}first/start/").json()
    assert (resumed["state"], resumed["exit_code"], resumed["finished_at"]) == ("running", None, None)


def test_a_heartbeat_keeps_a_run_alive_and_tells_its_state(api: Api, bob: User, project: Project) -> None:
    began = datetime(2026, 5, 4, tzinfo=UTC)
    run = factories.make_run(project, run_id="first", at=began)
    with time_machine.travel(began + timedelta(minutes=4), tick=False):
        assert api(bob).post(f"{RUNS}first/heartbeat/").json() == {"state": "running"}

    assert runs.mark_crashed(silent_for=timedelta(minutes=5), at=began + timedelta(minutes=8)) == []
    runs.kill(run, by=bob, at=began + timedelta(minutes=8))
    assert api(bob).post(f"{RUNS}first/heartbeat/").json() == {"state": "killed"}


def test_runs_are_listed_newest_first_and_filtered(api: Api, alice: User, bob: User, project: Project) -> None:
    factories.make_run(project, run_id="a", display_name="prod-a", user=alice)
    factories.make_run(project, run_id="b", display_name="dev-b", user=bob)
    factories.make_run(project, run_id="c", display_name="prod-c", user=bob, state="pending")
    client = api(bob)

    def listed(query: str) -> list[str]:
        return [row["run_id"] for row in client.get(f"{RUNS}{query}").json()["results"]]

    assert listed("") == ["c", "b", "a"]
    assert listed("?state=running") == ["b", "a"]
    assert listed("?user=bob&display_name=PROD") == ["c"]
    refused = client.get(f"{RUNS}?state=sleeping")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "state")


def test_the_list_costs_the_same_queries_for_3_runs_and_for_30(api: Api, bob: User, project: Project) -> None:
    client = api(bob)
    client.get(RUNS)
    costs = []
    for first, last in ((0, 3), (3, 30)):
        for number in range(first, last):
            factories.make_run(project, run_id=f"r{number}", user=bob)
        with CaptureQueriesContext(connection) as queries:
            client.get(RUNS)
        costs.append(len(queries))

    assert costs[0] == costs[1]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"run_id": "a/b"}, "run_id"),
        ({"run_id": 7}, "run_id"),
        ({"run_id": "x" * 129}, "run_id"),
        ({"display_name": ["x"]}, "display_name"),
        ({"config": "lr=0.1"}, "config"),
        ({"config": [1]}, "config"),
        ({"config": {"a": {"b": "nul\x00"}}}, "config"),
        ({"config": {"a": "\ud800"}}, "config"),
        ({"tags": "baseline"}, "tags"),
        ({"tags": [1]}, "tags[0]"),
        ({"group": None}, "group"),
        ({"state": "finished"}, "state"),
        ({"state": {}}, "state"),
        ({"notes": "nul\x00"}, "notes"),
        ([], ""),
        ("text", ""),
    ],
)
def test_a_bad_body_is_refused_with_its_field(api: Api, bob: User, project: Project, body: object, field: str) -> None:
    answer = api(bob).generic("POST", RUNS, json.dumps(body), "application/json")

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == field
    assert not Run.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.parametrize("exit_code", [None, "one", 2**31, -(2**31) - 1, 10**400, 1.5, {}, True])
def test_an_exit_code_is_a_number_of_32_bits(api: Api, bob: User, project: Project, exit_code: object) -> None:
    factories.make_run(project, run_id="first")

    answer = api(bob).post(f"{RUNS}first/finish/", {"exit_code": exit_code})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "exit_code")
    assert Run.objects.get().state == "running"


def test_numbers_too_large_for_floats_are_kept(api: Api, bob: User, project: Project) -> None:
    client = api(bob)

    assert client.post(RUNS, {"run_id": "first", "config": {"big": 10**400}}).status_code == 201
    assert client.get(f"{RUNS}first/").json()["config"] == {"big": 10**400}


def test_nan_in_a_config_becomes_text(api: Api, bob: User, project: Project) -> None:
    client = api(bob)

    sent = client.generic("POST", RUNS, b'{"run_id": "first", "config": {"lr": NaN}}', "application/json")

    assert sent.status_code == 201
    assert client.get(f"{RUNS}first/").json()["config"] == {"lr": "NaN"}
