"""What one may not see does not exist, also inside of what one may see (AZ1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from automations import disclosure, history
from automations.models import Attempt, Automation, EventType, Execution, Status
from projects import runs
from projects.models import Project, User
from registries.models import Registry
from tests import factories

pytestmark = pytest.mark.django_db

Browser = Callable[[User], Client]
Api = Callable[[User | None], APIClient]
TARGET = "night-pager → https://hidden.example.com/x"


@pytest.fixture
def browser() -> Browser:
    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return signed_in


@dataclass(frozen=True)
class Linked:
    """A version of a hidden team's project, linked to a registry that bob reads; an automation on each side."""

    hidden: Project
    registry: Registry
    of_project: Execution
    of_registry: Execution


@pytest.fixture
def linked(alice: User, registry: Registry) -> Linked:
    hidden = factories.make_project(factories.make_team("hidden-team", admin=alice), "hidden-project")
    collection = factories.make_collection(registry, "prod")
    one = factories.make_automation(hidden, EventType.LINK_ARTIFACT, name="hidden-rule")
    other = factories.make_automation(registry, EventType.LINK_ARTIFACT, name="open-rule")
    factories.make_link(factories.make_version(hidden, "hidden-coll"), collection)
    return Linked(hidden, registry, Execution.objects.get(automation=one), Execution.objects.get(automation=other))


@pytest.fixture
def calling(alice: User, project: Project) -> Execution:
    """A call of a webhook of a team that bob cannot see, by an automation that he can."""
    webhook = factories.make_webhook(factories.make_team("hidden-team", admin=alice), name="night-pager")
    automation = factories.make_automation(project, webhook=webhook)
    run = factories.make_run(project, user=alice)
    runs.finish(run, exit_code=1, by=alice, at=timezone.now())
    execution = Execution.objects.get(automation=automation)
    Execution.objects.update(
        status=Status.FAILED, result="No route to hidden.example.com.", target=TARGET, payload='{"call": "night-pager"}'
    )
    Attempt.objects.create(
        execution=execution,
        number=1,
        started_at=timezone.now(),
        duration=0.1,
        url="https://hidden.example.com/x",
        status_code=500,
        error="hidden.example.com answered 500.",
        request_headers={"X-Night-Pager": "night-pager"},
        response_headers={"Server": "hidden.example.com"},
        response_body="the night-pager broke",
    )
    return execution


def told(page: bytes) -> set[str]:
    """Which of the hidden words a page says."""
    hidden = ("hidden-rule", "hidden-coll", "hidden-project", "hidden-team", "night-pager", "hidden.example.com")
    return {word for word in hidden if word.encode() in page.lower()}


def test_az1_the_history_of_a_registry_is_without_what_a_hidden_projects_automations_did(
    browser: Browser, alice: User, bob: User, linked: Linked
) -> None:
    address = f"/registries/acme/{linked.registry.name}/history"
    pages = {user: browser(user).get(address).content for user in (alice, bob)}
    assert b"open-rule" in pages[bob]
    assert told(pages[bob]) == set()
    assert b"hidden-rule" in pages[alice]
    assert list(history.executions_in(linked.registry, reader=bob)) == [linked.of_registry]


def test_az1_a_history_tab_is_read_off_its_index(bob: User, linked: Linked) -> None:
    found = history.executions_in(linked.registry, reader=bob)[:50]
    if connection.vendor == "sqlite":
        assert "execution_in_registry" in found.explain()
    with CaptureQueriesContext(connection) as queries:
        assert len(list(found)) == 1
    assert len(queries) == 1


def test_az1_a_link_does_not_name_the_hidden_project_it_came_from(
    browser: Browser, api: Api, alice: User, bob: User, linked: Linked
) -> None:
    key = linked.of_registry.key
    assert linked.of_registry.matched_because == "prod:v0 was linked"
    for answer in (
        browser(bob).get(f"/executions/{key}/"),
        browser(bob).get("/"),
        api(bob).get("/api/executions/"),
        api(bob).get(f"/api/executions/{key}/"),
    ):
        assert answer.status_code == 200
        assert told(answer.content) == set()
    place = browser(bob).get(f"/executions/{key}/").context["place"]
    assert place.home == linked.registry
    event = api(bob).get(f"/api/executions/{key}/").json()["event"]
    assert "source" not in event["details"]
    assert (event["details"]["entity"], event["details"]["project"]) == ("acme", linked.registry.name)

    seen = api(alice).get(f"/api/executions/{key}/").json()
    assert seen["event"]["details"]["source"] == "hidden-coll:v0"
    assert seen["project"] == "hidden-team/hidden-project"
    assert browser(alice).get(f"/executions/{key}/").context["place"].home == linked.hidden
    assert browser(bob).get(f"/executions/{linked.of_project.key}/").status_code == 404


