"""EV12: automations of wide scopes fire a limited number of times a minute and an hour; the surplus is skipped."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import hypothesis
import pytest
import time_machine
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from pytest_django import Settings

from automations import limits
from automations.models import Allowance, Automation, EventType, Execution, ReasonCode, Status
from projects import runs
from projects.models import Project
from registries import labels
from registries.models import Registry
from tests import factories

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def take(automation: Automation, *, seconds: float) -> bool:
    return bool(limits.take([automation.pk], at=NOON + timedelta(seconds=seconds)))


def fail_runs(project: Project, count: int) -> list[Execution]:
    """So many runs fail, one after another; what came of it, oldest first."""
    for _ in range(count):
        run = factories.make_run(project)
        runs.finish(run, exit_code=1, by=None, at=timezone.now())
    return list(Execution.objects.order_by("pk"))


@pytest.fixture
def two_a_minute(settings: Settings) -> None:
    settings.RATE_LIMIT_PER_MINUTE = 2
    settings.RATE_LIMIT_PER_HOUR = 5


def test_ev12_by_default_it_is_sixty_a_minute_and_a_thousand_an_hour(settings: Settings) -> None:
    assert (settings.RATE_LIMIT_PER_MINUTE, settings.RATE_LIMIT_PER_HOUR) == (60, 1_000)


@pytest.mark.django_db
@pytest.mark.usefixtures("two_a_minute")
def test_ev12_a_minute_begins_with_the_firing_after_the_last_one() -> None:
    automation = factories.make_automation()

    taken = [take(automation, seconds=seconds) for seconds in (50, 70, 109.9, 110, 120, 169, 170)]

    assert taken == [True, True, False, True, True, False, True]


@pytest.mark.django_db
@pytest.mark.usefixtures("two_a_minute")
def test_ev12_an_hour_is_full_although_its_minutes_are_not() -> None:
    automation = factories.make_automation()

    taken = [take(automation, seconds=minutes * 60) for minutes in (0, 10, 20, 30, 40, 50, 59.9, 60, 61)]

    assert taken == [True] * 5 + [False, False, True, True]
    assert Allowance.objects.get().in_hour == 2


@pytest.mark.django_db
@pytest.mark.usefixtures("two_a_minute")
def test_ev12_what_is_refused_is_not_counted() -> None:
    automation = factories.make_automation()
    for seconds in (0, 1, 2, 3, 4):
        take(automation, seconds=seconds)

    row = Allowance.objects.get()
    assert (row.in_minute, row.in_hour) == (2, 2)


@pytest.mark.django_db
@pytest.mark.usefixtures("two_a_minute")
def test_ev12_each_automation_has_an_allowance_of_its_own_and_all_are_asked_at_once(
    django_assert_num_queries: object,
) -> None:
    pks = {factories.make_automation(name=f"number {number}").pk for number in range(3)}
    spent = min(pks)
    limits.take([spent], at=NOON)
    limits.take([spent], at=NOON)

    with django_assert_num_queries(1):  # type: ignore[operator]
        assert limits.take(pks, at=NOON) == pks - {spent}


@pytest.mark.django_db
@pytest.mark.usefixtures("two_a_minute")
def test_ev12_the_surplus_of_a_team_is_skipped_and_says_why_and_until_when(project: Project) -> None:
    factories.make_automation(project.team)

    with time_machine.travel(NOON, tick=False):
        *fired, surplus = fail_runs(project, 3)

    assert [execution.status for execution in fired] == [Status.PENDING] * 2
    assert (surplus.status, surplus.reason_code, surplus.finished_at) == (Status.SKIPPED, ReasonCode.RATE_LIMIT, NOON)
    assert surplus.next_attempt_at is None
    assert surplus.result == (
        "It had fired 2 times within a minute, as often as an automation of an organization, a team or a registry may."
        " It fires again from 12:01:00 UTC on; an operator can allow more with RATE_LIMIT_PER_MINUTE."
    )


@pytest.mark.django_db
@pytest.mark.usefixtures("two_a_minute")
def test_ev12_the_surplus_of_an_hour_names_the_hour(project: Project) -> None:
    factories.make_automation(project.team.organization)
    with time_machine.travel(NOON, tick=False) as clock:
        for minutes in range(6):
            clock.move_to(NOON + timedelta(minutes=minutes))
            last = fail_runs(project, 1)[-1]

    assert last.reason_code == ReasonCode.RATE_LIMIT
    assert "5 times within an hour" in last.result
    assert "from 13:00:00 UTC on" in last.result


@pytest.mark.django_db
@pytest.mark.usefixtures("two_a_minute")
def test_ev12_an_automation_of_a_project_is_not_limited(project: Project) -> None:
    factories.make_automation(project)

    assert {execution.status for execution in fail_runs(project, 5)} == {Status.PENDING}
    assert not Allowance.objects.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("two_a_minute")
def test_ev12_a_registry_is_wide(registry: Registry) -> None:
    factories.make_automation(registry, EventType.ADD_ARTIFACT_ALIAS)
    linked = factories.make_link(factories.make_version(), factories.make_collection(registry))

    for alias in ("one", "two", "three"):
        labels.add_alias(linked, alias, by=factories.make_user(), at=NOON)

    statuses = list(Execution.objects.order_by("pk").values_list("status", flat=True))
    assert statuses == [Status.PENDING, Status.PENDING, Status.SKIPPED]


@pytest.mark.django_db(transaction=True)
def test_ev12_of_a_hundred_simultaneous_firings_sixty_pass() -> None:
    automation = factories.make_automation()

    def fire(_: int) -> int:
        try:
            with transaction.atomic():
                return len(limits.take([automation.pk], at=NOON))
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(fire, range(100))) == 60
    assert Allowance.objects.get().in_minute == 60


class Naive:
    """What the statement does, in plain words: minutes and hours that begin with a firing."""

    def __init__(self) -> None:
        self.minute, self.in_minute, self.hour, self.in_hour = -math.inf, 0, -math.inf, 0

    def take(self, second: float) -> bool:
        new_minute, new_hour = second - self.minute >= 60, second - self.hour >= 3_600
        if not (new_minute or self.in_minute < 2) or not (new_hour or self.in_hour < 5):
            return False
        self.minute, self.in_minute = (second, 1) if new_minute else (self.minute, self.in_minute + 1)
        self.hour, self.in_hour = (second, 1) if new_hour else (self.hour, self.in_hour + 1)
        return True


@pytest.mark.django_db
@pytest.mark.usefixtures("two_a_minute")
@hypothesis.settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from([0, 1, 19, 30, 59, 60, 61, 600, 1_799, 3_600]), max_size=25))
def test_ev12_any_firings_are_limited_as_in_plain_words(steps: list[int]) -> None:
    with transaction.atomic():
        automation, naive, now = factories.make_automation(), Naive(), 0
        for step in steps:
            now += step
            assert take(automation, seconds=now) is naive.take(now)
        transaction.set_rollback(True)
