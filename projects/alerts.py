"""What scripts tell people: `run.alert(title, text)`. One statement decides whether it is told again."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.db import connection, transaction

from projects.events import RUN_ALERT, Fact, announce, run_facts, run_scopes
from projects.jsonvalues import mended
from projects.models import AlertLevel, Run, RunAlert, User

LONGEST_TITLE = 1_000
LONGEST_TEXT = 10_000


def raise_alert(
    run: Run, *, title: str, text: str, level: AlertLevel, wait: timedelta, by: User | None, at: datetime
) -> bool:
    """Tell people something about the run, unless the same title was told within `wait`; whether it was told.

    What is too long is cut, because an alert that is refused is one that nobody hears. `run.project.team` and
    `run.user` must be loaded.
    """
    title, text = _cut(title, LONGEST_TITLE), _cut(text, LONGEST_TEXT)
    with transaction.atomic():
        told = _claim(run, title=title, text=text, level=level, at=at, not_since=at - wait)
        if told is None:
            return False
        number, count = told
        place = {"entity": run.project.team.name, "project": run.project.name}
        announce(
            Fact(
                kind=RUN_ALERT,
                occurred_at=at,
                dedupe_key=f"run:{run.pk}:alert:{number}:{count}",
                scopes=run_scopes(run),
                actor=by,
                run=run,
                facts=run_facts(run),
                details={**place, "title": title, "text": text, "level": level.value},
            )
        )
    return True


def _claim(
    run: Run, *, title: str, text: str, level: AlertLevel, at: datetime, not_since: datetime
) -> tuple[int, int] | None:
    """The alert's primary key and how often it was told, this time included; None if it is too early."""
    table = connection.ops.quote_name(RunAlert._meta.db_table)
    moment = connection.ops.adapt_datetimefield_value(at)
    # Only names of our own go into the text; every value is a parameter.
    statement = (
        f"INSERT INTO {table} (run_id, title_digest, title, text, level, raised_at, count) "  # noqa: S608
        "VALUES (%s, %s, %s, %s, %s, %s, 1) ON CONFLICT (run_id, title_digest) DO UPDATE SET "
        f"text = excluded.text, level = excluded.level, raised_at = excluded.raised_at, count = {table}.count + 1 "
        f"WHERE {table}.raised_at <= %s RETURNING id, count"
    )
    digest = hashlib.sha256(title.encode()).hexdigest()
    cutoff = connection.ops.adapt_datetimefield_value(not_since)
    with connection.cursor() as cursor:
        cursor.execute(statement, [run.pk, digest, title, text, level.value, moment, cutoff])
        row: tuple[int, int] | None = cursor.fetchone()
    return row


def _cut(text: str, most: int) -> str:
    kept: str = mended(text)
    return kept if len(kept) <= most else f"{kept[: most - 1]}…"
