"""The queue beside the database's transactions: in the database, and in Redis (RE1, RE3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from automations import tasks
from automations.models import Execution, Status
from projects import runs
from tests import factories

pytestmark = pytest.mark.django_db


def test_the_sweep_adds_nothing_to_a_queue_that_is_merely_behind() -> None:
    factories.make_automation(condition={"states": ["RUNNING"]})
    for _ in range(3):
        factories.make_run()
    assert OrmQ.objects.count() == 3
    later = timezone.now() + timedelta(minutes=5)
    with time_machine.travel(later, tick=False):
        assert tasks.sweep() == 0
        OrmQ.objects.latest("pk").delete()
        assert tasks.sweep() == 3


def test_with_redis_tasks_are_sent_on_commit_and_retries_wait_for_the_sweep(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    """RE3: what is in Redis is not part of a transaction, so nothing goes there before the commit."""
    sent: list[tuple[Any, ...]] = []
    settings.Q_CLUSTER = {"name": "automations", "redis": "redis://nowhere"}
    monkeypatch.setattr("automations.queueing.async_task", lambda *args, **_kwargs: sent.append(args))
    with django_capture_on_commit_callbacks(execute=True):
        factories.make_automation()
        run = factories.make_run()
        runs.finish(run, exit_code=1, by=run.user, at=timezone.now())
        assert sent == []
    execution = Execution.objects.get()
    assert sent == [("automations.tasks.run_execution", execution.pk)]
    with django_capture_on_commit_callbacks(execute=True):
        assert tasks.sweep() == 1
    assert len(sent) == 2


def test_re1_a_redis_that_is_down_does_not_make_a_committed_change_look_refused(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    def down(*_args: Any, **_kwargs: Any) -> None:
        raise ConnectionError("Redis is down")

    settings.Q_CLUSTER = {"name": "automations", "redis": "redis://nowhere"}
    monkeypatch.setattr("automations.queueing.async_task", down)
    factories.make_automation()
    run = factories.make_run()
    with django_capture_on_commit_callbacks(execute=True):
        runs.finish(run, exit_code=1, by=run.user, at=timezone.now())
    assert Execution.objects.get().status == Status.PENDING
