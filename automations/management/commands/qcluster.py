"""django-q2's command, which forks its workers off a process that has loaded what they need.

To write the first link of a message, a worker loads all the addresses of the site. One by one that would cost each of
them most of a second, while somebody waits for the message, and its own copy in memory.
"""

from __future__ import annotations

from typing import Any

from django_q.management.commands.qcluster import Command as Original

from automations.warming import warm


class Command(Original):  # type: ignore[misc]  # django-q2 has no types
    def handle(self, *args: Any, **options: Any) -> None:
        warm()
        super().handle(*args, **options)
