"""`manage.py serve`, started as an operator starts it: a real server, a real queue, and an end that leaves nothing."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).resolve().parents[3]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def process_tree(root: int) -> set[int]:
    """The process and all its descendants."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    tree = {root}
    while found := {pid for pid, parent in parents.items() if parent in tree} - tree:
        tree |= found
    return tree


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Server:
    """One `serve` with a data folder and a port of its own."""

    def __init__(self, folder: Path, **variables: str):
        self.folder = folder
        self.port = free_port()
        self.output = folder / "output"
        environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(folder / "data"), "PORT": str(self.port)}
        self.environment = environment | {"WEB_WORKERS": "1", "QUEUE_WORKERS": "1"} | variables
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str) -> None:
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", *arguments],
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.wait_until(lambda: "Ready at" in self.output.read_text())

    def wait_until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 90
        pause = threading.Event()
        while not condition():
            assert time.monotonic() < deadline, self.output.read_text()
            assert self.process is None or self.process.poll() is None, self.output.read_text()
            pause.wait(0.05)

    def status(self, path: str) -> int:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return int(answer.status)
        except HTTPError as refusal:
            return refusal.code
        except OSError:  # refused, or cut off in the middle of a restart
            return 0

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    served = Server(tmp_path)
    yield served
    if served.process and served.process.poll() is None:
        served.process.terminate()
        served.process.wait(timeout=30)


def test_one_command_starts_everything_and_an_interrupt_ends_it(server: Server) -> None:
    server.start("--allow-loopback-webhooks")
    output = server.output.read_text()
    # Pages need the static files that this start gathered; the health check does not.
    assert [server.status(path) for path in ("/healthz", "/login", "/api/docs/")] == [200, 200, 200]
    assert f"Ready at http://localhost:{server.port}" in output
    assert "Webhooks may reach this machine itself" in output
    login_file = server.folder / "data" / "first-login.json"
    login = json.loads(login_file.read_text())
    assert stat.S_IMODE(login_file.stat().st_mode) == 0o600
    assert login["url"] == f"http://localhost:{server.port}"
    assert login["password"] in output
    assert server.process is not None
    root = server.process.pid
    # Supervisor; web: leader, worker; queue: leader, guard, worker, pusher, monitor. The last ones come after "Ready".
    server.wait_until(lambda: len(process_tree(root)) >= 7)
    tree = process_tree(root)
    assert server.stop() == 0
    server.process = None
    server.wait_until(lambda: not any(is_running(pid) for pid in tree))


def test_a_second_start_keeps_the_first_sign_in_and_does_not_show_it_again(server: Server) -> None:
    server.start()
    first = (server.folder / "data" / "first-login.json").read_text()
    server.stop(signal.SIGTERM)
    began = time.monotonic()
    server.start()
    assert time.monotonic() - began < 20
    assert (server.folder / "data" / "first-login.json").read_text() == first
    assert json.loads(first)["password"] not in server.output.read_text()
    assert "Webhooks may reach this machine" not in server.output.read_text()
    assert server.stop() == 0


def test_killed_programs_come_back(server: Server) -> None:
    """RE1: killing any process at any moment is survived."""
    server.start()
    assert server.process is not None
    leaders = [pid for pid in process_tree(server.process.pid) if pid != server.process.pid and os.getpgid(pid) == pid]
    assert len(leaders) == 2
    for pid in leaders:
        os.kill(pid, signal.SIGKILL)
    server.wait_until(lambda: server.output.read_text().count("program_died") == 2)
    server.wait_until(lambda: server.status("/healthz") == 200)
    assert server.stop() == 0


def test_a_port_in_use_is_a_sentence_that_names_the_setting(server: Server) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", server.port))
        taken.listen()
        answer = subprocess.run(
            [sys.executable, "manage.py", "serve"],
            cwd=ROOT,
            env=server.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert answer.returncode != 0
    assert re.search(rf"Port {server.port} is taken .* set PORT to another number\.", answer.stderr)
    assert "Traceback" not in answer.stderr
    assert not (server.folder / "data" / "first-login.json").exists()


def test_a_network_that_cannot_be_read_stops_the_start(server: Server) -> None:
    """WH9: a typing error in the guard's exceptions must not wait for a delivery to be noticed."""
    answer = subprocess.run(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env=server.environment | {"WEBHOOK_ALLOWED_NETWORKS": "10.0.0.0/99"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode != 0
    assert "WEBHOOK_ALLOWED_NETWORKS" in answer.stderr
    assert "Traceback" not in answer.stderr
