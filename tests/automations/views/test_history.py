"""History tabs and the story of one execution (HI1–HI3, HI5)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from automations.models import Attempt, Automation, Execution
from automations.views import history
from tests import factories

if TYPE_CHECKING:
    from projects.models import Project, Team, User
    from registries.models import Registry

pytestmark = pytest.mark.django_db

HISTORY = "/research/digits/history"


def keys(response: Any) -> list[int]:
    return [execution.pk for execution in response.context["page"].executions]


def test_hi1_a_row_says_when_what_and_how_it_ended(
    browser: Callable[[User], Client], alice: User, project: Project
) -> None:
    """HI1"""
    run = factories.make_run(project, display_name="night-7")
    event = factories.make_event(run, facts={"display_name": "night-7"})
    execution = factories.make_execution(
        factories.make_automation(project, name="Loss guard"),
        event,
        result="The receiver answered 204.",
        target="pager → https://hooks.example.com/",
    )
    page = browser(alice).get(HISTORY).content.decode()

    for part in (
        "Loss guard",
        "Run state",
        "night-7",
        run.get_absolute_url(),
        "The receiver answered 204.",
        f"/executions/{execution.key}/",
    ):
        assert part in page


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
@pytest.mark.parametrize("end", ["since", "until"])
def test_hi5_the_first_and_the_last_day_there_are_can_be_asked_for(
    browser: Callable[[User], Client], alice: User, project: Project, end: str, day: str
) -> None:
    execution = factories.make_execution(factories.make_automation(project))
    shown = [] if (end, day) in {("since", "9999-12-31"), ("until", "0001-01-01")} else [execution.pk]

    assert keys(browser(alice).get(f"{HISTORY}?{end}={day}")) == shown


def test_a_version_is_linked_as_the_event_named_it(
    browser: Callable[[User], Client], alice: User, project: Project
) -> None:
    factories.make_automation(project, "ADD_ARTIFACT_ALIAS", condition={})
    version = factories.make_version(project, collection="classifier", aliases=["production"])
    page = browser(alice).get(HISTORY).content.decode()

    assert "classifier:production" in page
    assert version.get_absolute_url() in page


def test_hi5_filters_are_in_the_address(browser: Callable[[User], Client], alice: User, project: Project) -> None:
    """HI5"""
    loss = factories.make_automation(project, "RUN_METRIC", name="loss")
    fails = factories.make_automation(project, name="fails")
    one = factories.make_execution(loss, factories.make_event(), status="failed")
    two = factories.make_execution(fails, factories.make_event())
    client = browser(alice)

    assert keys(client.get(HISTORY)) == [two.pk, one.pk]
    assert keys(client.get(HISTORY, {"status": "failed"})) == [one.pk]
    assert keys(client.get(HISTORY, {"event": "RUN_STATE"})) == [two.pk]
    assert keys(client.get(HISTORY, {"automation": loss.pk})) == [one.pk]
    assert keys(client.get(HISTORY, {"automation": loss.pk, "status": "finished"})) == []
    assert keys(client.get(HISTORY, {"status": "odd", "event": "odd", "automation": "x", "before": "y"})) == [
        two.pk,
        one.pk,
    ]


def test_pages_follow_each_other_without_counting(
    browser: Callable[[User], Client], alice: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PER_PAGE", 2)
    automation = factories.make_automation(project)
    made = [factories.make_execution(automation, factories.make_event()).pk for _ in range(5)][::-1]
    client = browser(alice)
    with CaptureQueriesContext(connection) as captured:
        first = client.get(HISTORY)
    assert not any("COUNT(" in query["sql"] and "automations_execution" in query["sql"] for query in captured)
    second = client.get(HISTORY, {"before": first.context["page"].older})
    third = client.get(HISTORY, {"before": second.context["page"].older})

    assert [keys(first), keys(second), keys(third)] == [made[:2], made[2:4], made[4:]]
    assert third.context["page"].older is None
    assert keys(client.get(HISTORY, {"after": third.context["page"].newer})) == made[2:4]
    assert keys(client.get(HISTORY, {"after": second.context["page"].newer})) == made[:2]
    assert client.get(HISTORY, {"after": second.context["page"].newer}).context["page"].newer is None


def test_the_history_costs_the_same_for_one_and_for_many(
    browser: Callable[[User], Client], alice: User, project: Project
) -> None:
    client = browser(alice)

    def add() -> None:
        factories.make_execution(
            factories.make_automation(project, name=f"A{Automation.objects.count()}"),
            factories.make_event(factories.make_run(project)),
        )
        factories.make_version(project, collection="classifier", aliases=["production"])

    factories.make_automation(project, "ADD_ARTIFACT_ALIAS", name="alias", condition={})

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(HISTORY)
        return len(captured)

    add()
    before = cost()
    for _ in range(8):
        add()
    assert cost() == before


def test_the_page_asks_again_only_while_something_is_under_way(
    browser: Callable[[User], Client], alice: User, project: Project
) -> None:
    automation = factories.make_automation(project)
    client = browser(alice)
    done = factories.make_execution(automation)
    addresses = (HISTORY, f"/executions/{done.key}/", f"/automations/{automation.pk}/")
    for address in addresses:
        assert "every " not in client.get(address).content.decode()
    waiting = factories.make_execution(automation, factories.make_event(), status="pending")
    for address in (HISTORY, f"/executions/{waiting.key}/", f"/automations/{automation.pk}/"):
        assert "every " in client.get(address).content.decode()


def test_a_registrys_history_has_what_happened_in_it(
    browser: Callable[[User], Client], alice: User, project: Project, registry: Registry
) -> None:
    factories.make_automation(registry, "LINK_MODEL", name="Linked", condition={})
    factories.make_automation(project, name="Elsewhere")
    source = factories.make_version(project)
    factories.make_link(source, factories.make_collection(registry))
    page = browser(alice).get(f"/registries/acme/{registry.name}/history").content.decode()

    assert "Linked" in page
    assert "Elsewhere" not in page


def test_hi1_a_run_and_a_version_have_their_executions(
    browser: Callable[[User], Client], alice: User, charlie: User, project: Project
) -> None:
    """HI1"""
    factories.make_automation(project, name="On running", condition={"states": ["RUNNING"]})
    factories.make_automation(project, "CREATE_ARTIFACT", name="On version", condition={})
    run = factories.make_run(project)
    version = factories.make_version(project, run=run)
    of_run, of_version = f"/executions/of-run/{run.pk}", f"/executions/of-version/{version.pk}"
    client = browser(alice)

    assert "On running" in client.get(of_run).content.decode()
    assert "On version" not in client.get(of_run).content.decode()
    assert "On version" in client.get(of_version).content.decode()
    for address in (of_run, of_version):
        assert browser(charlie).get(address).status_code == 404


@pytest.fixture
def retried(project: Project, team: Team) -> Execution:
    """A webhook's execution whose first attempt was answered 503, and whose second is due in half a minute."""
    automation = factories.make_automation(project, webhook=factories.make_webhook(team))
    now = timezone.now()
    execution = factories.make_execution(
        automation,
        status="pending",
        result="The receiver answered 503 Service Unavailable.",
        matched_because="the run failed",
        target="pager → https://hooks.example.com/pager",
        payload='{"text":"••••••"}',
        rule={
            "name": "Tell the pager",
            "summary": "When a run fails, call webhook pager",
            "event_type": "RUN_STATE",
            "action_kind": "GENERIC_WEBHOOK",
            "webhook": "pager",
            "filter": {},
            "condition": {"states": ["FAILED"]},
            "payload": "",
        },
        next_attempt_at=now + timedelta(seconds=30),
    )
    Attempt.objects.create(
        execution=execution,
        number=1,
        started_at=now,
        duration=1.2,
        url="https://hooks.example.com/pager",
        request_headers={"X-Wandb-Signature": "••••••", "webhook-id": str(execution.key)},
        status_code=503,
        response_headers={"Retry-After": "30"},
        response_body="<h1>down</h1>",
        error="The receiver answered 503 Service Unavailable.",
    )
    return execution


