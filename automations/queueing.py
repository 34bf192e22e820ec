"""The queue, seen from the product: put a task in, in the transaction that makes it necessary.

With the database broker the queue row is part of that transaction: both exist after commit, or neither does. With Redis
the task is sent on commit, and the sweep finds what a crash in between left behind.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django_q.brokers import get_broker
from django_q.brokers.orm import ORM
from django_q.models import OrmQ
from django_q.tasks import async_task

RUN_EXECUTION = "automations.tasks.run_execution"


class DueBroker(ORM):  # type: ignore[misc]  # django-q2 has no types
    """The database broker with a due time: a row is locked until then, as if a worker held it."""

    def __init__(self, due: datetime) -> None:
        super().__init__()
        self.due = due

    def enqueue(self, task: str) -> int:
        pk: int = OrmQ.objects.create(key=self.list_key, payload=task, lock=self.due).pk
        return pk


def enqueue_execution(pk: int) -> None:
    """Have a worker run this execution now."""
    if queue_is_in_database():
        async_task(RUN_EXECUTION, pk)
    else:
        # Robust: the change is committed, and a queue that is down must not make it look refused. The sweep finds it.
        transaction.on_commit(lambda: async_task(RUN_EXECUTION, pk), robust=True)


def enqueue_execution_at(pk: int, *, due: datetime) -> None:
    """Have a worker run this execution when its time has come; with Redis the sweep does that, once a minute."""
    if queue_is_in_database():
        async_task(RUN_EXECUTION, pk, broker=DueBroker(due))


def waiting() -> int:
    """How many tasks wait for a worker now."""
    size: int = get_broker().queue_size()
    return size


def queue_is_in_database() -> bool:
    """Whether queue rows share the transactions of the product's own rows."""
    return "orm" in settings.Q_CLUSTER
