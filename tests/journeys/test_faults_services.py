"""The database restarts and crashes under load; Redis is emptied, dies and comes back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path

from tests.journeys.accounts import assert_nothing_is_lost, begin_run, call_on_failure, wait_for_outcomes
from tests.journeys.backing import own_postgres, own_redis
from tests.journeys.server import KEYS, Server
from tests.receiver import Receiver

RUNS = 60


@contextmanager
def started(folder: Path, **variables: str) -> Iterator[Server]:
    served = Server(folder, WEB_WORKERS="1", QUEUE_WORKERS="2", WEBHOOK_TOTAL_TIMEOUT="1", **variables)
    try:
        served.start()
        yield served
    finally:
        served.discard()


class Script(threading.Thread):
    """Ends runs one after another, and repeats what was refused until it is taken, as a script would."""

    def __init__(self, server: Server, paths: list[str]) -> None:
        super().__init__()
        self._server = server
        self._paths = paths
        self._pause = threading.Event()
        self.done = 0
        self.refusals: list[tuple[int, str]] = []

    def run(self) -> None:
        with self._server.api() as api:
            for path in self._paths:
                while True:
                    status, document = api.answer("POST", path, {"exit_code": 1})
                    # A conflict: it was done, and only the answer was lost.
                    if status in {HTTPStatus.OK, HTTPStatus.CONFLICT}:
                        break
                    self.refusals.append((status, document["detail"]))
                    self._pause.wait(0.1)
                self.done += 1


def test_a_database_that_restarts_and_crashes_under_load_loses_nothing(tmp_path: Path, receiver: Receiver) -> None:
    """RE1."""
    with own_postgres() as database, started(tmp_path, **KEYS, DATABASE_URL=database.url) as server:
        receiver.behave(drip=0.01)
        call_on_failure(server, "restarts", receiver.url)
        with server.api() as api:
            script = Script(server, [begin_run(api, server, "restarts") for _ in range(RUNS)])
        script.start()
        for number, mode in enumerate(("fast", "immediate"), start=1):
            server.wait_until(lambda number=number: script.done >= number * RUNS // 3)
            database.stop(mode=mode)
            server.wait_until(lambda number=number: len(script.refusals) >= number)
            database.start()
        script.join()

        server.wait_until(server.is_ready)
        wait_for_outcomes(server, "restarts", timeout=150)

        assert assert_nothing_is_lost(server, "restarts", receiver.requests) == {"finished": RUNS}
        assert {status for status, _ in script.refusals} == {HTTPStatus.SERVICE_UNAVAILABLE}
        assert all("database does not answer" in sentence for _, sentence in script.refusals)


def test_a_redis_that_is_emptied_dies_and_comes_back_loses_nothing(tmp_path: Path, receiver: Receiver) -> None:
    """RE1, RE3: it carries the queue, and what has to be done is in the database."""
    with ExitStack() as stack:
        queue = stack.enter_context(own_redis(tmp_path))
        server = stack.enter_context(started(tmp_path, REDIS_URL=queue.url))
        call_on_failure(server, "redis", receiver.url)
        with server.api() as api:
            paths = [begin_run(api, server, "redis") for _ in range(RUNS)]
            receiver.behave(hold=True)
            for path in paths[: RUNS // 2]:
                api("POST", path, {"exit_code": 1})
            receiver.wait_for(1, timeout=90)
            queue.flush()
            queue.kill()
            for path in paths[RUNS // 2 :]:
                api("POST", path, {"exit_code": 1})  # taken all the same: the change does not need the queue
        receiver.behave()
        receiver.release()
        queue.start()

        wait_for_outcomes(server, "redis", timeout=200)

        assert assert_nothing_is_lost(server, "redis", receiver.requests) == {"finished": RUNS}
        server.wait_until(server.is_ready)
