"""Days as addresses and fields name them, in the zone that pages show times in."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from django.utils import timezone
from django.utils.dateparse import parse_date


def day_of(text: str) -> date | None:
    """The day that is written like this, 2026-05-12; None for anything that is none."""
    try:
        return parse_date(text)
    except ValueError:
        return None


def beginning(day: date | None, *, days_later: int = 0) -> datetime | None:
    """When the day begins, or one some days later; None without a day, and beyond what can be written."""
    if day is None:
        return None
    try:
        local = datetime.combine(day + timedelta(days=days_later), time(), tzinfo=timezone.get_current_timezone())
        # Databases keep it in UTC, where the first day of all may begin before there are years.
        return local.astimezone(UTC)
    except OverflowError:
        return None
