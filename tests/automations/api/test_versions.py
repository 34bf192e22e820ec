"""Versions over REST: listed, shown, compared, restored."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from automations import editing
from automations.models import ActionKind, Automation
from projects.models import Project, Team, User
from tests import factories

Api = Callable[[User | None], APIClient]
pytestmark = pytest.mark.django_db


@pytest.fixture
def address(api: Api, alice: User, project: Project, team: Team) -> str:
    """Of the versions of an automation that was made and changed over REST."""
    factories.make_webhook(team)
    body = {
        "name": "Page",
        "scope": {"kind": "project", "name": "research/digits"},
        "event_type": "RUN_STATE",
        "condition": {"states": ["FAILED"]},
        "action_kind": "GENERIC_WEBHOOK",
        "webhook": "pager",
    }
    made = api(alice).post("/api/automations/", body).json()
    changes = {"action_kind": "NO_OP", "webhook": None, "condition": {"states": ["FINISHED"]}}
    changed = api(alice).patch(f"/api/automations/{made['id']}/", changes).json()
    assert (made["version"], changed["version"]) == (1, 2)
    return f"/api/automations/{made['id']}/versions/"


def test_versions_are_listed_newest_first(api: Api, bob: User, address: str) -> None:
    found = api(bob).get(address).json()["results"]

    assert [version["number"] for version in found] == [2, 1]
    assert found[1]["summary"] == "When a run fails, call webhook pager"
    assert found[1]["rule"]["webhook"] == "research/pager"
    assert found[1]["rule"]["scope"] == {"kind": "project", "name": "research/digits"}
    assert not {name for name in found[1]["rule"] if name.endswith(("_id", "_team"))}
    assert api(bob).get(f"{address}1/").json() == found[1]


def test_a_list_costs_the_same_for_many(api: Api, alice: User, address: str) -> None:
    client = api(alice)

    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200
        return len(asked)

    cost()  # the first use of a key is noted
    before = cost()
    for number in range(30):
        editing.change(Automation.objects.get(), by=alice, description=str(number))
    assert cost() == before


def test_two_versions_are_compared(api: Api, bob: User, address: str) -> None:
    found = api(bob).get(f"{address}2/diff/").json()

    assert (found["from"], found["to"]) == (1, 2)
    assert found["summary_before"] == "When a run fails, call webhook pager"
    assert [change["field"] for change in found["changes"]] == ["condition.states", "action_kind", "webhook"]
    assert api(bob).get(f"{address}1/diff/?from=2").json()["changes"][0]["after"] == ["FAILED"]


@pytest.mark.parametrize(
    ("rest", "status"),
    [("3/", 404), ("1/diff/", 404), ("2/diff/?from=x", 400), ("2/diff/?from=-1", 400), (f"{'9' * 30}/", 404)],
)
def test_what_is_not_there_is_said(api: Api, bob: User, address: str, rest: str, status: int) -> None:
    assert api(bob).get(f"{address}{rest}").status_code == status


def test_restoring_is_an_edit(api: Api, alice: User, team: Team, address: str) -> None:
    restored = api(alice).post(f"{address}1/restore/").json()
    assert (restored["version"], restored["webhook"]) == (3, "research/pager")

    editing.change(Automation.objects.get(), by=alice, action_kind=ActionKind.NO_OP, webhook=None)
    team.webhooks.get().delete()
    refused = api(alice).post(f"{address}1/restore/")

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "webhook"


def test_az1_a_version_of_a_hidden_scope_is_nothing_but_a_number(
    api: Api, alice: User, bob: User, team: Team, address: str
) -> None:
    automation = Automation.objects.get()
    hidden = factories.make_project(factories.make_team("hidden", admin=alice), "secret-project")
    editing.change(automation, by=alice, scope=hidden)
    editing.change(automation, by=alice, scope=team)

    found = api(bob).get(address)

    assert "secret-project" not in found.content.decode()
    assert found.json()["results"][1]["rule"] is None
    assert api(bob).get(f"{address}4/diff/").status_code == 404
