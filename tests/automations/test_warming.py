"""Whoever serves has loaded the site before it serves, and the collector leaves that alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

# In a process that has loaded nothing else.
CODE = """
import gc, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "automations_site.settings"
from automations_site import wsgi
from django.conf import settings
assert callable(wsgi.application)
print("loaded", settings.ROOT_URLCONF in sys.modules, gc.get_freeze_count() > 100_000, gc.get_threshold()[0])
"""


def test_what_each_page_needs_is_loaded_before_the_first(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    environment = {**os.environ, "DATA_DIR": str(tmp_path), "PUBLIC_URL": "http://localhost:8000"}
    asked = [sys.executable, "-c", CODE]
    found = subprocess.run(asked, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert found.stdout.strip() == "loaded True True 10000", found.stderr
