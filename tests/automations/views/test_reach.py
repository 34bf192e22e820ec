"""Whoever makes a wide automation that would fire very often confirms it (UI2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from automations.models import Automation
from projects import runs
from tests import factories
from tests.automations.views.filling import FAILED, Filling, same

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from projects.models import Project, Team, User

NOTHING = {"action_kind": "NO_OP"}
ASKED = "Confirm that it is meant to fire this often"


@pytest.fixture
def often(settings: Any, alice: User, project: Project) -> None:
    """Runs fail all the time."""
    cache.clear()
    settings.CONFIRM_FIRINGS_PER_DAY = 1
    for _ in range(14):
        runs.finish(factories.make_run(project, user=alice), exit_code=1, by=alice, at=timezone.now())


@pytest.fixture
def wide(often: None, browser: Callable[[User], Client], alice: User, team: Team) -> Filling:
    filling = Filling(browser(alice), f"/teams/{team.name}/automations/new")
    filling.post(**FAILED)
    filling.post(**NOTHING)
    return filling


def test_ui2_a_wide_automation_that_would_fire_often_is_saved_once_that_is_confirmed(wide: Filling) -> None:
    assert "it would fire about 2 times a day" in wide.page
    assert wide.post("save", name="All failures").status_code == 422
    assert ASKED in wide.page
    assert not Automation.objects.exists()

    stamp = wide.client.get(wide.address, {"draft": wide.draft, "step": 3}).context["reach"].stamp
    assert wide.post("save", name="All failures", confirmed=stamp).status_code == 302
    assert Automation.objects.get().name == "All failures"


def test_a_confirmation_of_something_else_confirms_nothing(wide: Filling) -> None:
    stamp = wide.client.get(wide.address, {"draft": wide.draft, "step": 3}).context["reach"].stamp
    wide.step = 1
    wide.post(event_type="RUN_STATE", states=["FAILED", "FINISHED"])
    wide.post(**NOTHING)

    assert wide.post("save", name="All ends", confirmed=stamp).status_code == 422
    assert not Automation.objects.exists()


def test_what_only_rehearses_needs_no_confirmation(wide: Filling) -> None:
    assert wide.post("save", name="All failures", shadow="on").status_code == 302
    assert Automation.objects.get().shadow


def test_an_automation_that_is_live_already_is_asked_about_when_it_reacts_to_something_else(
    wide: Filling, team: Team
) -> None:
    automation = factories.make_automation(team)
    filling = Filling(wide.client, f"/automations/{automation.pk}/edit")
    shown = filling.client.get(filling.address)

    assert filling.post("save", **same(shown) | {"states": ["FAILED"]}).status_code == 302
    assert filling.post("save", **same(shown) | {"states": ["FAILED", "FINISHED"]}).status_code == 422
    assert ASKED in filling.page


def test_in_a_project_nothing_is_confirmed(often: None, filling: Filling) -> None:
    filling.post(**FAILED)
    filling.post(**NOTHING)

    assert "times a day" not in filling.page
    assert filling.post("save", name="Failures").status_code == 302


def test_the_first_step_of_a_wide_one_costs_the_same_queries_however_much_it_covers(
    browser: Callable[[User], Client], alice: User, project: Project
) -> None:
    filling = Filling(browser(alice), f"/teams/{project.team.name}/automations/new")
    asked = {**FAILED, "run_name": "prod"}

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            filling.post("refresh", **asked)
        return len(captured)

    factories.make_run(project, display_name="prod-0")
    few = queries()
    for number in range(5):
        other = factories.make_project(project.team, f"more-{number}")
        factories.make_run(other, display_name=f"prod-{number}", summary={"loss": 1})

    assert queries() == few
    assert "Matches 6 of 6 runs." in filling.page
    assert "Now: 6 projects, 6 runs in the last 30 days." in filling.page
