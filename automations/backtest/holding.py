"""EV11 and EV12 in memory, for matches that happen in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from automations.cooldowns import QUIET_FOR
from automations.models import ScopeKind

# EV12, for automations of these scopes.
WIDE: Final = frozenset({ScopeKind.ORGANIZATION, ScopeKind.TEAM, ScopeKind.REGISTRY})
LIMITS: Final = ((timedelta(minutes=1), 60), (timedelta(hours=1), 1_000))


class OncePerDay:
    """What `cooldowns.claim` decides in the database."""

    def __init__(self) -> None:
        self._fired: dict[Hashable, datetime] = {}

    def claim(self, what: Hashable, *, at: datetime) -> bool:
        """Whether it may fire for this run and key at that time; if so, it has."""
        before = self._fired.get(what)
        if before is not None and before > at - QUIET_FOR:
            return False
        self._fired[what] = at
        return True


def within_limits(moments: Sequence[datetime]) -> Iterator[bool]:
    """For each of the moments, in order, whether a wide automation may start one more execution then."""
    started: deque[datetime] = deque(maxlen=max(count for _, count in LIMITS))
    for moment in moments:
        fits = all(
            len(started) < count or started[-count] <= moment - window  # the one that would make it one too many
            for window, count in LIMITS
        )
        if fits:
            started.append(moment)
        yield fits
