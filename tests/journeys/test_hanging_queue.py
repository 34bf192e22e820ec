"""django-q2 hangs for good once an idle worker is killed while it holds the lock of their queue: `serve` heals that."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from tests.journeys.accounts import assert_nothing_is_lost, call_on_failure, fail_runs, wait_for_outcomes
from tests.journeys.server import Server
from tests.receiver import Receiver

VARIABLES = {"WEB_WORKERS": "1", "QUEUE_WORKERS": "2"}
# Two that deliver and one for the clock; they are started before what hands them work and takes their results.
WORKERS = 3


def children_of(parent: int) -> list[int]:
    """In the order they were started."""
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def guard_of(server: Server) -> int:
    """The process that started the workers: the child of the queue's leader."""
    queue = set(server.queue_processes())
    return next(pid for pid in queue if len(queue & set(children_of(pid))) > WORKERS)


def kill_workers_one_after_another(server: Server) -> None:
    """Each the moment after the one before it was replaced, the idle one first."""
    guard = server.wait_until(lambda: guard_of(server))
    helpers = children_of(guard)[WORKERS:]
    turns = server.data_dir / "turns"
    busy = {int(path.name.partition("-")[2]) for path in turns.glob("busy-*")}
    for victim in sorted(children_of(guard)[:WORKERS], key=lambda pid: pid in busy):
        os.kill(victim, signal.SIGKILL)
        server.wait_until(
            lambda gone=victim: (
                gone not in children_of(guard) and len(set(children_of(guard)) - set(helpers)) == WORKERS
            )
        )


def test_re1_workers_that_hang_are_started_afresh_and_send_what_became_due_meanwhile(
    server: Server, receiver: Receiver
) -> None:
    call_on_failure(server, "hang", receiver.url)
    fail_runs(server, "hang")
    receiver.wait_for(1)
    kill_workers_one_after_another(server)
    began = time.monotonic()
    fail_runs(server, "hang", count=3)
    receiver.wait_for(4, timeout=60)
    healed_after = time.monotonic() - began
    assert "queue_stuck" in server.logs
    # Eight seconds of patience and a start; the rest is for machines that are busy.
    assert healed_after < 40
    wait_for_outcomes(server, "hang")
    assert_nothing_is_lost(server, "hang", receiver.requests)


def test_receivers_that_are_merely_slow_are_taken_for_no_hang(server: Server, receiver: Receiver) -> None:
    stuck = server.logs.count("queue_stuck")
    receiver.behave(hold=True)
    call_on_failure(server, "slow", receiver.url)
    fail_runs(server, "slow", count=12)
    receiver.wait_for(4)
    waits_until = time.monotonic() + 12
    server.wait_until(lambda: time.monotonic() > waits_until)
    receiver.behave()
    receiver.release()
    wait_for_outcomes(server, "slow")
    assert server.logs.count("queue_stuck") == stuck
