"""Quiet hours: from one time to another by the clocks of some place, on some days of the week. Knows no database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

DAYS = (
    gettext_noop("Monday"),
    gettext_noop("Tuesday"),
    gettext_noop("Wednesday"),
    gettext_noop("Thursday"),
    gettext_noop("Friday"),
    gettext_noop("Saturday"),
    gettext_noop("Sunday"),
)
DAY = timedelta(days=1)
# A week of nights that follow each other without a break.
MOST_IN_A_ROW = 8


@dataclass(frozen=True, slots=True)
class QuietHours:
    """`days` are those on which the quiet begins, 0 for Monday. It lasts past midnight where it ends earlier than it
    begins, and all day where both are the same. Where clocks are put forward or back in between, it is longer rather
    than shorter."""

    begins: time
    ends: time
    zone: ZoneInfo
    days: frozenset[int]

    def end_after(self, moment: datetime) -> datetime | None:
        """When the quiet of this moment is over, also where one ends as the next begins; None if it is not quiet."""
        end = self._end_at(moment)
        for _night in range(MOST_IN_A_ROW):
            further = self._end_at(end) if end is not None else None
            if further is None:
                break
            end = further
        return end

    def _end_at(self, moment: datetime) -> datetime | None:
        today = moment.astimezone(self.zone).date()
        spans = [self._span(day) for day in (today - DAY, today, today + DAY) if day.weekday() in self.days]
        return max((end for begin, end in spans if begin <= moment < end), default=None)

    def _span(self, day: date) -> tuple[datetime, datetime]:
        last = day if self.ends > self.begins else day + DAY
        return min(self._moments(day, self.begins)), max(self._moments(last, self.ends))

    def _moments(self, day: date, at: time) -> tuple[datetime, datetime]:
        """When clocks show this: mostly one moment, two where they are put back; where they leap over it, its two
        readings."""
        shown = datetime.combine(day, at, tzinfo=self.zone)
        return shown.replace(fold=0).astimezone(UTC), shown.replace(fold=1).astimezone(UTC)

    def in_words(self) -> str:
        """`22:00 to 07:00 (Europe/Berlin), Monday to Friday`."""
        days = sorted(self.days)
        if len(days) == len(DAYS):
            said = _("every day")
        elif len(days) > 2 and days == list(range(days[0], days[-1] + 1)):
            said = _("%(first)s to %(last)s") % {"first": _(DAYS[days[0]]), "last": _(DAYS[days[-1]])}
        else:
            said = ", ".join(_(DAYS[day]) for day in days)
        told = {"begins": f"{self.begins:%H:%M}", "ends": f"{self.ends:%H:%M}", "zone": self.zone.key, "days": said}
        return _("%(begins)s to %(ends)s (%(zone)s), %(days)s") % told
