"""What a replay found, and how it says it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

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
class Mark:
    """Where on the line of a run's metric it would have fired."""

    run: int
    step: float
    value: float


@dataclass(frozen=True, slots=True)
class Firing:
    """One execution that would have been started, and why; rules on metrics know the point as well."""

    at: datetime
    subject: Subject
    reason: str
    mark: Mark | None = None


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
        told = {"days": self.period.days, "looked_at": counted(self.looked_at, self.unit)}
        if not self.firings:
            return _("Would not have fired in %(days)s days: %(looked_at)s looked at.") % told
        told |= {"times": counted(len(self.firings), "time"), "subjects": f"{self._subjects()}{self._held_back()}"}
        return _("Would have fired %(times)s in %(days)s days: %(subjects)s.") % told

    def groups(self) -> list[Group]:
        """The firings by what they are for, the latest first."""
        groups: dict[Subject, Group] = {}
        for firing in reversed(self.firings):
            groups.setdefault(firing.subject, Group(firing.subject, [])).firings.append(firing)
        return list(groups.values())

    def _subjects(self) -> str:
        names = _unique(firing.subject.name for firing in self.firings)
        more = len(names) - NAMED
        return _listed(names if more <= 0 else [*names[:NAMED], _("%(count)s more") % {"count": f"{more:,}"}])

    def _held_back(self) -> str:
        parts = []
        if self.held_back:
            parts.append(_("; %(counted)s held back by once a day") % {"counted": counted(self.held_back, self.unit)})
        if self.skipped:
            parts.append(_("; %(count)s skipped by the rate limit") % {"count": f"{self.skipped:,}"})
        return "".join(parts)


def counted(number: int, what: str) -> str:
    """`1 point`, `12 points`."""
    words = {
        "event": ngettext("%(count)s event", "%(count)s events", number),
        "point": ngettext("%(count)s point", "%(count)s points", number),
        "row": ngettext("%(count)s row", "%(count)s rows", number),
        "time": ngettext("%(count)s time", "%(count)s times", number),
    }
    return words[what] % {"count": f"{number:,}"}


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _listed(names: list[str]) -> str:
    if len(names) == 1:
        return names[0]
    return _("%(first)s and %(second)s") % {"first": ", ".join(names[:-1]), "second": names[-1]}
