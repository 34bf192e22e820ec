"""The queue: what the clock brings, and the deliveries that carry executions out.

An execution needs no task of its own. Its row says when it is due, is written in the transaction that makes it
necessary, and is gone from what is due when it is carried out: it *is* the queue, in whichever database, with Redis or
without. What django-q2 runs are the deliveries that look there (`automations.delivering`), one for each worker, and the
tasks of the clock on one worker more, so that neither waits for the other.

No wake-up can be lost, however many events come at once. A delivery clears its ear, then looks, then waits: a row
committed before the look is seen by it, and one committed later rings afterwards, which ends the wait. A thousand rings
are one look. Who is killed between commit and ring leaves the row, which is found within a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import IO, Any

import structlog
from django.db import connection, transaction
from django.dispatch import receiver
from django.utils import timezone
from django_q.brokers import Broker
from django_q.brokers.orm import ORM
from django_q.brokers.redis_broker import Redis
from django_q.conf import Conf
from django_q.signals import post_execute_in_worker, pre_execute
from django_q.tasks import async_task

from automations import turns, wake
from automations.delivering import timeout
from automations.health import OUT_OF_REACH

log = structlog.get_logger(__name__)

DELIVER = "automations.tasks.deliver"
# Seconds until the pusher looks whether it was told to stop.
LISTENS_FOR = 0.25
LOOKS_EVERY = 1.0
# Seconds a delivery has to begin before it is asked for again.
ASKS_EVERY = 2.0

Task = tuple[Any, Any]


class _Pushing(Broker):  # type: ignore[misc]  # django-q2 has no types
    """What is the same with both brokers. django-q2's pusher, one process of each cluster, calls `dequeue` for ever."""

    _pusher: _Pusher | None = None

    def enqueue(self, task: str) -> Any:
        place = super().enqueue(task)
        transaction.on_commit(lambda: wake.ring(wake.QUEUE), robust=True)
        return place

    def dequeue(self) -> list[Task] | None:
        """Tasks for workers, among them the deliveries that are not running; None after waiting for a moment."""
        if self._pusher is None:
            self._pusher = _Pusher()
        return self._pusher.next_tasks(self.waiting) or None

    def waiting(self) -> list[Task]:
        """Take tasks that wait for a worker now."""
        raise NotImplementedError


class _Pusher:
    """What the pusher remembers between two looks."""

    def __init__(self) -> None:
        self._ear = wake.Ear(wake.QUEUE)
        self._notices = wake.Notices()
        self._asked_at: dict[int, float] = {}
        self._look_at = 0.0

    def next_tasks(self, waiting: Callable[[], list[Task]]) -> list[Task]:
        deliveries = self._deliveries()
        try:
            tasks = deliveries + self._look(waiting)
            if not tasks:
                self._listen()
        except OUT_OF_REACH as problem:
            # django-q2 would end the pusher over this, and start another ten seconds later.
            log.warning("queue_out_of_reach", reason=type(problem).__name__)
            connection.close()
            self._notices.close()
            self._ear.wait(LISTENS_FOR)
            return deliveries
        return tasks

    def _look(self, waiting: Callable[[], list[Task]]) -> list[Task]:
        """What waits in the queue, if somebody rang or a second has gone by."""
        now = time.monotonic()
        if not self._ear.clear() and now < self._look_at:
            return []
        found = waiting()
        self._look_at = now if found else now + LOOKS_EVERY
        return found

    def _deliveries(self) -> list[Task]:
        """Those that are not running, unless they were asked for just now."""
        now = time.monotonic()
        wanted = [
            number for number in turns.free_deliveries() if now - self._asked_at.get(number, -ASKS_EVERY) >= ASKS_EVERY
        ]
        self._asked_at |= dict.fromkeys(wanted, now)
        return [(None, _packed(DELIVER, number, timeout=timeout())) for number in wanted]

    def _listen(self) -> None:
        """Wait for a moment, and pass on to the deliveries of this host what other hosts announce."""
        self._ear.wait(LISTENS_FOR, *self._notices.sources())
        if self._notices.came():
            wake.ring(wake.DELIVERY)


class DatabaseBroker(_Pushing, ORM):  # type: ignore[misc]
    """Tasks are rows: both the row and what made it necessary exist after commit, or neither does."""

    def waiting(self) -> list[Task]:
        now = timezone.now()
        with transaction.atomic():
            rows = self.get_connection().filter(key=self.list_key, lock__lt=now).order_by("id")
            found = list(rows.select_for_update(skip_locked=True).values_list("pk", "payload")[: Conf.BULK])
            self.get_connection().filter(pk__in=[pk for pk, _ in found]).update(lock=self.timeout(None))
        return found


class RedisBroker(_Pushing, Redis):  # type: ignore[misc]
    """Tasks of the clock are in Redis. What is lost with it comes again with the next minute."""

    def waiting(self) -> list[Task]:
        packed = self.connection.lpop(self.list_key, Conf.BULK) or []
        return [(None, task) for task in packed]


class _Packing(Broker):  # type: ignore[misc]
    """Takes a task as it would be queued, and queues it nowhere."""

    packed = ""

    @staticmethod
    def get_connection(list_key: str | None = None) -> None:  # noqa: ARG004
        return None

    def enqueue(self, task: str) -> None:
        self.packed = task


def _packed(func: str, *args: Any, timeout: int) -> str:
    broker = _Packing()
    async_task(func, *args, broker=broker, timeout=timeout)
    return broker.packed


_at_work: IO[str] | None = None


@receiver(pre_execute)
def _begin_work(**_: Any) -> None:
    """In a worker: say that it is not idle (`automations.watchdog`)."""
    global _at_work  # noqa: PLW0603  a worker does one thing at a time
    _at_work = turns.take(turns.busy())


@receiver(post_execute_in_worker)
def _end_work(**_: Any) -> None:
    if _at_work is not None:
        _at_work.close()
