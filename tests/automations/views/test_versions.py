"""The page of an automation's versions, and its Restore button."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from automations import editing
from automations.editing import Draft
from automations.models import ActionKind, Automation, EventType, Execution
from projects import runs
from projects.models import Project, Team, User
from tests import factories

Browser = Callable[[User], Client]
pytestmark = pytest.mark.django_db

FAILURE = Draft(
    name="Run failure", event_type=EventType.RUN_STATE, action_kind=ActionKind.NO_OP, condition={"states": ["FAILED"]}
)


@pytest.fixture
def edited(project: Project, alice: User) -> Automation:
    """An automation with two versions, disabled since."""
    saved = editing.create(FAILURE, scope=project, by=alice)
    editing.change(saved, by=alice, condition={"states": ["FINISHED"]}, name="Run end")
    return editing.set_enabled(saved, False, by=alice)


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_the_page_says_what_each_version_changed(browser: Browser, bob: User, edited: Automation) -> None:
    client = browser(bob)
    assert "All versions" in page(client, edited.get_absolute_url())

    html = page(client, f"/automations/{edited.pk}/versions")

    assert html.index("Version 2") < html.index("Version 1")
    for words in (
        "When a run fails",
        "When a run finishes",
        "2 changes: name, condition states",
        "Disabled",
        "Run end",
    ):
        assert words in html
    # Members may look, and edit only if their team says so.
    assert "Restore" not in html


def test_an_admin_restores_a_version(browser: Browser, alice: User, edited: Automation) -> None:
    client = browser(alice)
    assert "Restore version 1" in page(client, f"/automations/{edited.pk}/versions")

    told = client.post(f"/automations/{edited.pk}/versions/1/restore", follow=True).content.decode()
    again = client.post(f"/automations/{edited.pk}/versions/1/restore", follow=True).content.decode()

    edited.refresh_from_db()
    assert (edited.name, edited.condition, edited.version) == ("Run failure", {"states": ["FAILED"]}, 3)
    assert "Version 1 restored, as version 3." in told
    assert "is as in version 1 already" in again


def test_a_version_that_cannot_be_restored_says_why(
    browser: Browser, alice: User, team: Team, edited: Automation
) -> None:
    hook = factories.make_webhook(team)
    editing.change(edited, by=alice, action_kind=ActionKind.WEBHOOK, webhook=hook)
    editing.change(edited, by=alice, action_kind=ActionKind.NO_OP, webhook=None)
    hook.delete()

    answer = browser(alice).post(f"/automations/{edited.pk}/versions/3/restore", follow=True)

    assert "its webhook research/pager was deleted" in answer.content.decode()


def test_az1_strangers_and_readers(browser: Browser, charlie: User, dana: User, edited: Automation) -> None:
    assert browser(charlie).get(f"/automations/{edited.pk}/versions").status_code == 404
    assert browser(charlie).post(f"/automations/{edited.pk}/versions/1/restore").status_code == 404
    assert browser(dana).post(f"/automations/{edited.pk}/versions/1/restore").status_code == 403
    assert browser(dana).post(f"/automations/{edited.pk}/versions/9/restore").status_code == 404


def test_a_page_holds_20_versions_and_costs_the_same_for_500(
    browser: Browser, alice: User, project: Project, edited: Automation
) -> None:
    client = browser(alice)
    address = f"/automations/{edited.pk}/versions"

    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            page(client, address)
        return len(asked)

    before = cost()
    for number in range(3, 501):
        editing.update(edited, replace(FAILURE, description=str(number)), by=alice)
    assert cost() == before
    first = client.get(address)
    assert [row.version.number for row in first.context["rows"]] == list(range(500, 480, -1))
    last = client.get(f"{address}?upto={20}")
    assert [row.version.number for row in last.context["rows"]] == list(range(20, 0, -1))
    assert (first.context["older"], last.context["older"], last.context["newest"]) == (480, None, False)
    assert all(row.changes for row in last.context["rows"][:-1])


@pytest.mark.parametrize("upto", ["0", "-1", "x", "9" * 40, "²"])
def test_an_odd_address_is_no_mistake_of_ours(browser: Browser, alice: User, edited: Automation, upto: str) -> None:
    assert page(browser(alice), f"/automations/{edited.pk}/versions?upto={upto}")


def test_an_execution_leads_to_its_version(browser: Browser, alice: User, project: Project) -> None:
    """HI1"""
    automation = editing.create(FAILURE, scope=project, by=alice)
    editing.change(automation, by=alice, name="Second")
    runs.finish(factories.make_run(project), exit_code=1, by=alice, at=timezone.now())

    html = page(browser(alice), Execution.objects.get().get_absolute_url())

    assert f"/automations/{automation.pk}/versions?upto=2" in html
    assert "It has been changed since" not in html
