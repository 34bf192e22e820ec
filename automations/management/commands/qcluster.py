"""django-q2's command, which forks its workers off a process that has loaded what they need.

To write the first link of a message, a worker loads all the addresses of the site. One by one that would cost each of
them most of a second, while somebody waits for the message, and its own copy in memory.
"""

from __future__ import annotations

import gc
from importlib import import_module
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django_q.management.commands.qcluster import Command as Original

from automations.records import LANGUAGE


class Command(Original):  # type: ignore[misc]  # django-q2 has no types
    def handle(self, *args: Any, **options: Any) -> None:
        import_module(settings.ROOT_URLCONF)
        with translation.override(LANGUAGE):
            reverse("home")
        # What the collector never looks at again is not copied into each worker by being looked at.
        gc.collect()
        gc.freeze()
        super().handle(*args, **options)