def test_az1_hi3_a_call_of_a_hidden_teams_webhook_is_shown_without_it(
    browser: Browser, api: Api, alice: User, bob: User, calling: Execution
) -> None:
    addresses = [
        f"/executions/{calling.key}/",
        f"/automations/{calling.automation_id}/",
        "/research/digits/automations",
        "/research/digits/history",
        reverse("automations:run_executions", args=[calling.event.run_id]),
    ]
    for address in addresses:
        page = browser(bob).get(address).content
        assert told(page) == set(), address
        assert b"a webhook of another team" in page.lower(), address
        assert told(browser(alice).get(address).content), address
    assert told(browser(bob).get("/").content) == set()
    for address in ("/api/executions/", f"/api/executions/{calling.key}/", "/api/automations/"):
        assert told(api(bob).get(address).content) == set(), address
        assert "night-pager" in told(api(alice).get(address).content), address


def test_az1_the_api_says_that_a_webhook_of_another_team_is_called(api: Api, bob: User, calling: Execution) -> None:
    found = api(bob).get(f"/api/executions/{calling.key}/").json()
    assert found["target"] == "a webhook of another team"
    assert found["summary"] == found["rule"]["summary"] == "When a run fails, call a webhook of another team"
    assert (found["rule"]["webhook"], found["rule"]["webhook_team"]) == (None, None)
    assert (found["payload"], found["result"]) == ("", "The call failed.")
    (attempt,) = found["attempts"]
    assert (attempt["status_code"], attempt["error"]) == (500, "The call failed.")
    assert (attempt["url"], attempt["request_headers"]) == ("", {})
    assert (attempt["response_headers"], attempt["response_body"]) == ({}, "")
    automation = api(bob).get(f"/api/automations/{calling.automation_id}/").json()
    assert automation["summary"] == "When a run fails, call a webhook of another team"


def test_az1_a_deleted_webhook_stays_hidden_from_those_it_was_hidden_from(
    api: Api, alice: User, bob: User, calling: Execution
) -> None:
    assert calling.automation is not None
    assert calling.webhook is not None
    calling.automation.delete()
    calling.webhook.delete()
    address = f"/api/executions/{calling.key}/"
    assert told(api(bob).get(address).content) == set()
    assert api(alice).get(address).json()["target"] == TARGET


def test_an_execution_is_not_called_changed_because_its_webhook_is_hidden(
    browser: Browser, bob: User, calling: Execution
) -> None:
    assert b"It has been changed since" not in browser(bob).get(f"/executions/{calling.key}/").content


def test_preparing_costs_the_same_queries_for_few_and_for_many(alice: User, bob: User, calling: Execution) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            disclosure.prepare(Execution.objects.order_by("pk"), reader=bob)
        return len(captured)

    few = queries()
    for number in range(10):
        factories.make_execution(
            factories.make_automation(calling.project, name=str(number), webhook=calling.webhook), calling.event
        )
    assert queries() == few


def test_a_registrys_history_costs_the_same_for_few_and_for_many_hidden_links(bob: User, linked: Linked) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            disclosure.prepare(history.executions_in(linked.registry, reader=bob), reader=bob)
        return len(captured)

    few = queries()
    for number in range(5):
        collection = factories.make_collection(linked.registry, f"c{number}")
        factories.make_link(factories.make_version(linked.hidden, f"v{number}"), collection)
    assert history.executions_in(linked.registry, reader=bob).count() == 6
    assert queries() == few


def test_az1_when_an_organizations_automation_fired_is_told_to_its_admins_only(
    browser: Browser, api: Api, bob: User, project: Project
) -> None:
    organization = project.team.organization
    assert organization is not None
    admin = factories.make_user("dana")
    factories.make_organization(admin=admin)
    automation = factories.make_automation(organization)
    run = factories.make_run(factories.make_project(factories.make_team("hidden-team")))
    runs.finish(run, exit_code=1, by=run.user, at=timezone.now())
    automation.cooldowns.update(surplus=7)
    address = f"/automations/{automation.pk}/"

    assert api(bob).get(f"/api{address}").json()["last_triggered_at"] is None
    (listed,) = api(bob).get("/api/automations/").json()["results"]
    assert listed["last_triggered_at"] is None
    page = browser(bob).get(address).content
    assert b"Last triggered" not in page
    assert b"Held back" not in page

    assert api(admin).get(f"/api{address}").json()["last_triggered_at"] is not None
    page = browser(admin).get(address).content
    assert b"Last triggered" in page
    assert b"7 times in the last 24 h" in page
    assert Automation.objects.get().last_triggered_at is not None
