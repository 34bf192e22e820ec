"""Keeps the server's programs running: starts them, starts them again when they die, stops them all.

Each program leads a process group of its own, so that stopping it reaches its workers too, and Ctrl-C in the
terminal reaches only the supervisor, which then stops everything in order. Should the supervisor itself be
killed, the kernel tells each program to stop (Linux).
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType

import structlog

log = structlog.get_logger(__name__)

FIRST_DELAY = 1.0
LONGEST_DELAY = 30.0
LASTING = 60.0
"""Seconds after which a program counts as running well again, so that its next restart is quick."""

_PR_SET_PDEATHSIG = 1


class Program:
    """One command that must keep running."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
    ):
        self.name = name
        self._command = list(command)
        self._folder = folder
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._start_again_at = 0.0
        self._delay = FIRST_DELAY

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        self._started_at = time.monotonic()
        self._process = subprocess.Popen(
            self._command,
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_stop_with(os.getpid()) if sys.platform == "linux" else None,  # noqa: PLW1509
        )

    def revive(self) -> None:
        """Start the program again if it has died, after a pause that doubles while it keeps dying."""
        now = time.monotonic()
        if self._process is None:
            if now >= self._start_again_at:
                self.start()
            return
        status = self._process.poll()
        if status is None:
            return
        if now - self._started_at >= LASTING:
            self._delay = FIRST_DELAY
        log.error("program_died", program=self.name, status=status, restart_in_seconds=self._delay)
        self._signal(signal.SIGKILL)  # workers that outlived their leader would serve beside the new ones
        self._process = None
        self._start_again_at = now + self._delay
        self._delay = min(self._delay * 2, LONGEST_DELAY)

    def restart(self) -> None:
        """Kill the program with all its workers; `revive` then starts it afresh."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """Ask the program to stop. Its leader tells its workers, in the order that loses nothing."""
        if self._process and self._process.poll() is None:
            self._process.terminate()

    def kill(self) -> None:
        """End what is left of the program and its workers at once."""
        self._signal(signal.SIGKILL)
        if self._process:
            self._process.wait()

    def running_for(self) -> float:
        """Seconds since the last start; 0 while the program is down."""
        return 0.0 if self._process is None else time.monotonic() - self._started_at

    def has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _signal(self, number: signal.Signals) -> None:
        if self._process:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)


class Supervisor:
    """Runs programs until SIGINT, SIGTERM or SIGHUP; a second signal ends them without waiting."""

    def __init__(self, programs: Sequence[Program], *, patience: float = 8.0):
        self.programs = programs
        self._patience = patience
        self._stopping = threading.Event()
        self._impatient = threading.Event()

    def start(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        for program in self.programs:
            program.start()

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    def run(self, *, watch: Callable[[], None] = lambda: None, every: float = 1.0) -> None:
        """Block until a signal arrives; look after the programs meanwhile and call `watch` now and then."""
        watched_at = time.monotonic()
        while not self._stopping.wait(0.2):
            for program in self.programs:
                program.revive()
            if time.monotonic() - watched_at >= every:
                watch()
                watched_at = time.monotonic()

    def stop(self) -> None:
        """Stop every program; what has not ended after `patience` seconds is killed with all its workers."""
        for program in self.programs:
            program.stop()
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline and not self._impatient.is_set():
            if all(program.has_ended() for program in self.programs):
                break
            time.sleep(0.05)
        for program in self.programs:
            program.kill()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._stopping.is_set():
            self._impatient.set()
        self._stopping.set()


def _stop_with(parent: int) -> Callable[[], None]:
    """What a child runs before its program: ask the kernel for SIGTERM when the parent is gone."""
    libc = ctypes.CDLL(None, use_errno=True)

    def prepare() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before it could be watched
            os._exit(1)

    return prepare
