"""Deliveries: what is due is carried out, many sends at a time.

One thread owns the database. It claims what there is room for, composes it, writes down the attempts, hands the sends
to a pool of threads that only send, and writes down what comes back, all in batches. While it waits for receivers it
hears of new work, and when nothing is due it stays and listens: an event then finds it waiting.

Each queue worker delivers, one delivery each; the queue starts one wherever none is running (`automations.queueing`).
A delivery lasts a minute and makes way for the next, so that the queue can end one that hangs. Towards its end it takes
up only what goes to endpoints that answer, so that it does not end waiting for one that does not while others are due.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from enum import Enum, auto

import structlog
from django.conf import settings
from django.db import connection
from django.utils import timezone

from automations import claims, executions, turns, wake
from automations.endpoints import SLOTS, Endpoints, Standing, endpoint_of
from automations.executions import Delivery, Result
from automations.health import OUT_OF_REACH
from automations.models import Execution
from automations.wake import Ear

log = structlog.get_logger(__name__)

LASTS = 60.0
# Seconds between two looks at the database when nobody rings.
LOOKS_EVERY = 1.0
# Seconds by which a delivery lets the one before it look first: alone it is as quick as all of them together.
BEHIND = 0.003


def timeout() -> int:
    """Seconds after which a delivery hangs for certain, whatever it had to wait for."""
    return int(LASTS) + 2 * settings.WEBHOOK_TOTAL_TIMEOUT + 30


def deliver(number: int, *, is_wanted: Callable[[], bool] = lambda: True, lasts: float = LASTS) -> None:
    """Run the delivery of this number on this host, unless it is running. It ends early once it is not wanted."""
    turn = turns.take(turns.delivery(number))
    if turn is None:
        return
    turns.note_beginning()
    with turn, closing(Ear(wake.DELIVERY)) as ear:
        try:
            _Delivering(ear, number=number, is_wanted=is_wanted, ends_at=time.monotonic() + lasts).run()
        except BaseException:
            # Nobody takes back what is in flight; the next delivery must not count on it.
            _forget()
            raise
    wake.ring(wake.QUEUE)  # which starts the next one


class _Phase(Enum):
    OPEN = auto()
    CLOSING = auto()
    CLOSED = auto()


class _Delivering:
    def __init__(self, ear: Ear, *, number: int, is_wanted: Callable[[], bool], ends_at: float) -> None:
        self._ear = ear
        self._number = number
        self._is_wanted = is_wanted
        self._ends_at = ends_at
        self._endpoints, self._threads = _memory()
        self._in_flight = 0
        self._look_at = 0.0
        self._back: deque[tuple[Result, float]] = deque()

    def run(self) -> None:
        while True:
            # Before looking: what becomes due while we look rings again.
            self._ear.clear()
            try:
                patience = self._step()
            except OUT_OF_REACH as problem:
                # What came back is written down once the database is; what was claimed comes back with its lease.
                log.warning("delivery_without_database", reason=type(problem).__name__)
                connection.close()
                patience = LOOKS_EVERY
            if not self._in_flight and not self._back and self._phase() != _Phase.OPEN:
                return
            self._ear.wait(patience)
            if self._number and not self._in_flight:
                time.sleep(BEHIND * self._number)

    def _step(self) -> float:
        """Do what can be done now, and say for how long there is nothing more unless somebody rings."""
        recorded = self._record()
        while self._take():
            recorded |= self._record()
        # Who was only rung, and found nothing or sent it, knows already when something else will be due.
        if recorded or time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + self._seconds_to_wait()
        return self._look_at - time.monotonic()

    def _phase(self) -> _Phase:
        late = time.monotonic() - self._ends_at
        if late > settings.WEBHOOK_TOTAL_TIMEOUT or not self._is_wanted():
            return _Phase.CLOSED
        return _Phase.CLOSING if late > 0 else _Phase.OPEN

    def _take(self) -> bool:
        """Claim what there is room for and send it. Whether there may be more."""
        phase = self._phase()
        if phase == _Phase.CLOSED:
            return False
        if phase == _Phase.CLOSING:
            return self._take_for(Standing.PROVEN)
        # Whoever answers does not wait for what goes to those who do not.
        more = self._endpoints.may_fail() and self._take_for(Standing.UNPROVEN)
        return self._take_for(Standing.FAILING) or more

    def _take_for(self, least: Standing) -> bool:
        """The same, to endpoints of this standing or a higher one."""
        at = timezone.now()
        room = self._endpoints.room(now=time.monotonic(), least=least)
        slots = room.slots
        batch = claims.claim(room, at=at)
        for delivery in executions.begin(executions.admit(batch, at=at), at=at):
            self._send(delivery)
        return 0 < slots <= len(batch)

    def _send(self, delivery: Delivery) -> None:
        endpoint = endpoint_of(delivery.execution)
        begun = time.monotonic()
        if endpoint is None:
            self._sent(delivery, begun)
            return
        self._endpoints.begin(endpoint, now=begun)
        self._in_flight += 1
        self._threads.submit(self._sent, delivery, begun)

    def _sent(self, delivery: Delivery, begun: float) -> None:
        """In a thread of its own, if it goes anywhere: send, and hand back what came of it."""
        self._back.append((delivery.carry_out(), begun))
        self._ear.ring()

    def _record(self) -> bool:
        """Write down what came back, and make room. Whether anything did."""
        came = [self._back.popleft() for _ in range(len(self._back))]
        if not came:
            return False
        try:
            executions.record([result for result, _ in came], at=timezone.now())
        except OUT_OF_REACH:
            self._back.extendleft(reversed(came))
            raise
        for result, begun in came:
            endpoint = endpoint_of(result.execution)
            if endpoint is not None:
                self._in_flight -= 1
                # A final answer is an answer: the endpoint is up and quick.
                succeeded = result.error is None or result.error.permanent
                self._endpoints.end(endpoint, begun=begun, succeeded=succeeded)
        return True

    def _seconds_to_wait(self) -> float:
        due = Execution.objects.next_due()
        if due is None:
            return LOOKS_EVERY
        left = (due - timezone.now()) / timedelta(seconds=1)
        # What is due and was left waits for room, and room is made by what comes back, which rings.
        return min(left, LOOKS_EVERY) if left > 0 else LOOKS_EVERY


def _memory() -> tuple[Endpoints, ThreadPoolExecutor]:
    """What a worker keeps from one delivery to the next."""
    global _kept  # noqa: PLW0603  one a process; a forked one makes its own
    if _kept is None or _kept[0] != os.getpid():
        _kept = (os.getpid(), Endpoints(), ThreadPoolExecutor(SLOTS, thread_name_prefix="send"))
    return _kept[1], _kept[2]


def _forget() -> None:
    global _kept  # noqa: PLW0603
    _kept = None


_kept: tuple[int, Endpoints, ThreadPoolExecutor] | None = None
