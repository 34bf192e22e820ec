"""What the queue does by the clock. The rows are made by `migrate`; an operator may change their pace in the admin."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django_q.models import Schedule

EVERY_MINUTE = {
    "Sweep": "automations.tasks.sweep",
    "Crash detection": "automations.tasks.detect_crashed_runs",
    "Expired versions": "automations.tasks.delete_expired_versions",
}


def ensure(**kwargs: Any) -> None:
    """Make the schedules that are missing, once the queue's own tables exist."""
    from django.db import connections

    using = kwargs.get("using", "default")
    if (
        not apps.is_installed("django_q")
        or Schedule._meta.db_table not in connections[using].introspection.table_names()
    ):
        return
    for name, func in EVERY_MINUTE.items():
        Schedule.objects.using(using).get_or_create(
            name=name, defaults={"func": func, "schedule_type": Schedule.MINUTES, "minutes": 1, "repeats": -1}
        )
