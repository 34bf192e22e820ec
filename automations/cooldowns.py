"""EV11: a run event fires an automation at most once per run (and state) in a rolling 24 hours.

One statement decides, in the database: it inserts the row of (automation, run, state), or renews one that is older than
a day, and returns what it wrote. Fifty workers may say it at once; one of them gets the row back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F

from automations import snoozing
from automations.models import Cooldown
from projects.models import Run

QUIET_FOR = timedelta(hours=24)
# SQLite takes 32,766 parameters in one statement; each row has six.
ROWS_PER_STATEMENT = 5_000


def claim(wanted: Sequence[tuple[int, str]], *, run: Run, at: datetime) -> set[tuple[int, str]]:
    """Of these (automation, state) pairs, the ones that may fire now. The others are counted as surplus.

    Runs in the caller's transaction: if that fails, nothing was claimed.
    """
    won: set[tuple[int, str]] = set()
    for start in range(0, len(wanted), ROWS_PER_STATEMENT):
        won |= _claim(sorted(set(wanted[start : start + ROWS_PER_STATEMENT])), run=run, at=at)
    count_surplus([pair for pair in wanted if pair not in won], run=run)
    return won


def _claim(pairs: Sequence[tuple[int, str]], *, run: Run, at: datetime) -> set[tuple[int, str]]:
    table = connection.ops.quote_name(Cooldown._meta.db_table)
    moment = connection.ops.adapt_datetimefield_value(at)
    cutoff = connection.ops.adapt_datetimefield_value(at - QUIET_FOR)
    values = ", ".join(["(%s, %s, %s, %s, 0)"] * len(pairs))
    parameters = [value for pk, state in pairs for value in (pk, run.pk, state, moment)]
    # Only names of our own go into the text; every value is a parameter.
    statement = (
        f"INSERT INTO {table} (automation_id, run_id, state, fired_at, surplus) VALUES {values} "  # noqa: S608
        f"ON CONFLICT (automation_id, run_id, state) DO UPDATE SET fired_at = excluded.fired_at, surplus = 0 "
        f"WHERE {table}.fired_at <= %s RETURNING automation_id, state"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [*parameters, cutoff])
        return {(row[0], row[1]) for row in cursor.fetchall()}


def count_surplus(pairs: Iterable[tuple[int, str]], *, run: Run, times: int = 1) -> None:
    """Note matches that were not executed, so that pages can say how often an automation held back."""
    by_state: dict[str, list[int]] = {}
    for pk, state in set(pairs):
        by_state.setdefault(state, []).append(pk)
    for state, pks in by_state.items():
        Cooldown.objects.filter(automation__in=pks, run=run, state=state).update(surplus=F("surplus") + times)


def quiet(automations: Iterable[int], *, run: Run, at: datetime, state: str = "") -> set[int]:
    """Of these automations, those that fired for this run within 24 hours, so that the logging path need not write an
    event that nothing would come of; of a snoozed one, whether that was noted since it is."""
    states = {state: False, snoozing.quiet_key(state): True}
    fired = Cooldown.objects.filter(automation__in=automations, run=run, state__in=states, fired_at__gt=at - QUIET_FOR)
    rows = fired.values_list("automation", "state", "automation__snoozed_until")
    return {pk for pk, noted, until in rows if states[noted] is (until is not None and until > at)}
