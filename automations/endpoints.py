"""How many sends each endpoint gets of those a worker has in flight, so that none can take them all.

An endpoint's own limit grows by one with each success and halves with each failure: a quick receiver soon gets all it
can take, one that is down a single try at a time. Besides, endpoints share by what is known of them. Those whose last
send failed get a quarter of the slots between them, however many they are; with those of which nothing is known, or
which keep us waiting, three quarters. So a receiver that answers always finds a quarter that no other kind can take.

This is one worker's memory. It is forgotten with the worker, and relearned within a few sends.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from automations.models import Execution

SLOTS = 64
# Of an endpoint that was not called yet.
FIRST_LIMIT = 4
# One endpoint alone gets three quarters at most.
HIGHEST_LIMIT = SLOTS * 3 // 4
# Seconds without an answer after which an endpoint counts as one that keeps us waiting.
LATE = 2.0
REMEMBERED = 1_000


class Endpoint(NamedTuple):
    """A webhook or a Slack channel, by its key."""

    webhook: int | None
    slack_channel: int | None


def endpoint_of(execution: Execution) -> Endpoint | None:
    """Where an execution goes, or None if it goes nowhere."""
    found = Endpoint(execution.webhook_id, execution.slack_channel_id)
    return found if any(found) else None


class Standing(IntEnum):
    """What is known of an endpoint."""

    FAILING = 1
    UNPROVEN = 2
    PROVEN = 3


# How many slots may be taken by endpoints of this standing or a lower one.
SHARES = {Standing.FAILING: SLOTS // 4, Standing.UNPROVEN: SLOTS * 3 // 4, Standing.PROVEN: SLOTS}


@dataclass(slots=True)
class _Known:
    limit: int = FIRST_LIMIT
    standing: Standing = Standing.UNPROVEN
    # When each send in flight began, the oldest first.
    begun: list[float] = field(default_factory=list)

    def standing_at(self, now: float) -> Standing:
        late = bool(self.begun) and now - self.begun[0] > LATE
        return min(self.standing, Standing.UNPROVEN) if late else self.standing


class Endpoints:
    """What a worker knows of the endpoints it sends to. Times are seconds of any one clock."""

    def __init__(self) -> None:
        self._known: OrderedDict[Endpoint, _Known] = OrderedDict()

    def begin(self, endpoint: Endpoint, *, now: float) -> None:
        """Note that a send is under way."""
        known = self._known.setdefault(endpoint, _Known())
        self._known.move_to_end(endpoint)
        known.begun.append(now)
        self._forget()

    def end(self, endpoint: Endpoint, *, begun: float, succeeded: bool) -> None:
        """Note how the send that began at this time ended."""
        known = self._known[endpoint]
        known.begun.remove(begun)
        known.standing = Standing.PROVEN if succeeded else Standing.FAILING
        known.limit = min(known.limit + 1, HIGHEST_LIMIT) if succeeded else max(known.limit // 2, 1)

    def in_flight(self) -> int:
        """How many sends are under way."""
        return sum(len(known.begun) for known in self._known.values())

    def may_fail(self) -> bool:
        """Whether there is room for an endpoint whose last send failed."""
        return any(one.standing is Standing.FAILING and len(one.begun) < one.limit for one in self._known.values())

    def room(self, *, now: float, least: Standing = Standing.FAILING) -> Room:
        """What may be begun now; with `least`, only to endpoints of this standing or a higher one."""
        return Room(self._known, now=now, least=least)

    def _forget(self) -> None:
        idle = [endpoint for endpoint, known in self._known.items() if not known.begun]
        for endpoint in idle[: max(len(self._known) - REMEMBERED, 0)]:
            del self._known[endpoint]


class Room:
    """How many sends may still be begun: by endpoint, by standing, in all. Taking one makes it smaller."""

    def __init__(self, known: OrderedDict[Endpoint, _Known], *, now: float, least: Standing) -> None:
        self._least = least
        self._left: dict[Endpoint, int] = {}
        self._standing: dict[Endpoint, Standing] = {}
        self._shares = dict(SHARES)
        for endpoint, one in known.items():
            self._left[endpoint] = one.limit - len(one.begun)
            self._standing[endpoint] = one.standing_at(now)
            self._use(self._standing[endpoint], len(one.begun))

    @property
    def slots(self) -> int:
        """How many in all."""
        return self._shares[Standing.PROVEN]

    def take(self, endpoint: Endpoint | None) -> bool:
        """Take a slot for a send to this endpoint, if there is one. What goes nowhere needs none."""
        if endpoint is None:
            return True
        if not self._has(endpoint):
            return False
        self._left[endpoint] = self._left.get(endpoint, FIRST_LIMIT) - 1
        self._use(self._standing.get(endpoint, Standing.UNPROVEN), 1)
        return True

    def full(self) -> Iterator[Endpoint]:
        """Known endpoints that get no more for now."""
        return (endpoint for endpoint in self._left if not self._has(endpoint))

    def is_closed_to_strangers(self) -> bool:
        """Whether endpoints that were not called yet get nothing for now."""
        return self._least > Standing.UNPROVEN or self._shares[Standing.UNPROVEN] <= 0

    def known(self) -> Iterator[Endpoint]:
        """Endpoints this worker has called."""
        return iter(self._left)

    def _has(self, endpoint: Endpoint) -> bool:
        standing = self._standing.get(endpoint, Standing.UNPROVEN)
        if standing < self._least or self._left.get(endpoint, FIRST_LIMIT) <= 0:
            return False
        return all(left > 0 for of, left in self._shares.items() if of >= standing)

    def _use(self, standing: Standing, slots: int) -> None:
        for of in self._shares:
            if of >= standing:
                self._shares[of] -= slots
