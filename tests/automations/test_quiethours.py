"""Quiet hours by the clock on the wall: past midnight, over nights in a row, over changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automations.quiethours import DAYS, QuietHours

BERLIN = ZoneInfo("Europe/Berlin")
EVERY_DAY = frozenset(range(7))
WEEKDAYS = frozenset(range(5))
MINUTE = timedelta(minutes=1)


def quiet(begins: str, ends: str, days: frozenset[int] = EVERY_DAY, zone: ZoneInfo = BERLIN) -> QuietHours:
    return QuietHours(time.fromisoformat(begins), time.fromisoformat(ends), zone, days)


def berlin(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("hours", "moment", "end"),
    [
        (quiet("12:00", "13:30"), "2026-05-04 11:59", None),
        (quiet("12:00", "13:30"), "2026-05-04 12:00", "2026-05-04 13:30"),
        (quiet("12:00", "13:30"), "2026-05-04 13:30", None),
        # Past midnight: on the evening before, and in the night.
        (quiet("22:00", "07:00"), "2026-05-04 23:00", "2026-05-05 07:00"),
        (quiet("22:00", "07:00"), "2026-05-05 06:59", "2026-05-05 07:00"),
        # The days are those on which it begins: Friday night is quiet, Sunday night is not.
        (quiet("22:00", "07:00", WEEKDAYS), "2026-05-09 03:00", "2026-05-09 07:00"),
        (quiet("22:00", "07:00", WEEKDAYS), "2026-05-10 23:00", None),
        # All of Saturday and Sunday is one quiet.
        (quiet("00:00", "00:00", frozenset({5, 6})), "2026-05-09 10:00", "2026-05-11 00:00"),
        # One that ends as the next begins goes on.
        (quiet("08:00", "08:00", WEEKDAYS), "2026-05-04 09:00", "2026-05-09 08:00"),
        # The night in which clocks are put forward is an hour shorter, and put back an hour longer.
        (quiet("22:00", "07:00"), "2026-03-28 23:00", "2026-03-29 07:00"),
        (quiet("22:00", "07:00"), "2026-10-24 23:00", "2026-10-25 07:00"),
    ],
)
def test_it_is_quiet_until(hours: QuietHours, moment: str, end: str | None) -> None:
    assert hours.end_after(berlin(moment)) == (berlin(end) if end else None)


def test_a_time_that_clocks_show_twice_begins_with_the_first_and_ends_with_the_second() -> None:
    """On 25 October 2026 Berlin has 02:30 twice."""
    night = quiet("02:30", "02:45")
    assert night.end_after(berlin("2026-10-25 02:30", fold=0)) == berlin("2026-10-25 02:45", fold=1)
    assert night.end_after(berlin("2026-10-25 02:50", fold=0)) == berlin("2026-10-25 02:45", fold=1)


def test_a_time_that_clocks_leap_over_is_still_quiet() -> None:
    """On 29 March 2026 Berlin has no 02:30."""
    night = quiet("23:00", "02:30")
    end = night.end_after(berlin("2026-03-29 01:30"))
    assert end is not None
    assert berlin("2026-03-29 03:00") <= end <= berlin("2026-03-29 04:00")


@given(
    begins=st.times(),
    ends=st.times(),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Tokyo"]),
    days=st.frozensets(st.integers(0, 6), min_size=1),
    moment=st.integers(0, 365 * 24 * 60),
)
def test_whenever_clocks_show_a_quiet_time_it_is_quiet_and_then_it_ends(
    begins: time, ends: time, zone: str, days: frozenset[int], moment: int
) -> None:
    """Against the clock on the wall, read as somebody would who lives there."""
    hours = QuietHours(begins, ends, ZoneInfo(zone), days)
    at = datetime(2026, 1, 1, tzinfo=UTC) + moment * MINUTE
    end = hours.end_after(at)
    if shown_as_quiet(hours, at):
        assert end is not None
    if end is None:
        return
    assert end > at
    # However long it lasts, the moment it ends is not quiet, and only a week of all days is cut.
    if not (begins == ends and len(days) == 7):
        assert hours.end_after(end) is None
    if len(days) == 1:
        assert end - at <= timedelta(hours=26)


def shown_as_quiet(hours: QuietHours, at: datetime) -> bool:
    wall = at.astimezone(hours.zone)
    yesterday = (wall.weekday() - 1) % 7
    if hours.ends > hours.begins:
        return wall.weekday() in hours.days and hours.begins <= wall.time() < hours.ends
    return (wall.weekday() in hours.days and wall.time() >= hours.begins) or (
        yesterday in hours.days and wall.time() < hours.ends
    )


def test_it_is_said_in_words() -> None:
    assert quiet("22:00", "07:00", WEEKDAYS).in_words() == "22:00 to 07:00 (Europe/Berlin), Monday to Friday"
    assert quiet("12:00", "13:00").in_words() == "12:00 to 13:00 (Europe/Berlin), every day"
    assert quiet("12:00", "13:00", frozenset({5, 6})).in_words().endswith("Saturday, Sunday")
    assert len(DAYS) == 7
