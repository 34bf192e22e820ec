"""Snoozing on the pages and over REST."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import time_machine
from django.test import Client
from rest_framework.test import APIClient

from automations import snoozing
from automations.models import Automation
from tests import factories

if TYPE_CHECKING:
    from projects.models import Project, User

pytestmark = pytest.mark.django_db
Browser = Callable[["User"], Client]
Api = Callable[["User | None"], APIClient]
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.fixture
def automation(project: Project) -> Automation:
    return factories.make_automation(project)


@pytest.mark.parametrize(
    ("answer", "until"),
    [
        ({"how_long": "hour"}, NOON + timedelta(hours=1)),
        ({"how_long": "tomorrow"}, datetime(2026, 5, 5, 9, 0, tzinfo=UTC)),
        ({"how_long": "time", "until": "2026-05-08T07:30"}, datetime(2026, 5, 8, 7, 30, tzinfo=UTC)),
    ],
)
def test_it_is_snoozed_for_a_usual_time_or_any_other(
    browser: Browser, alice: User, automation: Automation, answer: dict[str, str], until: datetime
) -> None:
    client, address = browser(alice), f"/automations/{automation.pk}/snooze"
    with time_machine.travel(NOON, tick=False):
        assert "Snooze" in client.get(address).content.decode()
        page = client.post(address, answer, follow=True).content.decode()
        automation.refresh_from_db()
        assert automation.snoozed_until == until
        assert "Snoozed until" in page
        assert "End snooze" in page
        assert "ends <time" in client.get("/research/digits/automations").content.decode()

        client.post(f"/automations/{automation.pk}/end-snooze")
        automation.refresh_from_db()
        assert automation.snoozed_until is None


@pytest.mark.parametrize("until", ["", "tomorrow", "2026-05-03T07:30"])
def test_a_wrong_time_is_asked_for_again_and_what_was_chosen_stays(
    browser: Browser, alice: User, automation: Automation, until: str
) -> None:
    with time_machine.travel(NOON, tick=False):
        asked = {"how_long": "time", "until": until}
        answer = browser(alice).post(f"/automations/{automation.pk}/snooze", asked)
    assert answer.status_code == 422
    assert 'value="time"' in answer.content.decode()
    automation.refresh_from_db()
    assert automation.snoozed_until is None


def test_members_see_that_it_is_snoozed_and_get_no_buttons(
    browser: Browser, alice: User, bob: User, charlie: User, automation: Automation
) -> None:
    now = datetime.now(UTC)
    snoozing.snooze(automation, until=now + timedelta(hours=1), by=alice, at=now)
    page = browser(bob).get(f"/automations/{automation.pk}/").content.decode()
    assert "Snoozed until" in page
    assert "End snooze" not in page
    for address in ("snooze", "end-snooze"):
        assert browser(bob).post(f"/automations/{automation.pk}/{address}").status_code == 403
        assert browser(charlie).post(f"/automations/{automation.pk}/{address}").status_code == 404


def test_over_rest_it_is_snoozed_and_woken(api: Api, alice: User, bob: User, automation: Automation) -> None:
    address = f"/api/automations/{automation.pk}/snooze/"
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    assert api(bob).post(address, {"until": until.isoformat()}).status_code == 403
    answer = api(alice).post(address, {"until": until.isoformat()})
    assert (answer.status_code, datetime.fromisoformat(answer.json()["snoozed_until"])) == (200, until)
    assert api(alice).post(address, {"until": "2020-01-01T00:00:00Z"}).status_code == 400
    assert api(alice).delete(address).json()["snoozed_until"] is None


def test_why_did_it_not_fire_says_that_it_is_snoozed(
    api: Api, alice: User, automation: Automation, project: Project
) -> None:
    """HI6"""
    from projects import runs

    now = datetime.now(UTC)
    snoozing.snooze(automation, until=now + timedelta(hours=1), by=alice, at=now)
    run = factories.make_run(project)
    runs.finish(run, exit_code=1, by=None, at=now)
    address = f"/api/automations/{automation.pk}/trace/"
    trace = api(alice).get(address, {"run": f"research/digits/{run.run_id}"}).json()
    assert trace["stopped_by"] == "snooze"
