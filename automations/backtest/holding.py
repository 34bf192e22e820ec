"""EV11 and EV12 in memory, for matches that happen in order."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
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


@dataclass(slots=True)
class Span:
    """A minute or an hour, which begins with a firing, and how many more there were in it."""

    length: timedelta
    limit: int
    began_at: datetime | None = None
    count: int = 0

    def has_room(self, at: datetime) -> bool:
        return self.is_over(at) or self.count < self.limit

    def is_over(self, at: datetime) -> bool:
        return self.began_at is None or self.began_at <= at - self.length

    def note(self, at: datetime) -> None:
        if self.is_over(at):
            self.began_at, self.count = at, 0
        self.count += 1


def within_limits(moments: Iterable[datetime]) -> Iterator[bool]:
    """For each of the moments, in order, whether a wide automation may start one more execution then."""
    spans = [Span(length, limit) for length, limit in LIMITS]
    for moment in moments:
        fits = all(span.has_room(moment) for span in spans)
        if fits:
            for span in spans:
                span.note(moment)
        yield fits
