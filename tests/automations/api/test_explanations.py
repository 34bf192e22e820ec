"""Traces (HI6) and replays (HI7) over REST."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from automations.models import Automation, EventType
from projects import runs
from projects.models import Project, Run, User
from registries.models import Registry
from tests import factories

Api = Callable[[User | None], APIClient]
DRAFT = {
    "scope": {"kind": "project", "name": "research/digits"},
    "event_type": "RUN_STATE",
    "condition": {"states": ["FAILED"]},
    "days": 7,
}


@pytest.fixture
def failed(project: Project) -> Run:
    run = factories.make_run(project, run_id="first", display_name="baseline")
    return runs.finish(run, exit_code=1, by=None, at=timezone.now())


def trace_of(client: APIClient, automation: Automation, **asked: str) -> Any:
    return client.get(f"/api/automations/{automation.pk}/trace/", asked)


def test_hi6_a_trace_has_every_gate_and_names_the_first_no(api: Api, bob: User, project: Project, failed: Run) -> None:
    automation = factories.make_automation(project, condition={"states": ["FINISHED"]})
    found = trace_of(api(bob), automation, run="research/digits/first").json()
    assert (found["automation"], found["stopped_by"]) == (automation.pk, "made_before")
    assert found["headline"].startswith("This happened ")
    assert [(gate["code"], gate["verdict"]) for gate in found["gates"]] == [
        ("enabled", "passed"),
        ("evaluable", "passed"),
        ("scope", "passed"),
        ("event", "passed"),
        ("made_before", "stopped"),
        ("filter", "not_reached"),
        ("condition", "not_reached"),
        ("snooze", "not_reached"),
        ("cooldown", "not_reached"),
        ("action", "not_reached"),
        ("outcome", "not_reached"),
    ]


def test_hi6_versions_are_named_by_place_number_or_alias(
    api: Api, bob: User, project: Project, registry: Registry
) -> None:
    automation = factories.make_automation(registry, EventType.LINK_ARTIFACT)
    version = factories.make_version(project, aliases=["best"])
    linked = factories.make_link(version, factories.make_collection(registry, "champion"))
    found = trace_of(api(bob), automation, registry_version=f"acme/models/champion:{linked.version}").json()
    assert (found["stopped_by"], len(found["executions"])) == (None, 1)
    elsewhere = trace_of(api(bob), automation, version="research/digits/model:best").json()
    assert elsewhere["stopped_by"] == "scope"


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, 400),
        ({"run": "first"}, 400),
        ({"run": "research/digits/second"}, 404),
        ({"version": "research/digits/model:v9"}, 404),
        ({"registry_version": "//"}, 400),
    ],
)
def test_hi6_what_is_not_there_is_said_so(
    api: Api, bob: User, project: Project, asked: dict[str, str], status: int
) -> None:
    assert trace_of(api(bob), factories.make_automation(project), **asked).status_code == status


def test_hi7_a_draft_is_replayed_without_being_saved(api: Api, alice: User, failed: Run) -> None:
    answer: Any = api(alice).post("/api/automations/backtest/", DRAFT)
    assert answer["Content-Type"] == "application/json"
    found = json.loads(b"".join(answer))
    assert found["verdict"] == "Would have fired 1 time in 7 days: baseline."
    assert (found["days"], found["fired"], found["held_back"], found["skipped"]) == (7, 1, 0, 0)
    (firing,) = found["firings"]
    assert firing["subject"]["url"].endswith(failed.get_absolute_url())
    assert not Automation.objects.exists()


def test_hi7_a_saved_automation_tells_how_far_it_is_line_by_line(
    api: Api, bob: User, project: Project, failed: Run
) -> None:
    automation = factories.make_automation(project)
    answer: Any = api(bob).post(f"/api/automations/{automation.pk}/backtest/?stream=true", {"days": 90})
    assert answer["Content-Type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in b"".join(answer).splitlines()]
    assert lines[0] == {"done": 0, "total": 2}
    assert lines[-1]["result"]["fired"] == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"days": 8}, "days"),
        ({"condition": {"states": []}}, "condition.states"),
        ({"filter": {"nothing": 1}}, "filter"),
        ({"event_type": "LINK_MODEL", "condition": {"x": 1}}, "condition"),
    ],
)
def test_hi7_what_cannot_be_saved_cannot_be_replayed_either(
    api: Api, alice: User, project: Project, changes: dict[str, Any], field: str
) -> None:
    answer = api(alice).post("/api/automations/backtest/", DRAFT | changes)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
