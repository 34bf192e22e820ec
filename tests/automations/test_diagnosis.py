"""What turned invalid after it was saved is said, never silently “no”."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from automations.diagnosis import problem_of
from automations.models import Automation, EventType, Execution
from projects import runs
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("stored", "problem"),
    [
        ({}, ""),
        ({"condition": {"states": ["SLEEPING"]}}, "cannot be evaluated: “SLEEPING” is not a state"),
        ({"filter": {"no_such": 1}}, 'cannot be evaluated: There is no field "no_such"'),
        ({"filter": {"display_name": {"$regex": "(?=x)"}}}, "cannot be evaluated: "),
        ({"payload": "{"}, "cannot be sent: "),
    ],
)
def test_a_stored_automation_says_what_is_wrong_with_it(stored: dict[str, Any], problem: str) -> None:
    automation = factories.make_automation()
    Automation.objects.update(**stored)
    automation.refresh_from_db()

    found = problem_of(automation)
    assert found.startswith(problem)
    assert bool(found) is bool(problem)


def test_it_neither_fires_nor_keeps_the_run_from_ending() -> None:
    automation = factories.make_automation()
    Automation.objects.update(filter={"no_such": 1})
    runs.finish(factories.make_run(), exit_code=1, by=None, at=timezone.now())

    assert not Execution.objects.exists()
    automation.refresh_from_db()
    assert problem_of(automation)


@pytest.mark.parametrize("event_type", [event_type for event_type in EventType if event_type != "ARTIFACT_ABSENCE"])
def test_every_event_has_sound_automations(event_type: EventType) -> None:
    assert problem_of(factories.make_automation(event_type=event_type)) == ""
