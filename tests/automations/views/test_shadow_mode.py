"""Shadow mode, re-arming and problems on the pages (AC2, EV13)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.utils import timezone

from automations import executions
from automations.models import Automation, Cooldown, Execution
from projects import runs
from tests import factories
from tests.automations.views.filling import FAILED, Filling

if TYPE_CHECKING:
    from projects.models import Project, Team, User

pytestmark = pytest.mark.django_db
Browser = Callable[["User"], Client]
TAB, HISTORY = "/research/digits/automations", "/research/digits/history"


def rehearse(automation: Automation, times: int = 1) -> Execution:
    """The automation answers to so many failed runs, as far as it goes by itself."""
    for _ in range(times):
        runs.finish(factories.make_run(automation.project), exit_code=1, by=None, at=timezone.now())
        executions.run(automation.executions.latest("pk").pk)
    return automation.executions.latest("pk")


def text(client: Client, address: str, **query: Any) -> str:
    response = client.get(address, query)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_ac2_it_is_written_in_the_last_step_and_stays_what_it_is_over_an_edit(filling: Filling) -> None:
    filling.post(**FAILED)
    filling.post(action_kind="NO_OP")
    assert "Shadow mode" in filling.page
    filling.post(go="save", name="Guard", description="", shadow="on")
    automation = Automation.objects.get()
    assert automation.shadow

    edit = Filling(filling.client, f"/automations/{automation.pk}/edit")
    edit.post(go="save", event_type="RUN_STATE", states=["FINISHED"])
    automation.refresh_from_db()
    assert (automation.shadow, automation.condition) == (True, {"states": ["FINISHED"]})
    edit = Filling(filling.client, f"/automations/{automation.pk}/edit")
    edit.step = 3
    edit.post(go="save", name="Guard", description="")
    automation.refresh_from_db()
    assert not automation.shadow


def test_ac2_a_row_says_how_often_it_would_have_fired(browser: Browser, alice: User, project: Project) -> None:
    automation = factories.make_automation(project, shadow=True)
    factories.make_execution(automation)  # from before it was in shadow mode
    rehearse(automation, times=3)
    page = text(browser(alice), TAB)

    assert 'would have <span class="nowrap">fired 3×</span>' in page
    assert page.count('class="status shadow"') == 2  # its state, and its last execution
    assert f'action="/automations/{automation.pk}/make-live"' in page


def test_ac2_one_click_makes_it_live(browser: Browser, alice: User, bob: User, project: Project) -> None:
    automation = factories.make_automation(project, shadow=True)
    address = f"/automations/{automation.pk}/"
    client = browser(alice)

    assert "Make it live" in text(client, address)
    assert "Make it live" not in text(browser(bob), address)
    assert browser(bob).post(f"{address}make-live").status_code == 403
    assert client.get(f"{address}make-live").status_code == 405
    assert client.post(f"{address}make-live", {"next": TAB})["Location"] == TAB
    assert "is live. What matches from now on is sent." in text(client, TAB)
    assert "Make it live" not in text(client, address)


def test_hi3_a_rehearsal_tells_what_would_have_been_sent(
    browser: Browser, alice: User, project: Project, team: Team
) -> None:
    webhook = factories.make_webhook(team)
    automation = factories.make_automation(project, shadow=True, webhook=webhook, payload='{"text": "${run_status}"}')
    page = text(browser(alice), rehearse(automation).get_absolute_url())

    assert "Payload that would have been sent" in page
    assert "&quot;text&quot;: &quot;failed&quot;" in page
    assert "Skipped in shadow mode" in page
    assert "Shadow mode: this would have been sent." in page


def test_hi5_the_history_is_filtered_by_mode(browser: Browser, alice: User, project: Project) -> None:
    shadow = rehearse(factories.make_automation(project, name="shadow", shadow=True))
    live = factories.make_execution(factories.make_automation(project, name="live"))
    client = browser(alice)

    def keys(**query: str) -> list[int]:
        shown: Any = client.get(HISTORY, query).context
        return [execution.pk for execution in shown["page"].executions]

    assert keys() == [live.pk, shadow.pk]
    assert keys(mode="shadow") == [shadow.pk]
    assert keys(mode="live") == [live.pk]
    assert keys(mode="odd") == keys()
    assert "mode=shadow" in client.get(HISTORY, {"mode": "shadow"}).context["wanted"].query


def test_ev13_the_page_rearms_it_and_says_who_did(browser: Browser, alice: User, bob: User, project: Project) -> None:
    automation = factories.make_automation(project)
    rehearse(automation)
    address = f"/automations/{automation.pk}/"

    assert "At most once in 24 hours for each run and state." in text(browser(bob), address)
    assert browser(bob).post(f"{address}rearm").status_code == 403
    assert "Re-arm</button>" not in text(browser(bob), address)
    client = browser(alice)
    assert client.post(f"{address}rearm")["Location"] == address
    assert not Cooldown.objects.exists()
    page = text(client, address)
    assert "may fire again for 1 run." in page
    assert "by alice" in page
    client.post(f"{address}rearm")
    assert "may fire again for every run, as it could already." in text(client, address)


def test_an_automation_on_versions_has_nothing_to_rearm(browser: Browser, alice: User, project: Project) -> None:
    automation = factories.make_automation(project, "CREATE_ARTIFACT")
    assert "Re-arm" not in text(browser(alice), f"/automations/{automation.pk}/")


def test_ev12_the_page_of_a_wide_automation_publishes_its_limit(
    browser: Browser, alice: User, project: Project
) -> None:
    limit = "At most 60 times a minute and 1,000 times an hour."
    wide = factories.make_automation(project.team, "ADD_ARTIFACT_ALIAS", name="wide")
    narrow = factories.make_automation(project, "ADD_ARTIFACT_ALIAS", name="narrow")

    assert limit in text(browser(alice), f"/automations/{wide.pk}/")
    assert limit not in text(browser(alice), f"/automations/{narrow.pk}/")


def test_what_cannot_be_evaluated_says_so_in_list_and_page(browser: Browser, alice: User, project: Project) -> None:
    automation = factories.make_automation(project)
    assert "annot be evaluated" not in text(browser(alice), TAB)
    Automation.objects.update(filter={"no_such": 1})

    for address in (TAB, f"/automations/{automation.pk}/"):
        assert "Cannot be evaluated: There is no field &quot;no_such&quot;" in text(browser(alice), address)
    assert browser(alice).get(f"/automations/{automation.pk}/edit").status_code == 200
