"""Times in sentences: `14:02`, `tomorrow 14:02`, `12 May 2026 14:02`."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone


def in_words(moment: datetime, *, at: datetime) -> str:
    """The moment as somebody says it at another one, to the minute."""
    local, today = timezone.localtime(moment), timezone.localtime(at).date()
    days = {today: "", today + timedelta(days=1): "tomorrow ", today - timedelta(days=1): "yesterday "}
    day = days.get(local.date(), f"{local.day} {local:%B %Y} ")
    return f"{day}{local:%H:%M}"
