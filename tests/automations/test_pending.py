"""What waits is tried at once, or cancelled (HI2, and chapter 8 of the specification)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone

from automations import executions, pending
from automations.models import Execution, ReasonCode, Status
from tests import factories

if TYPE_CHECKING:
    from projects.models import Project, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(project: Project) -> Execution:
    """An execution that is to be tried again in an hour."""
    due = timezone.now() + timedelta(hours=1)
    return factories.make_execution(
        factories.make_automation(project),
        status=Status.PENDING,
        next_attempt_at=due,
        attempt_count=3,
        rule={"name": "a", "event_type": "RUN_STATE", "action_kind": "NO_OP"},
    )


def test_what_waits_can_be_tried_now(waiting: Execution, alice: User) -> None:
    now = timezone.now()
    pending.try_now(waiting, by=alice, at=now)
    assert Execution.objects.next_due() == now
    executions.run(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.attempt_count) == (Status.FINISHED, 4)


def test_what_waits_can_be_cancelled_and_stays_in_the_history(waiting: Execution, alice: User) -> None:
    """HI2"""
    pending.cancel(waiting, by=alice, at=timezone.now())
    executions.run(waiting.pk, now=timezone.now() + timedelta(days=1))
    waiting.refresh_from_db()
    assert (waiting.status, waiting.reason_code, waiting.cancelled_by) == (
        Status.SKIPPED,
        ReasonCode.CANCELLED,
        alice,
    )
    assert waiting.result == "Cancelled by alice."
    assert (waiting.finished_at is not None, waiting.next_attempt_at) == (True, None)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [(Status.RUNNING, "cannot be called back"), (Status.FINISHED, "over already: Finished")],
)
def test_what_does_not_wait_is_left_alone(waiting: Execution, alice: User, status: Status, sentence: str) -> None:
    Execution.objects.update(status=status, claimed_until=timezone.now() + timedelta(minutes=1))
    for act in (pending.try_now, pending.cancel):
        with pytest.raises(pending.NotWaiting, match=sentence):
            act(waiting, by=alice, at=timezone.now())
    waiting.refresh_from_db()
    assert waiting.status == status


def test_only_team_admins_may(waiting: Execution, bob: User, charlie: User) -> None:
    """Chapter 8"""
    for act in (pending.try_now, pending.cancel):
        with pytest.raises(PermissionDenied):
            act(waiting, by=bob, at=timezone.now())
        with pytest.raises(Http404):
            act(waiting, by=charlie, at=timezone.now())
    waiting.refresh_from_db()
    assert (waiting.status, waiting.cancelled_by) == (Status.PENDING, None)
