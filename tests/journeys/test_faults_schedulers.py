"""Two supervisors with workers of their own on one database: each execution is one worker's, and either may die."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.journeys.accounts import (
    assert_nothing_is_lost,
    begin_run,
    call_on_failure,
    executions_of,
    fail_runs,
    sends,
    wait_for_outcomes,
)
from tests.journeys.server import KEYS, Server
from tests.receiver import Receiver

VARIABLES = {"WEB_WORKERS": "1", "QUEUE_WORKERS": "2", "WEBHOOK_TOTAL_TIMEOUT": "5", "CRASHED_AFTER": "10"}
RUNS = 64


@pytest.fixture
def second(server: Server, tmp_path: Path) -> Iterator[Server]:
    """Another host's `serve` on the same database, without a web server."""
    data = server.data_dir
    embedded = {
        "DATABASE_URL": f"sqlite:///{data}/db.sqlite3",
        "SECRET_KEY_FILE": f"{data}/secret-key",
        "FERNET_KEYS_FILE": f"{data}/fernet-keys",
    }
    shared = {name: server.environment[name] for name in ("DATABASE_URL", *KEYS) if name in server.environment}
    beside = Server(tmp_path, **VARIABLES | (shared or embedded) | {"WEB_WORKERS": "0"})
    try:
        beside.start()
        yield beside
    finally:
        beside.discard()


def fail_half(server: Server) -> None:
    """Half of the runs fail, four at once."""
    with ThreadPoolExecutor(4) as threads:
        failing = [threads.submit(fail_runs, server, "schedulers", count=RUNS // 8) for _ in range(4)]
    for one in failing:
        one.result()


def test_two_schedulers_do_everything_once_and_one_goes_on_without_the_other(
    server: Server, second: Server, receiver: Receiver
) -> None:
    """RE1: nothing happens twice while all goes well; and of what a dead host had in hand, only that is sent again."""
    call_on_failure(server, "silent", receiver.url.replace("/hook", "/silent"))
    call_on_failure(server, "schedulers", receiver.url)
    with server.api() as api:
        begin_run(api, server, "silent")  # and never a word again, which both look for each minute
    fail_half(server)
    server.wait_until(lambda: executions_of(server, "silent"))
    for project, count in (("schedulers", RUNS // 2), ("silent", 1)):
        wait_for_outcomes(server, project)
        assert [one["status"] for one in executions_of(server, project)] == ["finished"] * count
    assert set(sends(receiver.requests).values()) == {1}

    receiver.behave(hold=True)
    fail_half(server)
    server.wait_until(lambda: second.senders(receiver.port))
    second.kill()
    receiver.behave()
    receiver.release()
    wait_for_outcomes(server, "schedulers")

    called = [request for request in receiver.requests if request.path == "/hook"]
    assert assert_nothing_is_lost(server, "schedulers", called) == {"finished": RUNS}
    assert len(executions_of(server, "silent")) == 1
