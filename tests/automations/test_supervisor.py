"""The supervisor, with real processes: what dies comes back, and stopping leaves nothing behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from automations.supervisor import Program, Supervisor

# Each program writes its process id when it is ready, and its worker's, so that tests can look for both.
OBEDIENT = "import os, pathlib, signal; pathlib.Path('{pids}').open('a').write(f'{{os.getpid()}}\\n'); signal.pause()"
STUBBORN = "import signal; [signal.signal(n, signal.SIG_IGN) for n in (signal.SIGTERM, signal.SIGINT)]; " + OBEDIENT
WITH_WORKER = (
    "import subprocess, sys, pathlib; "
    "worker = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()']); "
    "pathlib.Path('{pids}').open('a').write(f'{{worker.pid}}\\n'); " + OBEDIENT
)


@pytest.fixture
def pids(tmp_path: Path) -> Path:
    return tmp_path / "pids"


@pytest.fixture
def program(pids: Path) -> Iterator[Callable[[str], Program]]:
    made: list[Program] = []

    def make(code: str) -> Program:
        command = [sys.executable, "-c", code.format(pids=pids)]
        made.append(Program("sample", command, folder=pids.parent, environment=dict(os.environ)))
        return made[-1]

    yield make
    for left in made:
        left.kill()


def wait_until(condition: Callable[[], object], *, within: float = 20.0) -> None:
    deadline = time.monotonic() + within
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "what the test waits for did not happen"
        pause.wait(0.02)


def written(pids: Path, count: int) -> list[int]:
    """The process ids in the file, once there are as many as asked for."""
    wait_until(lambda: pids.exists() and pids.read_text().count("\n") >= count)
    return [int(line) for line in pids.read_text().split()]


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_a_program_that_dies_is_started_again_after_a_pause_that_doubles(
    program: Callable[[str], Program], pids: Path
) -> None:
    sample = program(OBEDIENT)
    sample._delay = 0.05
    sample.start()

    def is_back() -> bool:
        sample.revive()
        return sample.pid is not None

    pauses = []
    for deaths in (1, 2, 3):
        os.kill(written(pids, deaths)[-1], signal.SIGKILL)
        wait_until(sample.has_ended)
        pauses.append(sample._delay)
        sample.revive()
        assert sample.pid is None
        wait_until(is_back)
    assert len(set(written(pids, 4))) == 4
    assert pauses == [0.05, 0.1, 0.2]


def test_workers_that_outlive_their_leader_are_ended_before_it_starts_again(
    program: Callable[[str], Program], pids: Path
) -> None:
    sample = program(WITH_WORKER)
    sample.start()
    worker, leader = written(pids, 2)
    os.kill(leader, signal.SIGKILL)
    wait_until(sample.has_ended)
    assert is_running(worker)
    sample.revive()
    wait_until(lambda: not is_running(worker))


def test_stopping_lets_a_program_end_by_itself(program: Callable[[str], Program], pids: Path) -> None:
    sample = program(OBEDIENT)
    sample.start()
    [pid] = written(pids, 1)
    Supervisor([sample], patience=20).stop()
    assert not is_running(pid)
    assert sample._process is not None
    assert sample._process.returncode == -signal.SIGTERM


def test_what_does_not_stop_in_time_is_killed_with_its_workers(program: Callable[[str], Program], pids: Path) -> None:
    sample = program("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + WITH_WORKER)
    sample.start()
    worker, leader = written(pids, 2)
    Supervisor([sample], patience=0.2).stop()
    wait_until(lambda: not is_running(worker) and not is_running(leader))


SUPERVISED = """
import os, pathlib, sys
from automations.supervisor import Program, Supervisor
code = {code!r}
command = [sys.executable, "-c", code]
program = Program("sample", command, folder=pathlib.Path("."), environment=dict(os.environ))
supervisor = Supervisor([program], patience=60)
supervisor.start()
supervisor.run()
supervisor.stop()
"""


@pytest.fixture
def supervised(pids: Path) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Start a supervisor in a process of its own, so that it can be sent signals."""
    started: list[subprocess.Popen[bytes]] = []

    def start(code: str) -> subprocess.Popen[bytes]:
        program = SUPERVISED.format(code=code.format(pids=pids))
        started.append(subprocess.Popen([sys.executable, "-c", program], cwd=Path(__file__).parents[2]))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything(
    number: signal.Signals, supervised: Callable[[str], subprocess.Popen[bytes]], pids: Path
) -> None:
    process = supervised(OBEDIENT)
    [pid] = written(pids, 1)
    process.send_signal(number)
    assert process.wait(timeout=20) == 0
    assert not is_running(pid)


def test_a_second_signal_ends_what_takes_too_long(
    supervised: Callable[[str], subprocess.Popen[bytes]], pids: Path
) -> None:
    process = supervised(STUBBORN)
    [pid] = written(pids, 1)
    process.send_signal(signal.SIGINT)

    def has_ended() -> bool:
        process.send_signal(signal.SIGINT)
        return process.poll() is not None

    wait_until(has_ended)
    assert not is_running(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children that their parent was killed")
def test_programs_do_not_outlive_a_killed_supervisor(
    supervised: Callable[[str], subprocess.Popen[bytes]], pids: Path
) -> None:
    process = supervised(OBEDIENT)
    [pid] = written(pids, 1)
    process.kill()
    wait_until(lambda: not is_running(pid))
