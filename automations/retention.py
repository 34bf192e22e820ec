"""Deleting what is older than history is kept (HI5), a batch at a time, so that nobody waits for it.

Executions that are over go with their attempts, redeliveries and digests with the last of their executions. Events go
once no execution names them, later than executions where that is needed: replays look back 90 days whatever is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from automations.backtest.replay import PERIODS
from automations.models import Digest, Event, EventType, Execution, Notice, Purge, Redelivery, Status
from projects.models import RunState

log = structlog.get_logger(__name__)

# Rows of one transaction: SQLite has one writer, and nobody is to wait for this one.
AT_ONCE = 500
# Seconds for one run, well below the time after which the queue gives a task up. What is left goes with the next.
LONGEST = 30.0
OVER = (Status.FINISHED, Status.FAILED, Status.SKIPPED)
UNFINISHED = (RunState.PENDING, RunState.RUNNING)
# How many runs of this are kept, to be looked at.
RUNS_KEPT = 200


def kept_for() -> timedelta | None:
    """How long history is kept; None for ever."""
    days: int = settings.HISTORY_RETENTION_DAYS
    return timedelta(days=days) if days else None


def purge(*, at: datetime, longest: float = LONGEST, at_once: int = AT_ONCE) -> Purge | None:
    """Delete what is too old, for at most `longest` seconds, and note what was deleted. None if all is kept."""
    kept = kept_for()
    if kept is None:
        return None
    done = Purge.objects.create(
        started_at=at, executions_before=at - kept, events_before=at - max(kept, timedelta(days=max(PERIODS)))
    )
    ends = time.monotonic() + longest
    done.executions, first = _repeat(lambda: _delete_executions(done.executions_before, at_once), at_once, ends)
    done.events, second = _repeat(lambda: _delete_events(done.events_before, at_once), at_once, ends)
    done.notices, third = _repeat(lambda: _delete_notices(done.executions_before, at_once), at_once, ends)
    _, fourth = _repeat(lambda: _delete_redeliveries(done.executions_before, at_once), at_once, ends)
    _, fifth = _repeat(lambda: _delete_digests(done.executions_before, at_once), at_once, ends)
    done.complete = first and second and third and fourth and fifth
    done.seconds = longest - (ends - time.monotonic())
    done.save()
    Purge.objects.filter(pk__lte=done.pk - RUNS_KEPT).delete()
    log.info(
        "history_purged",
        executions=done.executions,
        events=done.events,
        notices=done.notices,
        complete=done.complete,
        before=done.executions_before.isoformat(),
    )
    return done


def _repeat(delete: Callable[[], int], at_once: int, ends: float) -> tuple[int, bool]:
    """Batch after batch, until one is not full or time is up: how many rows went, and whether these were all."""
    deleted = 0
    while time.monotonic() < ends:
        some = delete()
        deleted += some
        if some < at_once:
            return deleted, True
    return deleted, False


def _delete_executions(before: datetime, at_once: int) -> int:
    old = Execution.objects.filter(created_at__lt=before, status__in=OVER).order_by("created_at")
    with transaction.atomic():
        # Held, so that one which somebody takes up again at this moment stays.
        pks = list(old.select_for_update().values_list("pk", flat=True)[:at_once])
        Execution.objects.filter(pk__in=pks).only("pk").delete()
    return len(pks)


def _delete_events(before: datetime, at_once: int) -> int:
    used = Exists(Execution.objects.filter(event=OuterRef("pk")))
    # What says that a collection without versions was told of, and since when a run that goes on is what it is.
    needed = Q(kind=EventType.ARTIFACT_ABSENCE) | Q(run__state__in=UNFINISHED)
    old = Event.objects.filter(~needed | Q(run=None) & ~Q(kind=EventType.ARTIFACT_ABSENCE), occurred_at__lt=before)
    with transaction.atomic():
        pks = list(old.filter(~used).order_by("occurred_at").values_list("pk", flat=True)[:at_once])
        # Who starts an execution of an event holds it: asked again, with the events held, there are none to come.
        held = list(Event.objects.select_for_update().filter(pk__in=pks).values_list("pk", flat=True))
        Event.objects.filter(~used, pk__in=held).only("pk").delete()
    return len(pks)


def _delete_redeliveries(before: datetime, at_once: int) -> int:
    """Wishes of which no execution is left; an edited payload is not kept longer than what was sent of it."""
    left = Exists(Execution.objects.filter(redelivery=OuterRef("pk")))
    old = Redelivery.objects.filter(~left, asked_at__lt=before).exclude(prepared_at=None, cancelled_at=None)
    with transaction.atomic():
        pks = list(old.order_by("asked_at").values_list("pk", flat=True)[:at_once])
        Redelivery.objects.filter(pk__in=pks).delete()
    return len(pks)


def _delete_digests(before: datetime, at_once: int) -> int:
    """Digests of which no execution is left."""
    left = Exists(Execution.objects.filter(digest=OuterRef("pk")))
    old = Digest.objects.filter(~left, finished_at__lt=before).order_by("finished_at")
    with transaction.atomic():
        pks = list(old.values_list("pk", flat=True)[:at_once])
        Digest.objects.filter(pk__in=pks).delete()
    return len(pks)


def _delete_notices(before: datetime, at_once: int) -> int:
    old = Notice.objects.filter(changed_at__lt=before, closed_at__isnull=False).order_by("changed_at")
    with transaction.atomic():
        pks = list(old.values_list("pk", flat=True)[:at_once])
        Notice.objects.filter(pk__in=pks).delete()
    return len(pks)
