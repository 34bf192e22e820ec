"""What a process that serves does before its first request or message, so that nobody waits for it."""

from __future__ import annotations

import gc
from importlib import import_module

from django.conf import settings
from django.urls import reverse
from django.utils import translation

# How many more objects there are than at the last look before the collector looks again. Python's own number, 700, is
# reached several times a page, and now and then each look grows into one at everything there is.
COLLECT_EVERY = 10_000


def warm() -> None:
    """Load the site's addresses and texts, and leave what is loaded to itself.

    What the collector never looks at again costs no request a pause, and is not copied into each forked process by
    being looked at.
    """
    import_module(settings.ROOT_URLCONF)
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            reverse("home")
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY)
