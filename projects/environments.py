"""Where a script runs, as its client found it: command, machine, versions, repository."""

from __future__ import annotations

import shlex
from typing import Any

from django.utils.translation import gettext as _

from projects.models import Run


def of(run: Run) -> list[tuple[str, str]]:
    """What is known, by its name for people."""
    found = _found(run)
    git = _inner(found.get("git"))
    rows = (
        (_("Command"), _command(found, run)),
        (_("Directory"), _text(found.get("root"))),
        (_("Host"), _text(found.get("host")) or run.host),
        (_("Operating system"), _text(found.get("os"))),
        ("Python", _text(found.get("python"))),
        (_("Processors"), _number(found.get("cpu_count_logical") or found.get("cpu_count"))),
        ("GPU", _gpu(found)),
        (_("Repository"), _text(git.get("remote")) or run.repo),
        (_("Commit"), _text(git.get("commit")) or run.commit),
        (_("Client"), _text(run.client_config.get("cli_version"))),
    )
    return [(name, value) for name, value in rows if value]


def _found(run: Run) -> dict[str, Any]:
    """What the client that began last says: each process that wrote to the run has an entry of its own."""
    entries = run.client_config.get("e")
    known = [entry for entry in entries.values() if isinstance(entry, dict)] if isinstance(entries, dict) else []
    return max(known, key=lambda entry: _text(entry.get("startedAt")), default={})


def _command(found: dict[str, Any], run: Run) -> str:
    program = _text(found.get("program")) or run.program
    arguments = found.get("args")
    words = [word for word in arguments if isinstance(word, str)] if isinstance(arguments, list) else []
    return shlex.join([program, *words]) if program else ""


def _gpu(found: dict[str, Any]) -> str:
    name, count = _text(found.get("gpu")), found.get("gpu_count")
    return f"{count} × {name}" if name and isinstance(count, int) and count > 1 else name


def _inner(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> str:
    return str(value) if isinstance(value, int) else ""
