"""What the queue does by the clock. The rows are made by `migrate`; an operator may change their pace in the admin."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django_q.models import Schedule

EVERY_MINUTE = {
    "Sweep": "automations.tasks.sweep",
    "Crash detection": "automations.tasks.detect_crashed_runs",
    "Silence": "automations.tasks.detect_silence",
    "Expired versions": "automations.tasks.delete_expired_versions",
}
# Looks through all that was ever uploaded.
EVERY_HOUR = {"Unused bytes": "automations.tasks.release_unused_bytes"}


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
