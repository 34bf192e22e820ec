"""The watchdog calls a queue stuck only when work waits and nobody works."""

from datetime import UTC, datetime, timedelta

import pytest

from automations import watchdog
from automations.models import Attempt, Automation, Execution, Status
from tests import factories

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG_AGO = NOW - watchdog.PATIENCE - timedelta(seconds=1)

pytestmark = pytest.mark.django_db


def an_automation() -> Automation:
    return Automation.objects.first() or factories.make_automation()


def waiting_since(due: datetime) -> Execution:
    return factories.make_execution(an_automation(), status=Status.PENDING, next_attempt_at=due)


def test_an_idle_queue_is_not_stuck() -> None:
    assert not watchdog.is_stuck(at=NOW)


def test_work_that_nobody_takes_is_a_stuck_queue() -> None:
    waiting_since(LONG_AGO)
    assert watchdog.is_stuck(at=NOW)


def test_work_that_has_just_become_due_is_given_time() -> None:
    waiting_since(NOW - timedelta(seconds=30))
    assert not watchdog.is_stuck(at=NOW)


def test_a_retry_that_is_due_later_is_not_waiting() -> None:
    waiting_since(NOW + timedelta(hours=2))
    assert not watchdog.is_stuck(at=NOW)


def test_a_busy_queue_with_a_backlog_is_not_stuck() -> None:
    waiting_since(LONG_AGO)
    working = waiting_since(LONG_AGO)
    Attempt.objects.create(execution=working, number=1, started_at=NOW - timedelta(seconds=20), url="https://a.example")
    assert not watchdog.is_stuck(at=NOW)


def test_an_old_attempt_does_not_count_as_work() -> None:
    execution = waiting_since(LONG_AGO)
    Attempt.objects.create(execution=execution, number=1, started_at=LONG_AGO, url="https://a.example")
    assert watchdog.is_stuck(at=NOW)


def test_a_claim_that_is_held_counts_as_work() -> None:
    waiting_since(LONG_AGO)
    factories.make_execution(an_automation(), status=Status.RUNNING, claimed_until=NOW + timedelta(seconds=10))
    assert not watchdog.is_stuck(at=NOW)
