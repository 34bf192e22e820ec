"""What becomes of times in the database when the machine's clock is set back.

They were written by a clock that was ahead: what was due then would wait for as long as the clock went back, and
a dead worker's lease would last as long. Whoever delivers looks for such times at its start, which it counts by a
clock that nobody sets. When the clock is set forward there is nothing to do: what becomes due by it is due.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db.models import Q

from automations import schedules
from automations.claims import lease
from automations.models import Execution, Status

log = structlog.get_logger(__name__)

# By how much the clocks of hosts that share a database may differ.
SKEW = timedelta(seconds=60)


def heed(*, at: datetime) -> int:
    """Bring what waits for a time that a wrong clock wrote back to now. Returns how much there was."""
    return (
        _noted("executions", _hurry_executions(at))
        + _noted("leases", _shorten_leases(at))
        + _noted("schedules", schedules.hurry(at=at, skew=SKEW))
    )


def _hurry_executions(at: datetime) -> int:
    """Executions that were last touched in the future: their due time means nothing, so they are due."""
    touched = Q(started_at__gt=at + SKEW) | Q(started_at=None, created_at__gt=at + SKEW)
    found = Execution.objects.filter(touched, status=Status.PENDING, next_attempt_at__gt=at)
    return found.update(next_attempt_at=at)


def _shorten_leases(at: datetime) -> int:
    """No lease given now ends later than this one; its worker may be alive, so it keeps the time of a send."""
    found = Execution.objects.filter(status=Status.RUNNING, claimed_until__gt=at + lease() + SKEW)
    return found.update(claimed_until=at + lease())


def _noted(what: str, count: int) -> int:
    if count:
        log.warning("clock_went_back", what=what, count=count)
    return count
