"""EV12: an automation of an organization, a team or a registry fires a limited number of times a minute and an hour.

One statement decides, in the database: it begins a minute or an hour with this firing, or counts it in those under way,
unless one of them is full, and returns what it counted. A minute or hour begins with a firing and not with the clock,
so that no two of them meet in a burst.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from automations.models import Allowance, Automation
from automations.models.automation import WIDE_SCOPES

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
# SQLite takes 32,766 parameters in one statement; each row has three.
ROWS_PER_STATEMENT = 5_000


def published(automation: Automation) -> str:
    """How often it may fire at all, in words; "" where that is not limited."""
    if automation.scope_kind not in WIDE_SCOPES:
        return ""
    a_minute, an_hour = settings.RATE_LIMIT_PER_MINUTE, settings.RATE_LIMIT_PER_HOUR
    told = {"a_minute": f"{a_minute:,}", "an_hour": f"{an_hour:,}"}
    return _("at most %(a_minute)s times a minute and %(an_hour)s times an hour") % told


def take(automations: Collection[int], *, at: datetime) -> set[int]:
    """Of these automations of wide scopes, the ones that may fire once more; each of them is counted.

    Runs in the caller's transaction: if that fails, nothing was counted.
    """
    # In one order for everybody, so that no two wait for each other.
    wanted = sorted(automations)
    taken: set[int] = set()
    for start in range(0, len(wanted), ROWS_PER_STATEMENT):
        taken |= _take(wanted[start : start + ROWS_PER_STATEMENT], at=at)
    return taken


def _take(automations: Sequence[int], *, at: datetime) -> set[int]:
    adapted = connection.ops.adapt_datetimefield_value
    table = connection.ops.quote_name(Allowance._meta.db_table)
    rows = ", ".join(["(%s, %s, 1, %s, 1)"] * len(automations))
    # Only names of our own go into the text; every value is a parameter.
    new_minute, new_hour = f"{table}.minute_began_at <= %s", f"{table}.hour_began_at <= %s"
    statement = (
        f"INSERT INTO {table} (automation_id, minute_began_at, in_minute, hour_began_at, in_hour) "  # noqa: S608
        f"VALUES {rows} ON CONFLICT (automation_id) DO UPDATE SET "
        f"minute_began_at = CASE WHEN {new_minute} THEN excluded.minute_began_at ELSE {table}.minute_began_at END, "
        f"in_minute = CASE WHEN {new_minute} THEN 1 ELSE {table}.in_minute + 1 END, "
        f"hour_began_at = CASE WHEN {new_hour} THEN excluded.hour_began_at ELSE {table}.hour_began_at END, "
        f"in_hour = CASE WHEN {new_hour} THEN 1 ELSE {table}.in_hour + 1 END "
        f"WHERE ({new_minute} OR {table}.in_minute < %s) AND ({new_hour} OR {table}.in_hour < %s) "
        "RETURNING automation_id"
    )
    minute_ago, hour_ago = adapted(at - MINUTE), adapted(at - HOUR)
    values = [value for pk in automations for value in (pk, adapted(at), adapted(at))]
    ends = [minute_ago, minute_ago, hour_ago, hour_ago]
    limits = [minute_ago, settings.RATE_LIMIT_PER_MINUTE, hour_ago, settings.RATE_LIMIT_PER_HOUR]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, *ends, *limits])
        return {row[0] for row in cursor.fetchall()}


def reasons(automations: Iterable[int], *, at: datetime) -> dict[int, str]:
    """Why each of these automations may not fire now, as a sentence."""
    return {row.automation_id: _reason(row, at=at) for row in Allowance.objects.filter(automation__in=automations)}


def _reason(row: Allowance, *, at: datetime) -> str:
    times, span, ends, setting = (
        (settings.RATE_LIMIT_PER_HOUR, "an hour", row.hour_began_at + HOUR, "RATE_LIMIT_PER_HOUR")
        if row.hour_began_at > at - HOUR and row.in_hour >= settings.RATE_LIMIT_PER_HOUR
        else (settings.RATE_LIMIT_PER_MINUTE, "a minute", row.minute_began_at + MINUTE, "RATE_LIMIT_PER_MINUTE")
    )
    return (
        f"It had fired {times:,} times within {span}, as often as an automation of an organization, a team or a"
        f" registry may. It fires again from {timezone.localtime(ends):%H:%M:%S %Z} on; an operator can allow more with"
        f" {setting}."
    )
