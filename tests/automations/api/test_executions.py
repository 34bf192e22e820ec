"""History over REST."""

import uuid
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from automations.models import Attempt, Execution
from projects.models import Project, User
from registries.models import Registry
from tests import factories

Api = Callable[[User | None], APIClient]
EXECUTIONS = "/api/executions/"


@pytest.fixture
def execution(project: Project) -> Execution:
    event = factories.make_event(factories.make_run(project, run_id="first"))
    execution = factories.make_execution(factories.make_automation(project), event)
    Attempt.objects.create(
        execution=execution,
        number=1,
        started_at=timezone.now(),
        duration=0.1,
        url="https://hooks.example.com/",
        status_code=200,
        request_headers={"Authorization": "••••••"},
        response_body="ok",
    )
    return execution


def test_an_execution_shows_event_and_attempts(api: Api, bob: User, execution: Execution) -> None:
    """HI3"""
    found = api(bob).get(f"{EXECUTIONS}{execution.key}/").json()

    assert (found["key"], found["status"]) == (str(execution.key), "finished")
    assert (found["project"], found["run"]) == ("research/digits", "first")
    assert found["matched_because"] == "The run failed."
    assert found["event"]["kind"] == "RUN_STATE"
    assert [(row["number"], row["status_code"], row["response_body"]) for row in found["attempts"]] == [(1, 200, "ok")]


def test_history_is_for_those_who_may_see_the_project(api: Api, charlie: User, execution: Execution) -> None:
    """AZ1"""
    assert api(charlie).get(EXECUTIONS).json()["results"] == []
    assert api(charlie).get(f"{EXECUTIONS}{execution.key}/").status_code == 404
    assert api(charlie).get(f"{EXECUTIONS}{uuid.uuid4()}/").status_code == 404


def test_nobody_writes_history(api: Api, alice: User, execution: Execution) -> None:
    for method in ("post", "put", "patch", "delete"):
        answer = getattr(api(alice), method)(f"{EXECUTIONS}{execution.key}/")
        assert (answer.status_code, answer["Content-Type"]) == (405, "application/problem+json")


def test_history_outlives_its_automation(api: Api, bob: User, execution: Execution) -> None:
    """HI1"""
    assert execution.automation is not None
    execution.automation.delete()

    found = api(bob).get(f"{EXECUTIONS}{execution.key}/").json()

    assert (found["automation"], found["automation_name"]) == (None, "Tell the pager")


def test_readers_of_a_registry_do_not_learn_of_projects_they_cannot_see(
    api: Api, bob: User, registry: Registry
) -> None:
    """AZ1"""
    hidden = factories.make_project(factories.make_team("secret"), "digits")
    event = factories.make_event(
        factories.make_run(hidden, run_id="hidden-run"), facts={}, details={}, registry=registry
    )
    execution = factories.make_execution(factories.make_automation(registry, "LINK_MODEL"), event)

    for address in (EXECUTIONS, f"{EXECUTIONS}{execution.key}/"):
        answer = api(bob).get(address)
        assert answer.status_code == 200
        assert b"secret" not in answer.content
        assert b"hidden-run" not in answer.content
    assert api(bob).get(f"{EXECUTIONS}?project=secret/digits").json()["results"] == []


def test_readers_of_a_project_do_not_find_out_by_filters_what_went_to_a_registry_they_cannot_see(
    api: Api, alice: User, bob: User, project: Project
) -> None:
    """AZ1"""
    hidden = factories.make_registry(factories.make_organization("hidden", admin=alice), name="vault")
    event = factories.make_event(factories.make_run(project), facts={}, details={}, registry=hidden)
    factories.make_execution(factories.make_automation(project, "LINK_MODEL"), event)

    found = f"{EXECUTIONS}?registry=hidden/vault"
    assert len(api(bob).get(EXECUTIONS).json()["results"]) == 1
    assert api(bob).get(found).json()["results"] == []
    assert len(api(alice).get(found).json()["results"]) == 1


def test_the_list_is_filtered(api: Api, bob: User, project: Project, execution: Execution) -> None:
    other = factories.make_automation(project, "RUN_METRIC", name="other")
    failed = factories.make_execution(other, execution.event, status="failed")
    client = api(bob)

    def keys(query: str) -> list[str]:
        return [row["key"] for row in client.get(f"{EXECUTIONS}?{query}").json()["results"]]

    assert keys("") == [str(failed.key), str(execution.key)]
    assert keys("status=failed") == [str(failed.key)]
    assert keys(f"automation={execution.automation_id}") == [str(execution.key)]
    assert keys("event_type=RUN_METRIC") == [str(failed.key)]
    assert keys("project=research/digits") == keys("")
    assert keys("registry=acme/models") == []
    for refused in ("status=asleep", "automation=x", f"automation={10**30}", "event_type=SUNRISE"):
        assert client.get(f"{EXECUTIONS}?{refused}").status_code == 400


def test_the_list_costs_the_same_queries_for_3_executions_and_for_30(api: Api, bob: User, project: Project) -> None:
    client = api(bob)
    client.get(EXECUTIONS)
    costs = []
    for first, last in ((0, 3), (3, 30)):
        for number in range(first, last):
            automation = factories.make_automation(project, name=f"a{number}")
            factories.make_execution(automation, factories.make_event(factories.make_run(project)))
        with CaptureQueriesContext(connection) as queries:
            client.get(EXECUTIONS)
        costs.append(len(queries))

    assert costs[0] == costs[1]
