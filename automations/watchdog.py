"""Notices queue workers that take no more work although their processes are alive.

django-q2's workers share one lock on their queue, which an idle one holds while it waits. If that one is killed, the
others wait for ever, and nothing inside the cluster can tell. From outside it shows: a delivery that should run does
not, and still somebody is idle. While receivers are slow or tasks take long, either the deliveries run or everybody is
busy, so that is never taken for a hang.
"""

from __future__ import annotations

from django.conf import settings

from automations import turns

PATIENCE = 8.0
"""Seconds. The queue asks for a delivery that does not run every other second."""
START = 60.0
"""Seconds until workers must have begun after a start, on however busy a machine."""


class Watchdog:
    """Looks at the workers of this host, which are about to start; times are seconds of any one clock."""

    def __init__(self) -> None:
        turns.forget_beginning()
        self._since: float | None = None

    def is_stuck(self, *, now: float) -> bool:
        """Whether work has not been taken for too long although somebody could."""
        free = turns.free_deliveries()
        if not free or turns.count_busy() >= settings.Q_CLUSTER["workers"]:
            self._since = None
            return False
        if self._since is None:
            self._since = now
        return now - self._since > (PATIENCE if turns.has_begun() else START)
