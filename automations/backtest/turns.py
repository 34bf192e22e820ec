"""Replays take turns: each keeps a web worker busy for as long as it takes, and others are there for the rest."""

from __future__ import annotations

import fcntl
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import IO, TypeVar, cast

from django.conf import settings
from django.utils.translation import gettext as _

Told = TypeVar("Told")
# One that was given up notices within a moment; whoever gave it up may have asked for another.
PATIENCE = 0.5
LOOK_EVERY = 0.05
# A turn rests for as long as it took, at most so long: a web worker then gets to what came after many replays at once.
LONGEST_REST = 3.0


class ReplaysAreRunning(Exception):
    """As many replays are under way as the web workers can spare."""

    def __init__(self) -> None:
        super().__init__(
            _("Other replays are under way, and each keeps a web worker busy. Try again in a few seconds.")
        )


def in_turn(telling: Generator[Told, None, None]) -> Iterator[Told]:
    """The same, once there is room for it on this host: for half of the web workers, and one at least.

    Raises:
        ReplaysAreRunning: there was no room.
    """
    told = _telling(telling, _turn())
    next(told)
    return cast("Iterator[Told]", told)


@contextmanager
def turn() -> Iterator[None]:
    """One turn for several replays, one after the other.

    Raises:
        ReplaysAreRunning: there was no room.
    """
    with _kept(_turn()):
        yield


def _telling(telling: Generator[Told, None, None], turn: IO[str]) -> Iterator[Told | None]:
    with _kept(turn):
        # Only what has begun gives the turn back when it is closed.
        yield None
        yield from telling


@contextmanager
def _kept(turn: IO[str]) -> Iterator[None]:
    with turn:
        begun = monotonic()
        try:
            yield
        finally:
            now = monotonic()
            turn.truncate(0)
            turn.write(str(now + min(now - begun, LONGEST_REST)))


def _turn() -> IO[str]:
    begun = monotonic()
    while (turn := _free_turn()) is None:
        if monotonic() - begun > PATIENCE:
            raise ReplaysAreRunning
        sleep(LOOK_EVERY)
    return turn


def _free_turn() -> IO[str] | None:
    for number in range(max(1, settings.WEB_WORKERS // 2)):
        turn = (Path(settings.DATA_DIR) / f"replay-{number}.lock").open("a+")
        # The system gives the lock back when the file is closed, also when the process is killed.
        with suppress(BlockingIOError):
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not _rests(turn):
                return turn
        turn.close()
    return None


def _rests(turn: IO[str]) -> bool:
    turn.seek(0)
    until = turn.read()
    # By the clock of this host since it started; what was written before that means nothing.
    return bool(until) and 0 < float(until) - monotonic() <= LONGEST_REST
