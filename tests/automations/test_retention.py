"""HI5: history is kept for a time, and deleted by a job that can be looked at."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from automations import notices, redelivering, retention, tasks
from automations.models import (
    Attempt,
    Digest,
    Event,
    EventType,
    Execution,
    HeldFor,
    Notice,
    NoticeKind,
    Purge,
    Redelivery,
    Status,
)
from projects import runs
from projects.models import Project, Run, User
from tests import factories
from tests.admin_pages import page, shown

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


@pytest.fixture
def run(project: Project) -> Run:
    """A run that has ended."""
    run = factories.make_run(project, at=days_ago(400))
    runs.finish(run, exit_code=0, by=run.user, at=days_ago(399))
    Event.objects.all().delete()
    return run


def happened(run: Run, days: float, **fields: Any) -> Execution:
    """An event and its execution of so many days ago."""
    event = factories.make_event(run, occurred_at=days_ago(days), dedupe_key=f"{days} {fields}")
    automation = factories.make_automation(run.project, name=f"of {days} {fields}")
    return factories.make_execution(automation, event, created_at=days_ago(days), **fields)


def purge(**fields: Any) -> Purge:
    done = retention.purge(at=NOW, **fields)
    assert done is not None
    return done


def test_hi5_what_is_older_than_90_days_goes_with_its_attempts_and_events(run: Run) -> None:
    old, young = happened(run, 91), happened(run, 89)
    for execution in (old, young):
        Attempt.objects.create(execution=execution, number=1, started_at=execution.created_at, url="")
    done = purge()
    assert list(Execution.objects.all()) == [young]
    assert list(Event.objects.all()) == [young.event]
    assert Attempt.objects.get().execution == young
    assert (done.executions, done.events, done.complete) == (1, 1, True)


@pytest.mark.parametrize("status", [Status.PENDING, Status.RUNNING])
def test_what_is_under_way_is_never_deleted(run: Run, status: Status) -> None:
    execution = happened(run, 300, status=status)
    purge()
    assert list(Execution.objects.all()) == [execution]
    assert list(Event.objects.all()) == [execution.event]


def test_zero_days_keep_all(run: Run, settings: Settings) -> None:
    settings.HISTORY_RETENTION_DAYS = 0
    happened(run, 5000)
    assert retention.purge(at=NOW) is None
    assert tasks.purge_history() == 0
    assert Execution.objects.count() == 1
    assert not Purge.objects.exists()


def test_events_are_kept_for_the_longest_replay_even_if_executions_are_not(run: Run, settings: Settings) -> None:
    settings.HISTORY_RETENTION_DAYS = 7
    happened(run, 30)
    happened(run, 91)
    purge()
    assert not Execution.objects.exists()
    assert Event.objects.get().occurred_at == days_ago(30)


def test_events_that_are_still_needed_stay(run: Run) -> None:
    """A silence that was told of would be found again, and a run that goes on is what its last event says."""
    goes_on = factories.make_run(run.project, at=days_ago(200), run_id="goes-on")
    Event.objects.all().delete()
    needed = [
        factories.make_event(goes_on, occurred_at=days_ago(200)),
        factories.make_event(run, kind=EventType.ARTIFACT_ABSENCE, occurred_at=days_ago(200)),
    ]
    factories.make_event(run, occurred_at=days_ago(200))
    factories.make_event(run, kind=EventType.CREATE_ARTIFACT, occurred_at=days_ago(200), run_id=None)
    assert purge().events == 2
    assert list(Event.objects.order_by("pk")) == needed


def test_closed_notices_go_and_open_ones_stay(run: Run) -> None:
    first, second = (factories.make_webhook(run.project.team, name=name) for name in ("first", "second"))
    for hook in (first, second):
        notices.tell(NoticeKind.FAILING, hook, sentence="It failed.", at=days_ago(200))
    notices.recovered(first, because="It works again.", at=days_ago(199))
    assert purge().notices == 1
    assert Notice.objects.get().webhook == second


def test_a_redelivery_outlives_what_it_repeats(run: Run) -> None:
    old = happened(run, 100)
    redelivered = factories.make_execution(old.automation, factories.make_event(run), origin=old)
    purge()
    redelivered.refresh_from_db()
    assert redelivered.origin is None


def test_what_was_not_done_in_time_is_left_for_the_next_run(run: Run) -> None:
    for number in range(5):
        happened(run, 100 + number)
    done = purge(longest=0)
    assert (done.executions, done.complete) == (0, False)
    done = purge(at_once=2)
    assert (done.executions, done.events, done.complete) == (5, 5, True)


def test_the_job_is_seen_by_operators(run: Run, operator: Client) -> None:
    happened(run, 100)
    tasks.purge_history()
    assert "Executions" in shown(operator.get(page(Purge, "changelist")))
    assert "The next one" in shown(operator.get(page(Purge, "change", Purge.objects.get().pk)))


def test_50_000_old_rows_go_in_batches_that_nobody_notices(run: Run) -> None:
    """Each batch holds SQLite's one writer for well below a second."""
    automation = factories.make_automation(run.project)
    count = 50_000
    fields = {"kind": EventType.RUN_STATE, "project": run.project, "run": run, "occurred_at": days_ago(100)}
    Event.objects.bulk_create([Event(dedupe_key=str(number), **fields) for number in range(count)], batch_size=5_000)
    common = {"automation": automation, "project": run.project, "status": Status.FINISHED, "created_at": days_ago(100)}
    events = Event.objects.values_list("pk", flat=True)
    Execution.objects.bulk_create([Execution(event_id=pk, event_type="RUN_STATE", **common) for pk in events], 5_000)
    began = time.monotonic()
    done = purge(longest=2.0)
    assert time.monotonic() - began < 6.0
    assert done.executions >= 2_000
    assert done.complete is False


def test_a_redelivery_goes_with_the_last_of_its_executions(run: Run, alice: User) -> None:
    rule = {"name": "a", "event_type": "RUN_STATE", "action_kind": "NO_OP"}
    origin = happened(run, 100, rule=rule)
    factories.make_team(admin=alice)
    for days in (95, 80):
        made = redelivering.redeliver(origin, redelivering.Wish(), by=alice, at=days_ago(days))
        Execution.objects.filter(pk=made.pk).update(status=Status.FINISHED, next_attempt_at=None)
    purge()
    kept = Execution.objects.get()
    assert (kept.created_at, kept.origin) == (days_ago(80), None)
    assert Redelivery.objects.get() == kept.redelivery


def test_a_digest_goes_with_the_last_of_its_executions(run: Run) -> None:
    for days in (100, 80):
        ended = days_ago(days)
        digest = Digest.objects.create(
            reason=HeldFor.NOISE_BUDGET, opened_at=ended, due_at=ended, closed_at=ended, finished_at=days_ago(95)
        )
        happened(run, days, digest=digest)
    purge()
    assert list(Digest.objects.all()) == [Execution.objects.get().digest]
