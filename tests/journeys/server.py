"""The real server in processes of its own, and its REST API as scripts use it."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import cached_property
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Self, TypeVar

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

ROOT = Path(__file__).resolve().parents[2]
KEYS = {
    "SECRET_KEY": "a-signing-key-of-the-server-under-test",
    "FERNET_KEYS": "a-sealing-key-of-the-server-under-test",
}


Found = TypeVar("Found")


def wait_until(find: Callable[[], Found], *, what: Callable[[], str], timeout: float = 90) -> Found:
    """What `find` returns, as soon as that is true; afterwards fails with `what` was seen last."""
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while not (found := find()):
        assert time.monotonic() < deadline, f"not within {timeout:.0f} s: {what()}"
        pause.wait(0.05)
    return found


class Api:
    """One connection that stays open, signed in with a key. Not for several threads at once."""

    def __init__(self, port: int, key: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def answer(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """The status and the document that come back."""
        sent = None if body is None else json.dumps(body)
        self._connection.request(method, f"/api/{path}", sent, self._headers)
        response = self._connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text else None

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        """The document that comes back; anything but a success fails the test."""
        status, document = self.answer(method, path, body)
        assert 200 <= status < 300, f"{method} {path}: {status} {document}"
        return document


class Server:
    """One `manage.py serve` with a data folder, a port and, where the suite runs on PostgreSQL, a database."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        self.port = free_port()
        self._output = folder / "output"
        self._process: subprocess.Popen[bytes] | None = None
        self._database = _Database() if os.environ.get("DATABASE_URL", "").startswith("postgres") else None
        self.environment = {
            "PATH": os.environ["PATH"],
            "DATA_DIR": str(folder / "data"),
            "PORT": str(self.port),
            **(KEYS | {"DATABASE_URL": self._database.url} if self._database else {}),
            **variables,
        }

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def logs(self) -> str:
        """Everything it has printed, over all its starts."""
        return self._output.read_text() if self._output.exists() else ""

    @cached_property
    def login(self) -> dict[str, str]:
        """What the first start wrote down: url, username, password, api_key, organization, team, project."""
        login: dict[str, str] = json.loads((self.data_dir / "first-login.json").read_text())
        return login

    def start(self) -> None:
        """Start it, and come back when it is ready with its workers."""
        seen = len(self.logs)
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--allow-loopback-webhooks"],
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.wait_until(lambda: "Ready at" in self.logs[seen:] or self._has_ended())
        assert not self._has_ended(), self.logs[seen:]
        self.wait_until(self._is_ready)

    def stop(self) -> None:
        """End it as Ctrl-C does, and see that nothing is left."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        self._process.wait(timeout=30)
        self._process = None
        self.wait_until(lambda: not self.processes())

    def kill(self, *pids: int) -> None:
        """kill -9 these processes; without any, all of them. Comes back when they are gone."""
        doomed = set(pids) or set(self.processes())
        for pid in doomed:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if self._process is not None and self._process.pid in doomed:
            self._process.wait(timeout=30)
            self._process = None
        self.wait_until(lambda: not doomed & set(self.processes()))

    def discard(self) -> None:
        """Leave nothing behind, whatever the test did."""
        try:
            self.stop()
        finally:
            self.kill()
            if self._database:
                self._database.drop()

    def api(self) -> Api:
        """The REST API, signed in as the first user."""
        return Api(self.port, self.login["api_key"])

    def executions(self, project: str) -> list[dict[str, Any]]:
        """The history of a project of the first team, newest first."""
        with self.api() as api:
            page = api("GET", f"executions/?page_size=500&project={self.login['team']}/{project}")
        results: list[dict[str, Any]] = page["results"]
        return results

    def wait_for_outcomes(self, project: str, *, count: int, timeout: float = 90) -> list[dict[str, Any]]:
        """The executions of a project, once there are `count` and all are over."""

        def over() -> list[dict[str, Any]]:
            found = self.executions(project)
            waiting = [one for one in found if one["status"] in {"pending", "running"}]
            return [] if waiting or len(found) < count else found

        return self.wait_until(over, what=lambda: json.dumps(self.executions(project), indent=1), timeout=timeout)

    def wait_until(
        self, find: Callable[[], Found], *, what: Callable[[], str] | None = None, timeout: float = 90
    ) -> Found:
        """What `find` returns, as soon as that is true; otherwise fails with what the server printed."""
        return wait_until(find, what=lambda: f"{what() if what else ''}\n{self.logs[-5000:]}", timeout=timeout)

    def dump(self) -> str:
        """Everything that is in the database, as text."""
        if self._database:
            return self._database.dump()
        with closing(sqlite3.connect(self.data_dir / "db.sqlite3")) as connection:
            return "\n".join(connection.iterdump())

    def processes(self) -> dict[int, str]:
        """Its running processes, whoever their parent is by now: id → command."""
        mark = f"DATA_DIR={self.data_dir}\0".encode()
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark not in (folder / "environ").read_bytes():
                    continue
                if (folder / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                    found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
            except OSError:
                continue  # it ended just now
        return found

    def queue_processes(self) -> list[int]:
        """The queue's leader with its workers."""
        return [pid for pid, command in self.processes().items() if "qcluster" in command]

    def senders(self, port: int) -> list[int]:
        """Processes that have a connection to this local port: the workers that wait for an answer from there."""
        sockets = _sockets_to(port)
        return [pid for pid in self.queue_processes() if sockets & _sockets_of(pid)]

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _is_ready(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


class _Database:
    """A PostgreSQL database of its own, beside the one the suite was given."""

    def __init__(self) -> None:
        self._given = os.environ["TEST_DATABASE_URL"]
        self._name = f"journey_{secrets.token_hex(6)}"
        self._command(f"CREATE DATABASE {self._name}")
        self.url = re.sub(r"/[^/?]*(\?.*)?$", rf"/{self._name}\1", self._given)

    def drop(self) -> None:
        self._command(f"DROP DATABASE {self._name} WITH (FORCE)")

    def dump(self) -> str:
        """Every row of every table, as text."""
        with psycopg.connect(make_conninfo(self.url)) as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            queries = [sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table)) for (table,) in tables]
            return "\n".join(row for query in queries for (row,) in connection.execute(query))

    def _command(self, command: str) -> None:
        with psycopg.connect(make_conninfo(self._given), autocommit=True) as connection:
            connection.execute(command.encode())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _sockets_to(port: int) -> set[str]:
    """The kernel's numbers of established connections to a port of this machine."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {row[9] for row in rows if row[3] == "01" and int(row[2].partition(":")[2], 16) == port}


def _sockets_of(pid: int) -> set[str]:
    found = set()
    for link in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            target = str(link.readlink())
        except OSError:
            continue
        if target.startswith("socket:["):
            found.add(target[8:-1])
    return found
