"""A PostgreSQL and a Redis of a test's own, to be restarted, crashed and emptied at will."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from tests.journeys.server import free_port, wait_until


class OwnPostgres:
    """A cluster in a folder of its own. It refuses to run as root, so root runs it as another user."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self._user = "nobody" if os.geteuid() == 0 else None
        self.port = free_port()
        self.url = f"postgresql://journey@127.0.0.1:{self.port}/postgres"

    def create(self) -> None:
        if self._user:
            shutil.chown(self._folder, self._user)
        self._run("initdb", "-D", str(self._folder / "data"), "-A", "trust", "-U", "journey", "-N")
        settings = f"port={self.port}\nlisten_addresses='127.0.0.1'\nunix_socket_directories=''\nfsync=off\n"
        with (self._folder / "data" / "postgresql.conf").open("a") as configuration:
            configuration.write(settings)
        self.start()

    def start(self) -> None:
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-l", str(self._folder / "log"), "-w", "start")

    def stop(self, *, mode: str = "fast") -> None:
        """`fast` ends sessions in order; `immediate` is a crash, after which it recovers from its log."""
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", mode, "-w", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, *arguments],
            check=True,
            cwd=self._folder,
            user=self._user,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@contextmanager
def own_postgres() -> Iterator[OwnPostgres]:
    """Skips the test where the programs are missing."""
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb"), *filter(None, [shutil.which("initdb")])]
    if not found:
        pytest.skip("initdb is missing: install the PostgreSQL server (apt-get install postgresql).")
    with tempfile.TemporaryDirectory(prefix="journey-postgres-", dir="/tmp") as folder:
        cluster = OwnPostgres(Path(max(map(str, found))).parent, Path(folder))
        cluster.create()
        try:
            yield cluster
        finally:
            cluster.stop(mode="immediate")


class OwnRedis:
    """A Redis that keeps nothing when it ends."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        settings = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [self._program, *settings, "--dir", str(self._folder)], stdout=subprocess.DEVNULL
        )
        wait_until(self._answers, what=lambda: "Redis does not answer")

    def kill(self) -> None:
        """kill -9: whatever was in it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def flush(self) -> None:
        """Empty it while it runs."""
        with redis.Redis.from_url(self.url) as connection:
            connection.flushall()

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as connection:
                return bool(connection.ping())
        except redis.RedisError:
            return False


@contextmanager
def own_redis(folder: Path) -> Iterator[OwnRedis]:
    """Skips the test where the program is missing."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is missing (apt-get install redis-server).")
    service = OwnRedis(program, folder)
    service.start()
    try:
        yield service
    finally:
        service.kill()
