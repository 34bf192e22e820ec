"""Automations as code over REST (IF2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from automations.models import Automation
from projects import runs
from projects.models import Project, User
from tests import factories

Api = Callable[[User | None], APIClient]
pytestmark = pytest.mark.django_db

TEXT = """\
---
project: research/digits
automations:
  - name: Run failure
    event_type: RUN_STATE
    condition:
      states:
        - FAILED
    action_kind: NO_OP
"""


def send(client: APIClient, deed: str, text: str | bytes, kind: str = "application/yaml") -> Any:
    return client.generic("POST", f"/api/automations/{deed}", text, kind)


def test_a_text_is_planned_applied_and_exported_again(api: Api, alice: User, project: Project) -> None:
    runs.finish(factories.make_run(project), exit_code=1, by=alice, at=timezone.now())
    client = api(alice)

    (planned,) = send(client, "plan/", TEXT).json()["changes"]
    applied = send(client, "apply/", TEXT).json()

    assert (planned["deed"], planned["scope"]) == ("create", {"kind": "project", "name": "research/digits"})
    assert (planned["id"], planned["fired"]["before"], planned["fired"]["after"]) == (None, None, 1)
    assert (applied["changes"][0]["id"], applied["changes"][0]["fired"]) == (Automation.objects.get().pk, None)
    assert applied["text"].endswith("1 created, 0 updated, 0 deleted, 0 unchanged.\n")
    exported = client.get("/api/automations/export/?scope=project:research/digits")
    assert (exported["Content-Type"], exported.content.decode()) == ("application/yaml; charset=utf-8", TEXT)
    assert send(client, "apply/", exported.content).json()["unchanged"] == 1


def test_a_change_is_told_field_by_field(api: Api, alice: User, project: Project) -> None:
    send(api(alice), "apply/", TEXT)
    (change,) = send(api(alice), "plan/", TEXT.replace("FAILED", "FINISHED")).json()["changes"]
    assert change["differences"] == [
        {"field": "condition.states", "before": ["FAILED"], "after": ["FINISHED"], "lines": []}
    ]
    assert change["summary_after"] == "When a run finishes, do nothing but record it"


def test_pruning_has_to_be_asked_for(api: Api, alice: User, project: Project) -> None:
    client = api(alice)
    send(client, "apply/", TEXT)
    assert send(client, "apply/", "project: research/digits").json()["changes"] == []
    assert send(client, "apply/?prune=perhaps", TEXT).status_code == 400
    assert send(client, "apply/?prune=true", "project: research/digits").json()["changes"][0]["deed"] == "delete"
    assert not Automation.objects.exists()


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/json", "text/x-yaml"])
def test_the_type_of_the_body_does_not_matter(api: Api, alice: User, project: Project, kind: str) -> None:
    assert send(api(alice), "plan/", TEXT, kind).json()["unchanged"] == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [", "Line 2: This is not YAML"),
        (b"\xff", "not UTF-8"),
        (TEXT + "    nmae: x\n", "“nmae” is not understood here"),
        (TEXT.replace("digits", "nowhere"), "There is no project “research/nowhere”"),
        ("a: &a [*a]", "aliases"),
    ],
)
@pytest.mark.usefixtures("project")
def test_what_cannot_be_used_is_a_problem_document(api: Api, alice: User, text: str | bytes, told: str) -> None:
    for deed in ("plan/", "apply/"):
        answer = send(api(alice), deed, text)
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
        assert told in answer.json()["detail"]


def test_a_problem_names_path_and_line(api: Api, alice: User, project: Project) -> None:
    answer = send(api(alice), "plan/", TEXT.replace("FAILED", "DANCING")).json()
    (problem,) = answer["errors"]
    assert problem["field"] == "documents[0].automations[0].condition.states"
    assert "(line 8)" in problem["message"]


def test_an_empty_text_asks_for_nothing(api: Api, alice: User) -> None:
    answer = api(alice).post("/api/automations/plan/").json()
    assert (answer["changes"], answer["unchanged"]) == ([], 0)


def test_who_accepts_yaml_alone_is_told_problems_too(api: Api, alice: User) -> None:
    answer = api(alice).get("/api/automations/export/?scope=team:nobody", headers={"Accept": "application/yaml"})
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["errors"][0]["message"] == "There is no team “nobody”."
