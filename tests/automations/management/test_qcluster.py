"""Workers are forked off a process that has loaded all they need to write a link."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

# What the command would start only tells what it found, in a process that has loaded nothing else.
CODE = """
import gc, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "automations_site.settings"
import django
django.setup()
from django.conf import settings
from django.core.management import call_command
from django_q.cluster import Cluster
assert settings.ROOT_URLCONF not in sys.modules
Cluster.start = lambda self: print("loaded", settings.ROOT_URLCONF in sys.modules, gc.get_freeze_count() > 0)
call_command("qcluster", skip_checks=True)
"""


def test_what_each_worker_needs_is_loaded_before_they_are_forked(tmp_path: Path) -> None:
    environment = {**os.environ, "DATA_DIR": str(tmp_path), "PUBLIC_URL": "http://localhost:8000"}
    asked = [sys.executable, "-c", CODE]
    found = subprocess.run(asked, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert found.stdout.strip() == "loaded True True", found.stderr
