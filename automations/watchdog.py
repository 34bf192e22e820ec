"""Notices a queue that takes no more work although its processes are alive.

django-q2's workers share one lock on their queue. A worker that is killed while it holds the lock leaves the
others waiting for ever, and nothing inside the cluster can tell. From outside it shows: executions are
overdue and nobody works.
"""

from datetime import datetime, timedelta

from automations.models import Attempt, Execution, Status

PATIENCE = timedelta(seconds=90)
"""Longer than the sweep's minute, which by itself brings back what was lost on the way to the queue."""


def is_stuck(*, at: datetime) -> bool:
    """Whether something has been due for `PATIENCE` while nobody held a claim or began an attempt."""
    if not Execution.objects.due(at - PATIENCE).exists():
        return False
    if Execution.objects.filter(status=Status.RUNNING, claimed_until__gt=at).exists():
        return False
    last = Attempt.objects.order_by("-pk").values_list("started_at", flat=True).first()
    return last is None or last < at - PATIENCE
