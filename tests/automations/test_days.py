"""Days as people name them, in the zone that pages show times in."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from pytest_django import Settings

from automations.days import beginning, day_of


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-77", "2026-02-30", "12.5.2026"])
def test_what_is_no_day_is_none(text: str) -> None:
    assert day_of(text) is None
    assert beginning(day_of(text)) is None


@pytest.mark.parametrize(
    ("zone", "begins"),
    [("UTC", (2026, 5, 12)), ("Asia/Tokyo", (2026, 5, 11, 15)), ("America/New_York", (2026, 5, 12, 4))],
)
def test_a_day_begins_by_the_clock_of_the_zone(settings: Settings, zone: str, begins: tuple[int, ...]) -> None:
    settings.TIME_ZONE = zone
    assert beginning(day_of("2026-05-12")) == datetime(*begins, tzinfo=UTC)  # type: ignore[misc,arg-type]
    assert beginning(date(2026, 5, 11), days_later=1) == beginning(date(2026, 5, 12))


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_the_edges_of_what_can_be_written_bound_nothing(settings: Settings, zone: str) -> None:
    settings.TIME_ZONE = zone
    assert beginning(date.max, days_later=1) is None
    first = beginning(date.min)
    assert first is None if zone == "Asia/Tokyo" else first is not None
