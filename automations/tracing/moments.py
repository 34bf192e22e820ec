"""Times in sentences: `14:02`, `tomorrow 14:02`, `12 May 2026 14:02`."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _


def in_words(moment: datetime, *, at: datetime) -> str:
    """The moment as somebody says it at another one, to the minute."""
    local, today = timezone.localtime(moment), timezone.localtime(at).date()
    clock = f"{local:%H:%M}"
    days = {
        today: clock,
        today + timedelta(days=1): _("tomorrow %(time)s") % {"time": clock},
        today - timedelta(days=1): _("yesterday %(time)s") % {"time": clock},
    }
    if local.date() in days:
        return days[local.date()]
    # Translators: a date such as 12 May 2026, in the letters of Django's date formats
    return f"{date_format(local, _('j F Y'))} {clock}"
