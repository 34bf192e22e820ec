"""kill -9 at each step of a delivery: every execution is carried out, and only what was in flight is sent twice."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPException

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
from tests.journeys.server import Server, free_port
from tests.receiver import Receiver

AUTOMATIONS = 4
# Short enough to wait for: a claim holds for 15 seconds longer than a send may last.
VARIABLES = {"WEBHOOK_TOTAL_TIMEOUT": "5", "WEB_WORKERS": "1", "QUEUE_WORKERS": "2"}

Kill = Callable[[Server, str, ExitStack], Receiver]


@contextmanager
def deaf_port() -> Iterator[int]:
    """A port whose queue of connections is full: who calls it waits, and nothing of what they say gets out."""
    with ExitStack() as stack:
        deaf = stack.enter_context(socket.socket())
        deaf.bind(("127.0.0.1", free_port()))
        deaf.listen(0)
        port = int(deaf.getsockname()[1])
        for _ in range(3):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(("127.0.0.1", port))
        yield port


def kill_before_the_claim(server: Server, project: str, stack: ExitStack) -> Receiver:
    """The queue's processes stand still while the event happens, and never go on."""
    receiver = stack.enter_context(Receiver())
    call_on_failure(server, project, *[receiver.url] * AUTOMATIONS)
    queue = server.queue_processes()
    for pid in queue:
        os.kill(pid, signal.SIGSTOP)
    fail_runs(server, project)
    assert {one["status"] for one in executions_of(server, project)} == {"pending"}
    server.kill(*queue)
    wait_for_outcomes(server, project)  # nobody's lease has to end, and the next kill shall not meet it in flight
    return receiver


def kill_after_the_claim(server: Server, project: str, stack: ExitStack) -> Receiver:
    """The workers have taken it, written the attempt down, and are still connecting: nothing has left."""
    with deaf_port() as port:
        call_on_failure(server, project, *[f"http://127.0.0.1:{port}/hook"] * AUTOMATIONS)
        fail_runs(server, project)
        server.wait_until(lambda: any(one["attempts"] for one in executions_of(server, project)))
        server.kill(*server.queue_processes())
        assert "running" in {one["status"] for one in executions_of(server, project)}
    return stack.enter_context(Receiver(port))


def kill_during_the_send(server: Server, project: str, stack: ExitStack) -> Receiver:
    """The receiver has the request and has not answered yet."""
    receiver = stack.enter_context(Receiver())
    receiver.behave(hold=True)
    call_on_failure(server, project, *[receiver.url] * AUTOMATIONS)
    fail_runs(server, project)
    receiver.wait_for(1, timeout=90)
    server.kill(server.senders(receiver.port)[0])
    receiver.behave()
    receiver.release()
    return receiver


def kill_after_the_send(server: Server, project: str, stack: ExitStack) -> Receiver:
    """The receiver has done its work and said so; the answer has reached the worker's machine, and the worker dies
    before it reads it: it stands still from the moment the request came."""
    receiver = stack.enter_context(Receiver())
    sender: list[int] = []

    def stop_the_sender() -> None:
        sender.append(server.senders(receiver.port)[0])
        os.kill(sender[0], signal.SIGSTOP)

    receiver.behave(times=1, before=stop_the_sender, after=lambda: server.kill(*sender))
    call_on_failure(server, project, *[receiver.url] * AUTOMATIONS)
    fail_runs(server, project)
    server.wait_until(lambda: sender and sender[0] not in server.processes())
    return receiver


def kill_everything_during_the_send(server: Server, project: str, stack: ExitStack) -> Receiver:
    """As when the machine loses its power."""
    receiver = stack.enter_context(Receiver())
    receiver.behave(hold=True)
    call_on_failure(server, project, *[receiver.url] * AUTOMATIONS)
    fail_runs(server, project)
    receiver.wait_for(1, timeout=90)
    server.kill()
    receiver.behave()
    receiver.release()
    server.start()
    return receiver


KILLS: tuple[Kill, ...] = (
    kill_before_the_claim,
    kill_after_the_claim,
    kill_during_the_send,
    kill_after_the_send,
    kill_everything_during_the_send,
)


@pytest.fixture(scope="module")
def receivers(server: Server) -> Iterator[dict[Kill, Receiver]]:
    """Each kill has happened, in a project of its own. One after another, and waited for together: what a dead worker
    had taken is its own until its lease has run out."""
    with ExitStack() as stack:
        yield {kill: kill(server, kill.__name__.replace("_", "-"), stack) for kill in KILLS}


@pytest.mark.parametrize("kill", KILLS)
def test_kill_9_loses_nothing(server: Server, receivers: dict[Kill, Receiver], kill: Kill) -> None:
    """RE1, RE2."""
    project, receiver = kill.__name__.replace("_", "-"), receivers[kill]

    wait_for_outcomes(server, project)

    assert assert_nothing_is_lost(server, project, receiver.requests) == {"finished": AUTOMATIONS}
    # On a busy machine a later kill may meet it in flight once more.
    repeated = {name: count for name, count in sends(receiver.requests).items() if count > 1}
    if kill is kill_before_the_claim:
        assert repeated == {}  # nothing had left
    elif kill is not kill_after_the_claim:
        assert repeated  # it was sent, and nobody could know


def test_kill_9_of_the_web_server_under_load_loses_nothing_it_took(server: Server, receiver: Receiver) -> None:
    """RE1: a change that was made has its executions, also when its answer never reached the script."""
    project = "web-killed"
    call_on_failure(server, project, receiver.url)
    with server.api() as api:
        paths = [begin_run(api, server, project) for _ in range(60)]
    taken = 0
    for number, path in enumerate(paths):
        if number % 20 == 10:
            server.kill(*server.web_processes())
        try:
            with server.api() as api:
                api("POST", path, {"exit_code": 1})
        except (OSError, HTTPException):
            server.wait_until(server.is_ready)
        else:
            taken += 1

    wait_for_outcomes(server, project)

    statuses = assert_nothing_is_lost(server, project, receiver.requests)
    assert taken <= statuses["finished"] <= len(paths)
    assert taken < len(paths)  # some requests met nobody
    assert set(sends(receiver.requests).values()) == {1}


def test_kill_9_of_the_supervisor_takes_the_rest_along_and_loses_nothing(server: Server, receiver: Receiver) -> None:
    """RE1: nothing goes on unsupervised, and the next start finds what was left."""
    project = "supervisor-killed"
    call_on_failure(server, project, receiver.url)
    fail_runs(server, project, count=20)
    server.kill(server.supervisor)
    server.wait_until(lambda: not server.processes())
    server.start()

    wait_for_outcomes(server, project)

    assert assert_nothing_is_lost(server, project, receiver.requests) == {"finished": 20}
