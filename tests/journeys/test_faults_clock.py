"""The clock of the machine jumps: what is due stays due, and no lease lasts for ever."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.accounts import (
    assert_nothing_is_lost,
    call_on_failure,
    executions_of,
    fail_runs,
    wait_for_outcomes,
)
from tests.journeys.server import Server
from tests.receiver import Receiver

HOUR = 3600


class Clock:
    """The clock that a server sees: by how much it is ahead stands in a file, which its processes read at each look."""

    def __init__(self, folder: Path, *, compiler: str) -> None:
        library = folder / "clock.so"
        source = Path(__file__).with_name("clock.c")
        subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        self._file = folder / "clock"
        self.set(0)
        self.variables = {"LD_PRELOAD": str(library), "CLOCK_AHEAD": str(self._file)}

    def set(self, seconds: int) -> None:
        """Ahead of the machine's clock by so much, from now on."""
        unfinished = self._file.with_suffix(".new")
        unfinished.write_text(str(seconds))
        unfinished.rename(self._file)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("A clock that jumps needs a C compiler (apt-get install gcc libc6-dev).")
    return Clock(tmp_path, compiler=compiler)


@pytest.fixture
def server(tmp_path: Path, clock: Clock) -> Iterator[Server]:
    """A server under that clock."""
    served = Server(tmp_path, WEB_WORKERS="1", QUEUE_WORKERS="1", WEBHOOK_TOTAL_TIMEOUT="5", **clock.variables)
    try:
        served.start()
        yield served
    finally:
        served.discard()


def test_a_clock_that_jumps_forward_and_back_leaves_nothing_waiting(
    server: Server, clock: Clock, receiver: Receiver
) -> None:
    """RE1: a retry whose hour the jump brought, and, after the jump back, what a dead worker had taken and what was
    due by the clock that was ahead."""
    call_on_failure(server, "forward", receiver.url)
    receiver.behave(times=1, status=503, headers={"Retry-After": str(HOUR)})
    fail_runs(server, "forward")
    server.wait_until(lambda: executions_of(server, "forward")[0]["attempt_count"])
    server.wait_until(lambda: executions_of(server, "forward")[0]["status"] == "pending")
    clock.set(2 * HOUR)
    wait_for_outcomes(server, "forward")
    assert assert_nothing_is_lost(server, "forward", receiver.requests) == {"finished": 1}

    with Receiver() as slow, Receiver() as busy:
        call_on_failure(server, "lease", slow.url)
        call_on_failure(server, "retry", busy.url)
        busy.behave(times=1, status=503)
        slow.behave(hold=True)
        fail_runs(server, "retry")
        server.wait_until(lambda: executions_of(server, "retry")[0]["attempts"])
        server.wait_until(lambda: executions_of(server, "retry")[0]["status"] == "pending")
        fail_runs(server, "lease")
        slow.wait_for(1, timeout=90)
        server.kill(*server.queue_processes())
        slow.behave()
        slow.release()
        clock.set(0)
        wait_for_outcomes(server, "lease")
        wait_for_outcomes(server, "retry")

        assert assert_nothing_is_lost(server, "lease", slow.requests) == {"finished": 1}
        assert assert_nothing_is_lost(server, "retry", busy.requests) == {"finished": 1}
    # The tasks of every minute go on as well.
    ahead = "SELECT count(*) AS number FROM django_q_schedule WHERE next_run > %s"
    in_two_hours = server.rows("SELECT max(created_at) AS at FROM automations_execution")[0]["at"]
    server.wait_until(lambda: server.rows(ahead, in_two_hours)[0]["number"] == 0)
