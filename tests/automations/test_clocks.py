"""A clock that was set back: what it wrote while it was ahead keeps nothing waiting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django_q.models import Schedule

from automations import clocks
from automations.claims import lease
from automations.models import Execution, Status
from tests import factories

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
AHEAD = NOW + timedelta(hours=2)
SECOND = timedelta(seconds=1)


@pytest.fixture
def execution(db: None) -> Execution:
    """One that was made now and is due."""
    return factories.make_execution(status=Status.PENDING, created_at=NOW, next_attempt_at=NOW)


def after_a_look(execution: Execution, **fields: Any) -> Execution:
    Execution.objects.filter(pk=execution.pk).update(**fields)
    clocks.heed(at=NOW)
    execution.refresh_from_db()
    return execution


def test_what_was_made_by_a_clock_that_was_ahead_is_due(execution: Execution) -> None:
    assert after_a_look(execution, created_at=AHEAD, next_attempt_at=AHEAD).next_attempt_at == NOW


def test_a_retry_after_an_attempt_by_a_clock_that_was_ahead_is_due(execution: Execution) -> None:
    retry = after_a_look(execution, started_at=AHEAD, next_attempt_at=AHEAD + timedelta(minutes=5), attempt_count=1)
    assert retry.next_attempt_at == NOW


@pytest.mark.parametrize("waits", [5 * SECOND, timedelta(hours=12)])
def test_a_retry_that_waits_by_the_right_clock_goes_on_waiting(execution: Execution, waits: timedelta) -> None:
    retry = after_a_look(execution, started_at=NOW - SECOND, next_attempt_at=NOW + waits, attempt_count=1)
    assert retry.next_attempt_at == NOW + waits


def test_hosts_whose_clocks_differ_a_little_leave_each_other_alone(execution: Execution) -> None:
    later = NOW + clocks.SKEW - SECOND
    assert after_a_look(execution, created_at=later, next_attempt_at=later).next_attempt_at == later


def test_a_lease_by_a_clock_that_was_ahead_lasts_as_long_as_a_send(execution: Execution) -> None:
    running = after_a_look(execution, status=Status.RUNNING, started_at=AHEAD, claimed_until=AHEAD + lease())
    assert running.status == Status.RUNNING
    assert running.claimed_until == NOW + lease()


def test_a_lease_by_the_right_clock_keeps_its_end(execution: Execution) -> None:
    until = NOW + lease() - SECOND
    assert after_a_look(execution, status=Status.RUNNING, started_at=NOW, claimed_until=until).claimed_until == until


def test_what_happens_each_minute_goes_on(db: None) -> None:
    Schedule.objects.update(next_run=AHEAD)
    assert clocks.heed(at=NOW) > 0
    assert set(Schedule.objects.filter(minutes=1).values_list("next_run", flat=True)) == {NOW}


def test_a_schedule_that_waits_for_its_hour_goes_on_waiting(db: None) -> None:
    soon = NOW + timedelta(minutes=59)
    Schedule.objects.filter(minutes=60).update(next_run=soon)
    Schedule.objects.filter(minutes=1).update(next_run=NOW + timedelta(seconds=59))
    assert clocks.heed(at=NOW) == 0
    assert set(Schedule.objects.filter(minutes=60).values_list("next_run", flat=True)) == {soon}