def test_hi3_an_execution_tells_the_whole_story(
    browser: Callable[[User], Client], alice: User, retried: Execution
) -> None:
    """HI3"""
    page = browser(alice).get(f"/executions/{retried.key}/").content.decode()

    for part in (
        "Run state",
        "Because the run failed.",
        "When a run fails, call webhook pager",
        "pager → https://hooks.example.com/pager",
        "Attempt 1",
        "503",
        "Retry-After",
        "&lt;h1&gt;down&lt;/h1&gt;",
        "Signed: X-Wandb-Signature.",
        "next try after",
    ):
        assert part in page


def test_an_execution_whose_automation_and_run_are_gone_still_tells(
    browser: Callable[[User], Client], alice: User, project: Project
) -> None:
    run = factories.make_run(project, display_name="gone")
    event = factories.make_event(run, facts={"display_name": "gone"})
    execution = factories.make_execution(factories.make_automation(project), event)
    Automation.objects.all().delete()
    run.delete()
    client = browser(alice)
    page = client.get(f"/executions/{execution.key}/").content.decode()

    assert "It has been deleted since." in page
    assert "gone" in page
    assert "gone" in client.get(HISTORY).content.decode()


def test_an_edited_automation_is_told_apart_from_the_rule_as_it_was(
    browser: Callable[[User], Client], alice: User, project: Project
) -> None:
    automation = factories.make_automation(project)
    execution = factories.make_execution(automation)
    client = browser(alice)
    assert "It has been changed since" not in client.get(f"/executions/{execution.key}/").content.decode()
    Automation.objects.update(name="Renamed")

    assert "It has been changed since" in client.get(f"/executions/{execution.key}/").content.decode()


def test_a_stranger_sees_no_execution(
    browser: Callable[[User], Client], charlie: User, dana: User, project: Project
) -> None:
    """AZ1"""
    execution = factories.make_execution(factories.make_automation(project))
    address = f"/executions/{execution.key}/"

    assert browser(charlie).get(address).status_code == 404
    assert browser(dana).get(address).status_code == 200
    assert Execution.objects.count() == 1


@pytest.mark.parametrize(("wait", "pace"), [(timedelta(seconds=5), "2s"), (timedelta(hours=2), "15s")])
def test_a_page_looks_for_news_as_often_as_there_may_be_some(
    browser: Callable[[User], Client], alice: User, project: Project, wait: timedelta, pace: str
) -> None:
    execution = factories.make_execution(
        factories.make_automation(project), status="pending", next_attempt_at=timezone.now() + wait
    )

    assert f"every {pace}" in browser(alice).get(f"/executions/{execution.key}/").content.decode()
