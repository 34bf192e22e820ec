"""How slots are shared among endpoints: what one can take, and what is always left for others."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from automations.endpoints import FIRST_LIMIT, HIGHEST_LIMIT, LATE, SHARES, SLOTS, Endpoint, Endpoints, Standing

QUICK, HANGING, STRANGE = Endpoint(1, None), Endpoint(2, None), Endpoint(None, 3)


def begun(endpoints: Endpoints, endpoint: Endpoint, *, now: float) -> int:
    """Begin as many sends as there is room for; how many that were."""
    room = endpoints.room(now=now)
    count = 0
    while room.take(endpoint):
        endpoints.begin(endpoint, now=now)
        count += 1
    return count


def answered(endpoints: Endpoints, endpoint: Endpoint, *, at: float, times: int, succeeded: bool = True) -> None:
    for _ in range(times):
        endpoints.end(endpoint, begun=at, succeeded=succeeded)


def test_an_unknown_endpoint_begins_small_and_grows_with_each_answer() -> None:
    endpoints = Endpoints()
    taken = [begun(endpoints, QUICK, now=0)]
    for now in range(6):
        answered(endpoints, QUICK, at=now, times=taken[-1])
        taken.append(begun(endpoints, QUICK, now=now + 1))
    assert taken == [FIRST_LIMIT, 8, 16, 32, HIGHEST_LIMIT, HIGHEST_LIMIT, HIGHEST_LIMIT]


def test_each_failure_halves_what_an_endpoint_gets_down_to_one() -> None:
    endpoints = Endpoints()
    taken = [begun(endpoints, HANGING, now=0)]
    for now in range(3):
        endpoints.end(HANGING, begun=now, succeeded=False)
        answered(endpoints, HANGING, at=now, times=taken[-1] - 1, succeeded=False)
        taken.append(begun(endpoints, HANGING, now=now + 1))
    assert taken == [FIRST_LIMIT, 1, 1, 1]


def test_one_success_makes_a_failing_endpoint_trusted_again() -> None:
    endpoints = Endpoints()
    endpoints.begin(QUICK, now=0)
    endpoints.end(QUICK, begun=0, succeeded=False)
    assert not endpoints.room(now=0, least=Standing.PROVEN).take(QUICK)
    endpoints.begin(QUICK, now=1)
    endpoints.end(QUICK, begun=1, succeeded=True)
    assert endpoints.room(now=1, least=Standing.PROVEN).take(QUICK)


def test_however_many_endpoints_hang_one_that_answers_finds_room() -> None:
    endpoints = Endpoints()
    endpoints.begin(QUICK, now=0)
    endpoints.end(QUICK, begun=0, succeeded=True)
    for number in range(100):
        begun(endpoints, Endpoint(100 + number, None), now=0)
    assert endpoints.room(now=LATE + 1).take(QUICK)
    assert begun(endpoints, QUICK, now=LATE + 1) == FIRST_LIMIT + 1


def test_however_many_endpoints_fail_one_that_nobody_knows_finds_room() -> None:
    endpoints = Endpoints()
    failing = [Endpoint(100 + number, None) for number in range(100)]
    for endpoint in failing:
        endpoints.begin(endpoint, now=0)
        endpoints.end(endpoint, begun=0, succeeded=False)
    assert sum(begun(endpoints, endpoint, now=1) for endpoint in failing) == SHARES[Standing.FAILING]
    assert begun(endpoints, STRANGE, now=1) == FIRST_LIMIT


def test_an_endpoint_that_keeps_us_waiting_is_no_longer_trusted_until_it_answers() -> None:
    endpoints = Endpoints()
    for _ in range(2):
        endpoints.begin(QUICK, now=0)
    endpoints.end(QUICK, begun=0, succeeded=True)
    assert endpoints.room(now=LATE, least=Standing.PROVEN).take(QUICK)
    assert not endpoints.room(now=LATE + 0.1, least=Standing.PROVEN).take(QUICK)
    endpoints.end(QUICK, begun=0, succeeded=True)
    assert endpoints.room(now=LATE + 0.1, least=Standing.PROVEN).take(QUICK)


def test_what_goes_nowhere_needs_no_slot() -> None:
    room = Endpoints().room(now=0)
    assert all(room.take(None) for _ in range(SLOTS * 2))
    assert room.slots == SLOTS


def test_endpoints_not_called_for_long_are_forgotten_and_those_in_flight_never() -> None:
    endpoints = Endpoints()
    endpoints.begin(HANGING, now=0)
    for number in range(3_000):
        endpoints.begin(Endpoint(None, number + 1), now=1)
        endpoints.end(Endpoint(None, number + 1), begun=1, succeeded=True)
    endpoints.end(HANGING, begun=0, succeeded=False)
    assert len(list(endpoints.room(now=1).known())) <= 1_000


class Sharing(RuleBasedStateMachine):
    """Whatever begins and ends in whatever order, no kind of endpoint takes what is kept for better ones."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.endpoints = Endpoints()
        self.flying: list[tuple[Endpoint, float]] = []

    @rule(webhook=st.integers(1, 40), times=st.integers(1, 20))
    def begin(self, webhook: int, times: int) -> None:
        room = self.endpoints.room(now=self.now)
        before = room.slots
        for _ in range(times):
            if room.take(Endpoint(webhook, None)):
                self.endpoints.begin(Endpoint(webhook, None), now=self.now)
                self.flying.append((Endpoint(webhook, None), self.now))
        assert room.slots == before - (self.endpoints.in_flight() - (SLOTS - before))

    @rule(data=st.data(), succeeded=st.booleans())
    def end(self, data: st.DataObject, *, succeeded: bool) -> None:
        if self.flying:
            endpoint, begun = self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1)))
            self.endpoints.end(endpoint, begun=begun, succeeded=succeeded)

    @rule(seconds=st.sampled_from([0.1, 1.0, 5.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def no_more_than_there_are_slots(self) -> None:
        assert self.endpoints.in_flight() == len(self.flying) <= SLOTS

    @invariant()
    def nobody_gets_more_than_the_highest_limit(self) -> None:
        for endpoint, _ in self.flying:
            assert sum(other == endpoint for other, _ in self.flying) <= HIGHEST_LIMIT

    @invariant()
    def an_endpoint_is_either_full_or_gets_one(self) -> None:
        full = set(self.endpoints.room(now=self.now).full())
        for endpoint in self.endpoints.room(now=self.now).known():
            assert self.endpoints.room(now=self.now).take(endpoint) == (endpoint not in full)

    @invariant()
    def with_nothing_in_flight_everybody_gets_one(self) -> None:
        if not self.flying:
            assert not list(self.endpoints.room(now=self.now).full())


test_sharing = Sharing.TestCase
