#!/usr/bin/env python
"""The one command line of the server: `manage.py help` lists what it can do."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "automations_site.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        settings.INSTALLED_APPS  # noqa: B018 - reading any setting loads them all
    except ImproperlyConfigured as problem:
        # An operator's typing error deserves its sentence, not a traceback around it.
        sys.exit(f"The server cannot start: {problem}")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
