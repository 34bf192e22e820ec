"""The real server in processes of its own, and its REST API as scripts use it."""

from __future__ import annotations

import atexit
import json
import os
import re
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import cache, cached_property
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Self, TypeVar

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

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
    """One `manage.py serve` with a data folder, a port and, where the suite runs on PostgreSQL, a database. `under` is
    a command that starts it, such as one that fakes the time."""

    def __init__(self, folder: Path, *, under: Sequence[str] = (), **variables: str) -> None:
        self.folder = folder
        self.port = free_port()
        self._under = list(under)
        self._mark = f"SERVER_UNDER_TEST={secrets.token_hex(8)}"
        self._output = folder / "output"
        self._process: subprocess.Popen[bytes] | None = None
        template = _template()
        own = "DATABASE_URL" not in variables
        self._database = _Database(template.database) if own and template.database else None
        template.copy_to(folder / "data", with_database=own)
        self.environment = {
            "PATH": os.environ["PATH"],
            "DATA_DIR": str(folder / "data"),
            "PORT": str(self.port),
            **(KEYS | {"DATABASE_URL": self._database.url} if self._database else {}),
            **variables,
            **dict([self._mark.split("=")]),
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
        ready = "Ready at" if self.environment.get("WEB_WORKERS") != "0" else "The queue workers are running"
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                [*self._under, sys.executable, "manage.py", "serve", "--allow-loopback-webhooks"],
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.wait_until(lambda: ready in self.logs[seen:] or self._has_ended(), timeout=600)  # machines may be busy
        assert not self._has_ended(), self.logs[seen:]
        if self.environment.get("WEB_WORKERS") != "0":
            self.wait_until(self.is_ready)

    def is_ready(self) -> bool:
        """Whether it says that it can do its work."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

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

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """What a query finds in its database, whichever that is; `%s` stands for a value."""
        url = self.environment.get("DATABASE_URL")
        if url:
            with psycopg.connect(make_conninfo(url), row_factory=dict_row) as connection:
                return connection.execute(query.encode(), values).fetchall()
        with closing(sqlite3.connect(self.data_dir / "db.sqlite3", timeout=20)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(query.replace("%s", "?"), values)]

    def change(self, statement: str, *values: Any) -> None:
        """The same of a statement that changes something."""
        url = self.environment.get("DATABASE_URL")
        if url:
            with psycopg.connect(make_conninfo(url)) as connection:
                connection.execute(statement.encode(), values)
            return
        with closing(sqlite3.connect(self.data_dir / "db.sqlite3", timeout=20)) as database, database:
            database.execute(statement.replace("%s", "?"), values)

    def dump(self) -> str:
        """Everything that is in the database, as text."""
        if self._database:
            return self._database.dump()
        with closing(sqlite3.connect(self.data_dir / "db.sqlite3")) as connection:
            return "\n".join(connection.iterdump())

    def processes(self) -> dict[int, str]:
        """Its running processes, whoever their parent is by now: id → command."""
        mark = f"{self._mark}\0".encode()
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

    @property
    def supervisor(self) -> int:
        """The process that keeps the others running."""
        assert self._process is not None, "it is not running"
        return self._process.pid

    def web_processes(self) -> list[int]:
        """The web server's leader with its workers."""
        return [pid for pid, command in self.processes().items() if "granian" in command]

    def queue_processes(self) -> list[int]:
        """The queue's leader with its workers."""
        return [pid for pid, command in self.processes().items() if "qcluster" in command]

    def senders(self, port: int) -> list[int]:
        """Processes that have a connection to this local port: the workers that wait for an answer from there."""
        sockets = _sockets_to(port)
        return [pid for pid in self.queue_processes() if sockets & _sockets_of(pid)]

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None


class _Template:
    """What every first start would do at the same length: an empty database with all migrations, and static files.
    `tests/automations/management/test_serve.py` looks at starts that find nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        on_postgresql = os.environ.get("DATABASE_URL", "").startswith("postgres")
        self.database = _Database() if on_postgresql else None
        environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(folder), "LOG_LEVEL": "WARNING"}
        environment |= KEYS | ({"DATABASE_URL": self.database.url} if self.database else {})
        subprocess.run([sys.executable, "-c", PREPARE], cwd=ROOT, env=environment, check=True)

    def copy_to(self, data_dir: Path, *, with_database: bool) -> None:
        data_dir.mkdir(mode=0o700)
        shutil.copytree(self._folder / "static", data_dir / "static")
        shutil.copy2(self._folder / "static-stamp", data_dir)
        if with_database and self.database is None:
            shutil.copy2(self._folder / "db.sqlite3", data_dir)

    def discard(self) -> None:
        shutil.rmtree(self._folder)
        if self.database:
            self.database.drop()


PREPARE = """
import os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "automations_site.settings"
django.setup()
from django.core.management import call_command
from automations.management.commands.serve import collect_static
call_command("migrate", verbosity=0)
call_command("createcachetable", verbosity=0)
collect_static()
"""


@cache
def _template() -> _Template:
    """One for all servers of this process."""
    template = _Template(Path(tempfile.mkdtemp(prefix="automations-template-")))
    atexit.register(template.discard)
    return template


class _Database:
    """A PostgreSQL database of its own, beside the one the suite was given; a copy of another one, if that is given."""

    def __init__(self, template: _Database | None = None) -> None:
        self._given = os.environ["TEST_DATABASE_URL"]
        self._name = f"journey_{secrets.token_hex(6)}"
        self._command(f"CREATE DATABASE {self._name}" + (f" TEMPLATE {template._name}" if template else ""))
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
