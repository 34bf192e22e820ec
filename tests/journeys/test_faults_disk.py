"""A disk that fills up under SQLite: requests are refused with the reason, nothing is half written, work goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.accounts import assert_nothing_is_lost, begin_run, call_on_failure, fail_runs, wait_for_outcomes
from tests.journeys.server import Server
from tests.receiver import Receiver

# SQLite has to be asked from inside: it follows /proc/…/root as the link it is for everybody else.
INSIDE = ("--user", "--mount", "--preserve-credentials")
ASK = """
import json, sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=20)
database.row_factory = sqlite3.Row
print(json.dumps([dict(row) for row in database.execute(sys.argv[2], sys.argv[3:])]))
"""
MEGABYTE = 1 << 20
# The disk exists for the server alone, in a mount namespace that any user may make.
ON_A_SMALL_DISK = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")
MOUNT = 'mkdir -p "$DATA_DIR" && mount -t tmpfs -o size=48m small "$DATA_DIR" && exec "$@"'


class OnASmallDisk(Server):
    """A server whose data folder is a small disk of its own."""

    @cached_property
    def _seen_from_here(self) -> Path:
        return Path(f"/proc/{self.supervisor}/root")

    @property
    def data_dir(self) -> Path:
        return self._seen_from_here / self.folder.relative_to("/") / "data"

    @property
    def _filler(self) -> Path:
        return self.data_dir / "filler"

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        inside = ["nsenter", f"--target={self.supervisor}", *INSIDE, sys.executable, "-c", ASK]
        arguments = [str(self.folder / "data" / "db.sqlite3"), query.replace("%s", "?"), *values]
        found = subprocess.run([*inside, *arguments], check=True, capture_output=True)
        rows: list[dict[str, Any]] = json.loads(found.stdout)
        return rows

    def fill_disk(self) -> None:
        """Leave not a byte."""
        with self._filler.open("ab", buffering=0) as filler:
            for size in (MEGABYTE, 4096):
                try:
                    while filler.write(b"x" * size) == size:
                        pass
                except OSError:
                    continue

    def make_room(self) -> None:
        self._filler.unlink()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[OnASmallDisk]:
    """A server on a disk of its own, which nothing but this test fills."""
    possible = subprocess.run([*ON_A_SMALL_DISK, "mount -t tmpfs small /mnt"], check=False, capture_output=True)
    if possible.returncode:
        pytest.skip(f"A disk of its own cannot be mounted here: {possible.stderr.decode().strip()}")
    served = OnASmallDisk(
        tmp_path,
        under=[*ON_A_SMALL_DISK, MOUNT, "sh"],
        DATABASE_URL="",
        WEB_WORKERS="1",
        QUEUE_WORKERS="1",
        WEBHOOK_TOTAL_TIMEOUT="1",
    )
    try:
        served.start()
        yield served
    finally:
        served.discard()


def test_a_full_disk_refuses_with_the_reason_and_keeps_what_was_taken(server: OnASmallDisk, receiver: Receiver) -> None:
    """RE1, IF3: also an execution that was under way when the disk filled up."""
    project = "disk-full"
    call_on_failure(server, project, receiver.url)
    receiver.behave(hold=True)
    fail_runs(server, project)
    receiver.wait_for(1, timeout=90)
    with server.api() as api:
        run = begin_run(api, server, project)
        server.fill_disk()
        refused, taken = [], 0
        for _ in range(200):
            status, document = api.answer("POST", run.replace("/finish/", "/metrics/"), [{"loss": 0.1}] * 200)
            if status < 300:
                taken += 1  # pages that were free inside the file
            else:
                refused.append((status, document))
            if len(refused) == 3:
                break
        event = api.answer("POST", run, {"exit_code": 1})
        receiver.behave()
        receiver.release()

        assert [status for status, _ in [*refused, event]] == [507] * 4
        assert all("disk is full" in document["detail"] for _, document in [*refused, event])
        assert api("GET", run.replace("/finish/", "/"))["state"] == "running"  # reading goes on
        server.make_room()
        assert api("GET", run.replace("/finish/", "/metrics/?key=loss&limit=1"))
        assert api("POST", run.replace("/finish/", "/metrics/"), [{"loss": 0.1}])["lines"] == taken * 200 + 1
        api("POST", run, {"exit_code": 1})
    wait_for_outcomes(server, project)

    assert assert_nothing_is_lost(server, project, receiver.requests) == {"finished": 2}
    assert server.rows("PRAGMA integrity_check")[0] == {"integrity_check": "ok"}
