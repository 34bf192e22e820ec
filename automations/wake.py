"""Waking workers the moment there is something to do.

Whoever waits has an ear: a named pipe in DATA_DIR that everybody on this host can ring. A ring holds no message, only
“look again”, so rings may come twice, too often or for nothing, and a full pipe is as good as a ring. Between hosts,
PostgreSQL's NOTIFY says the same as soon as the transaction is committed.

A ring may get lost (a crash between commit and ring, a database behind a pooler that forgets LISTEN): who waits looks
again after a second anyhow.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

CHANNEL = "automations_due"
# Who waits for what.
DELIVERY = "delivery"
QUEUE = "queue"


class Ear:
    """Hears rings for one role, until it is closed or its process ends."""

    def __init__(self, role: str) -> None:
        self._path = _folder() / f"{role}-{uuid4().hex}"
        unfinished = self._path.with_name(f".{self._path.name}")
        os.mkfifo(unfinished, 0o600)
        # For reading and writing, so that it never comes to an end; named only now, since a name that nobody reads is
        # taken for a leftover.
        self._pipe = os.open(unfinished, os.O_RDWR | os.O_NONBLOCK)
        unfinished.rename(self._path)

    def fileno(self) -> int:
        return self._pipe

    def clear(self) -> bool:
        """Forget what was rung so far; whether there was anything. Do this before looking, never after: what is rung
        while one looks must count."""
        rung = False
        with suppress(BlockingIOError):
            while os.read(self._pipe, 4096):
                rung = True
        return rung

    def ring(self) -> None:
        """Ring this ear itself, from any thread."""
        with suppress(BlockingIOError):
            os.write(self._pipe, b"!")

    def wait(self, seconds: float, *others: Any) -> None:
        """Come back when it is rung, when one of the others can be read, or when the time is over."""
        wait([self._pipe, *others], max(seconds, 0))

    def close(self) -> None:
        self._path.unlink(missing_ok=True)
        os.close(self._pipe)


def ring(role: str) -> None:
    """Ring every ear of this role on this host."""
    for path in _ears(role):
        _rung(path)


def is_heard(role: str) -> bool:
    """Whether anybody on this host has an ear for this role."""
    return any(_rung(path, b"") for path in _ears(role))


def announce_due() -> None:
    """Tell workers that executions are due, when the transaction is committed."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")
    else:
        transaction.on_commit(lambda: ring(DELIVERY), robust=True)


class Notices:
    """What other hosts announce, where the database can carry it: on a connection that does nothing else."""

    def __init__(self) -> None:
        self._listening: BaseDatabaseWrapper | None = None

    def sources(self) -> list[Any]:
        """What to wait for, beside the ear."""
        if connection.vendor != "postgresql":
            return []
        if self._listening is None:
            listening = connections.create_connection(DEFAULT_DB_ALIAS)
            with listening.cursor() as cursor:
                cursor.execute(f"LISTEN {CHANNEL}")
            self._listening = listening
        return [self._listening.connection]

    def came(self) -> bool:
        """Whether something was announced since the last time."""
        if self._listening is None:
            return False
        return any(True for _ in self._listening.connection.notifies(timeout=0))

    def close(self) -> None:
        """Let go of a connection that broke; the next look makes a new one."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None


def _folder() -> Path:
    folder = Path(settings.DATA_DIR) / "ears"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _ears(role: str) -> Iterable[Path]:
    return _folder().glob(f"{role}-*")


def _rung(path: Path, ring: bytes = b"!") -> bool:
    """Whether somebody has this ear; an ear that nobody has any more is removed."""
    try:
        pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    except OSError as problem:
        if problem.errno == errno.ENXIO:
            path.unlink(missing_ok=True)
        return False
    try:
        with suppress(BlockingIOError):
            os.write(pipe, ring)
    finally:
        os.close(pipe)
    return True
