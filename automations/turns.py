"""Who is at work on this host, told by locks on files in DATA_DIR: the system gives a lock back when its process ends,
however it ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from django.conf import settings

BEGUN = "begun"


def take(name: str) -> IO[str] | None:
    """The turn of this name, until it is closed; None if somebody has it."""
    turn = (_folder() / name).open("a")
    try:
        fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        turn.close()
        return None
    return turn


def is_taken(name: str) -> bool:
    """Whether somebody has it."""
    turn = take(name)
    if turn is None:
        return True
    turn.close()
    return False


def delivery(number: int) -> str:
    """The turn of one of the deliveries that run at the same time on a host."""
    return f"delivery-{number}"


def free_deliveries() -> list[int]:
    """Numbers of the deliveries that are not running: there is one for each worker but one, which is for the clock."""
    return [number for number in range(settings.Q_CLUSTER["workers"] - 1) if not is_taken(delivery(number))]


def note_beginning() -> None:
    """A delivery has begun. That stays known, however soon its worker dies."""
    (_folder() / BEGUN).touch()


def has_begun() -> bool:
    """Whether a delivery of this host has begun since `forget_beginning`."""
    return (_folder() / BEGUN).exists()


def forget_beginning() -> None:
    """Workers are about to start."""
    (_folder() / BEGUN).unlink(missing_ok=True)


def busy() -> str:
    """The turn of this process while it works on a task."""
    return f"busy-{os.getpid()}"


def count_busy() -> int:
    """How many workers of this host are working on a task."""
    count = 0
    for path in _folder().glob("busy-*"):
        if is_taken(path.name):
            count += 1
        else:
            path.unlink(missing_ok=True)
    return count


def _folder() -> Path:
    folder = Path(settings.DATA_DIR) / "turns"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
