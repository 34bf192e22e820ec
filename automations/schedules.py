"""What the queue does by the clock. The rows are made by `migrate`; an operator may change their pace in the admin."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django_q.models import Schedule

EVERY_MINUTE = {
    "Sweep": "automations.tasks.sweep",
    "Crash detection": "automations.tasks.detect_crashed_runs",
    "Old values of secrets": "automations.tasks.forget_old_values",
    "Silence": "automations.tasks.detect_silence",
    "Notices by e-mail": "automations.tasks.mail_notices",
    "Expired versions": "automations.tasks.delete_expired_versions",
    "Curves": "automations.tasks.draw_curves",
}
EVERY_HOUR = {
    # Looks through all that was ever uploaded.
    "Unused bytes": "automations.tasks.release_unused_bytes",
    "Old audit records": "automations.tasks.forget_old_audit_records",
    "Retention": "automations.tasks.purge_history",
}


def next_run(func: str) -> datetime | None:
    """When the task runs next; None if an operator took it off the schedule."""
    found: datetime | None = Schedule.objects.filter(func=func).values_list("next_run", flat=True).first()
    return found


def ensure(**kwargs: Any) -> None:
    """Make the schedules that are missing, once the queue's own tables exist."""
    from django.db import connections

    using = kwargs.get("using", "default")
    if (
        not apps.is_installed("django_q")
        or Schedule._meta.db_table not in connections[using].introspection.table_names()
    ):
        return
    for minutes, tasks in ((1, EVERY_MINUTE), (60, EVERY_HOUR)):
        for name, func in tasks.items():
            Schedule.objects.using(using).get_or_create(
                name=name, defaults={"func": func, "schedule_type": Schedule.MINUTES, "minutes": minutes, "repeats": -1}
            )


def hurry(*, at: datetime, skew: timedelta) -> int:
    """Have happen now what happens every so many minutes and would not again for longer than that: its time was
    written by a clock that has been set back (`automations.clocks`). Returns how many there were."""
    late = [
        schedule.pk
        for schedule in Schedule.objects.filter(schedule_type=Schedule.MINUTES, next_run__gt=at + skew)
        if schedule.next_run > at + timedelta(minutes=schedule.minutes or 1) + skew
    ]
    return Schedule.objects.filter(pk__in=late).update(next_run=at) if late else 0
