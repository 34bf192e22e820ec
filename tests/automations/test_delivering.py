"""Deliveries: many sends at a time, each once, and nobody waits for somebody else's receiver (RE1, RE2, WH6, WH7)."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from automations import claims, delivering, executions, matching, turns, wake
from automations.endpoints import FIRST_LIMIT, HIGHEST_LIMIT, SLOTS, Endpoints
from automations.executions import Delivery
from automations.models import Attempt, Automation, Execution, Status
from tests import factories
from tests.receiver import Received, Receiver

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def receivers(settings: Settings) -> Iterator[Callable[[], Receiver]]:
    """Makes receivers that serve until the test ends."""
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with ExitStack() as stack:
        yield lambda: stack.enter_context(Receiver())


def calling(receiver: Receiver, **webhook: Any) -> Automation:
    name = f"hook {receiver.port}"
    return factories.make_automation(name=name, webhook=factories.make_webhook(name=name, url=receiver.url, **webhook))


def due(automation: Automation, *, times: int = 1) -> list[str]:
    """As many executions that are due now; their webhook-ids."""
    made = [
        factories.make_execution(
            automation,
            status=Status.PENDING,
            next_attempt_at=timezone.now(),
            webhook=automation.webhook,
            rule={"action_kind": automation.action_kind, "payload": '{"a": 1}', "name": "x", "event_type": "RUN_STATE"},
        )
        for _ in range(times)
    ]
    return [f"msg_{execution.key.hex}" for execution in made]


def something_is_open() -> bool:
    return Execution.objects.filter(status__in=[Status.PENDING, Status.RUNNING]).exists()


def ids(requests: list[Received]) -> list[str]:
    return [request.headers["webhook-id"] for request in requests]


def in_background(work: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_everything_due_is_delivered_once(receivers: Callable[[], Receiver]) -> None:
    receiver = receivers()
    expected = due(calling(receiver), times=SLOTS * 2)
    delivering.deliver(0, is_wanted=something_is_open)
    assert sorted(ids(receiver.requests)) == sorted(expected)
    assert set(Execution.objects.values_list("status", flat=True)) == {Status.FINISHED}
    assert Attempt.objects.filter(number=1, status_code=200).count() == len(expected)


def test_what_was_due_first_is_sent_first(receivers: Callable[[], Receiver]) -> None:
    receiver = receivers()
    expected = due(calling(receiver), times=FIRST_LIMIT * 3)
    claimed = [f"msg_{execution.key.hex}" for execution in claims.claim(Endpoints().room(now=0), at=timezone.now())]
    assert claimed == expected[:FIRST_LIMIT]


def test_re2_the_attempts_of_a_batch_are_written_before_the_first_send_arrives(
    receivers: Callable[[], Receiver],
) -> None:
    receiver = receivers()
    receiver.behave(hold=True)
    due(calling(receiver), times=FIRST_LIMIT)
    delivery = in_background(lambda: delivering.deliver(0, is_wanted=something_is_open))
    receiver.wait_for(1)
    assert list(Attempt.objects.values_list("number", "duration")) == [(1, None)] * FIRST_LIMIT
    assert set(Execution.objects.values_list("payload", flat=True)) == {'{"a":1}'}
    receiver.release()
    delivery.join(30)
    assert not Attempt.objects.filter(duration=None).exists()


def test_a_delivery_that_waits_for_a_receiver_hears_of_new_work(receivers: Callable[[], Receiver]) -> None:
    slow, quick = receivers(), receivers()
    slow.behave(hold=True)
    due(calling(slow))
    delivery = in_background(lambda: delivering.deliver(0, is_wanted=something_is_open))
    slow.wait_for(1)
    expected = due(calling(quick))
    wake.ring(wake.DELIVERY)
    assert ids(quick.wait_for(1)) == expected
    slow.release()
    delivery.join(30)


def test_wh8_endpoints_that_hang_do_not_keep_others_waiting(receivers: Callable[[], Receiver]) -> None:
    hanging, quick = [receivers() for _ in range(4)], receivers()
    for receiver in hanging:
        receiver.behave(hold=True)
        due(calling(receiver), times=SLOTS)
    expected = due(calling(quick), times=40)
    delivery = in_background(lambda: delivering.deliver(0, is_wanted=something_is_open))
    assert sorted(ids(quick.wait_for(40))) == sorted(expected)
    assert [len(receiver.requests) for receiver in hanging] == [FIRST_LIMIT] * 4
    # What waits for them holds no lease: another worker could take it.
    running = Execution.objects.filter(status=Status.RUNNING).exclude(webhook__url=quick.url)
    assert running.count() == FIRST_LIMIT * 4
    for receiver in hanging:
        receiver.release()
    delivery.join(60)
    assert not something_is_open()


def test_who_answers_does_not_wait_for_what_goes_to_an_endpoint_that_fails(
    receivers: Callable[[], Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    failing, quick = receivers(), receivers()
    failing.behave(status=503)
    rules = [calling(failing), calling(quick)]
    due(rules[0])
    ended = Attempt.objects.exclude(duration=None)
    delivering.deliver(0, is_wanted=lambda: not ended.exists())

    begun: list[list[str]] = []
    begin = executions.begin

    def noting(batch: Sequence[Execution], *, at: datetime) -> list[Delivery]:
        begun.append([one.webhook.url for one in batch if one.webhook])
        return begin(batch, at=at)

    monkeypatch.setattr(executions, "begin", noting)
    for rule in rules:
        due(rule)
    delivering.deliver(0, is_wanted=lambda: ended.count() < 3)
    assert [urls for urls in begun if urls] == [[quick.url], [failing.url]]


def test_two_deliveries_at_once_never_send_the_same(receivers: Callable[[], Receiver]) -> None:
    receiver = receivers()
    expected = due(calling(receiver), times=150)

    def work(_: int) -> None:
        endpoints = Endpoints()
        try:
            while batch := claims.claim(endpoints.room(now=0), at=timezone.now()):
                for delivery in executions.begin(batch, at=timezone.now()):
                    executions.record([delivery.carry_out()], at=timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    delivering.deliver(0, is_wanted=something_is_open)
    assert Counter(ids(receiver.requests)) == Counter(expected)
    assert set(Execution.objects.values_list("attempt_count", flat=True)) == {1}


def test_a_batch_takes_as_many_queries_as_one(
    receivers: Callable[[], Receiver], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    endpoints = Endpoints()

    def begun() -> list[executions.Delivery]:
        at = timezone.now()
        return executions.begin(executions.admit(claims.claim(endpoints.room(now=0), at=at), at=at), at=at)

    def with_secrets(number: int) -> Automation:
        token = factories.make_secret(name=f"TOKEN_{number}", value=f"t0ken-{number}")
        header = {"X-Key": (f"${{TOKEN_{number}}}", token)}
        return calling(receivers(), access_token=token, headers=header)

    due(with_secrets(0))
    with CaptureQueriesContext(connection) as of_one:
        assert len(begun()) == 1
    for number in range(1, 9):
        due(with_secrets(number), times=2)
    with django_assert_num_queries(len(of_one)):
        assert len(begun()) == 16


def test_doing_nothing_takes_no_slot_and_no_end(receivers: Callable[[], Receiver]) -> None:
    due(factories.make_automation(), times=SLOTS * 3)
    delivering.deliver(0, is_wanted=something_is_open)
    assert Execution.objects.filter(status=Status.FINISHED).count() == SLOTS * 3


def test_a_delivery_whose_time_is_over_takes_up_only_what_is_sure_to_be_quick(
    receivers: Callable[[], Receiver],
) -> None:
    receiver = receivers()
    due(calling(receiver))
    delivering.deliver(0, lasts=0)
    assert not receiver.requests
    assert Execution.objects.get().status == Status.PENDING


def test_a_delivery_that_is_not_wanted_ends_what_it_began_and_takes_no_more(receivers: Callable[[], Receiver]) -> None:
    receiver = receivers()
    receiver.behave(hold=True)
    due(calling(receiver), times=HIGHEST_LIMIT)
    wanted = threading.Event()
    wanted.set()
    delivery = in_background(lambda: delivering.deliver(0, is_wanted=wanted.is_set))
    receiver.wait_for(FIRST_LIMIT)
    wanted.clear()
    receiver.release()
    delivery.join(30)
    assert not delivery.is_alive()
    assert len(receiver.requests) == FIRST_LIMIT
    assert Execution.objects.filter(status=Status.FINISHED).count() == FIRST_LIMIT


def test_that_a_delivery_has_begun_stays_known_when_it_is_over() -> None:
    turns.forget_beginning()
    delivering.deliver(0, is_wanted=lambda: False)
    assert not turns.is_taken(turns.delivery(0))
    assert turns.has_begun()


def test_a_delivery_of_the_same_number_runs_once() -> None:
    turn = turns.take(turns.delivery(0))
    assert turn is not None
    with turn:
        delivering.deliver(0)  # would go on for a minute
    assert not turns.is_taken(turns.delivery(0))


def test_what_the_database_refuses_holds_up_nobody(receivers: Callable[[], Receiver]) -> None:
    receiver = receivers()
    expected = due(calling(receiver), times=3)
    at = timezone.now()
    batch = claims.claim(Endpoints().room(now=0), at=at)
    Attempt.objects.create(execution=batch[1], number=1, started_at=at)  # as if it had been written before
    begun = executions.begin(batch, at=at)
    assert [f"msg_{delivery.execution.key.hex}" for delivery in begun] == [expected[0], expected[2]]
    batch[1].refresh_from_db()
    assert (batch[1].status, batch[1].result) == (Status.PENDING, executions.OWN_FAULT)


def test_what_a_broken_delivery_had_in_flight_takes_no_room_from_the_next(receivers: Callable[[], Receiver]) -> None:
    receiver = receivers()
    receiver.behave(hold=True)
    due(calling(receiver), times=FIRST_LIMIT * 2)

    def broken() -> bool:
        return 1 // (FIRST_LIMIT - len(receiver.requests)) > -1

    with pytest.raises(ZeroDivisionError):
        delivering.deliver(0, is_wanted=broken)
    receiver.release()
    gives_up = time.monotonic() + 30
    waiting = Execution.objects.filter(status=Status.PENDING)
    delivering.deliver(0, is_wanted=lambda: waiting.exists() and time.monotonic() < gives_up)
    assert len(receiver.requests) == FIRST_LIMIT * 2


@pytest.mark.parametrize(
    "gone", ["while it is claimed", "before it is admitted", "before it is begun", "while it is sent"]
)
def test_what_goes_with_its_project_holds_up_nobody(receivers: Callable[[], Receiver], gone: str) -> None:
    """RE1: of three that are claimed together, one is deleted meanwhile."""
    receiver = receivers()
    channel = factories.make_slack_channel(credential=f"{receiver.url}/services", hourly_budget=100)
    automation = factories.make_automation(slack_channel=channel)
    rule = matching.rule_of(automation)
    for _ in range(3):
        due_now = {"status": Status.PENDING, "next_attempt_at": timezone.now()}
        factories.make_execution(automation, slack_channel=channel, rule=rule, **due_now)
    doomed, at = Execution.objects.order_by("pk")[1], timezone.now()

    def delete(step: str) -> None:
        if step == gone:
            Execution.objects.filter(pk=doomed.pk).delete()

    def after_the_claim(execute: Any, statement: str, *args: Any) -> Any:
        answer = execute(statement, *args)
        if statement.startswith('UPDATE "automations_execution" SET "status"'):
            delete("while it is claimed")
        return answer

    with connection.execute_wrapper(after_the_claim):
        batch = claims.claim(Endpoints().room(now=0), at=at)
    delete("before it is admitted")
    admitted = executions.admit(batch, at=at)
    delete("before it is begun")
    results = [delivery.carry_out() for delivery in executions.begin(admitted, at=at)]
    delete("while it is sent")
    executions.record(results, at=timezone.now())

    assert list(Execution.objects.values_list("status", flat=True)) == [Status.FINISHED] * 2
    assert len(receiver.requests) == (3 if gone == "while it is sent" else 2)
