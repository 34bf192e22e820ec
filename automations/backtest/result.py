"""What a replay found, and how it says it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

NAMED = 3


@dataclass(frozen=True, slots=True)
class Period:
    """The part of history that is looked at."""

    since: datetime
    until: datetime

    @classmethod
    def of_days(cls, days: int, *, until: datetime) -> Period:
        return cls(until - timedelta(days=days), until)

    @property
    def days(self) -> int:
        return (self.until - self.since).days


@dataclass(frozen=True, slots=True)
class Subject:
    """The run, version or collection it would have fired for; `address` is "" if its page is gone."""

    kind: str
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Firing:
    """One execution that would have been started, and why."""

    at: datetime
    subject: Subject
    reason: str


@dataclass(frozen=True, slots=True)
class Group:
    """What happened for one run, version or collection."""

    subject: Subject
    firings: list[Firing]


@dataclass(slots=True)
class Result:
    """When it would have fired, oldest first. `held_back` counts matches that once in 24 hours (EV11) would have held
    back, `skipped` those beyond the limit of wide scopes (EV12); `notes` are sentences about what is not known."""

    period: Period
    firings: list[Firing] = field(default_factory=list)
    held_back: int = 0
    skipped: int = 0
    looked_at: int = 0
    unit: str = "event"
    notes: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """`Would have fired 3 times in 30 days: a, b and c; 12 points held back by once a day`."""
        days = f"{self.period.days} days"
        if not self.firings:
            return f"Would not have fired in {days}: {counted(self.looked_at, self.unit)} looked at."
        times = counted(len(self.firings), "time")
        return f"Would have fired {times} in {days}: {self._subjects()}{self._held_back()}."

    def groups(self) -> list[Group]:
        """The firings by what they are for, the latest first."""
        groups: dict[Subject, Group] = {}
        for firing in reversed(self.firings):
            groups.setdefault(firing.subject, Group(firing.subject, [])).firings.append(firing)
        return list(groups.values())

    def _subjects(self) -> str:
        names = _unique(firing.subject.name for firing in self.firings)
        more = len(names) - NAMED
        return _listed(names if more <= 0 else [*names[:NAMED], f"{more:,} more"])

    def _held_back(self) -> str:
        parts = [f"{counted(self.held_back, self.unit)} held back by once a day"] if self.held_back else []
        parts += [f"{self.skipped:,} skipped by the rate limit"] if self.skipped else []
        return "".join(f"; {part}" for part in parts)


def counted(number: int, what: str) -> str:
    """`1 point`, `12 points`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
