"""The queue: what the pusher hands to workers, on both brokers (RE1, RE3)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from django_q.tasks import async_task
from pytest_django import Settings

from automations import queueing, turns, wake
from automations.queueing import DatabaseBroker, RedisBroker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def at_work(settings: Settings, tmp_path: Path) -> Iterator[ExitStack]:
    """The turns of both deliveries, held as if they ran."""
    settings.DATA_DIR = tmp_path
    with ExitStack() as held:
        for number in range(2):
            held.enter_context(turns.take(turns.delivery(number)))  # type: ignore[arg-type]
        yield held


@pytest.fixture(autouse=True)
def pushers_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A pusher lives as long as its process; those of tests let go of their ears and connections."""
    made: list[queueing._Pusher] = []

    class Ending(queueing._Pusher):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    monkeypatch.setattr(queueing, "_Pusher", Ending)
    yield
    for pusher in made:
        pusher._notices.close()
        pusher._ear.close()


def unpacked(tasks: list[tuple[Any, Any]] | None) -> list[dict[str, Any]]:
    return [SignedPackage.loads(package) for _, package in tasks or []]


def test_every_delivery_that_does_not_run_is_asked_for_once(at_work: ExitStack) -> None:
    at_work.close()
    broker = DatabaseBroker("test")
    asked = unpacked(broker.dequeue())
    assert [(task["func"], task["args"]) for task in asked] == [(queueing.DELIVER, (0,)), (queueing.DELIVER, (1,))]
    assert asked[0]["timeout"] > 90  # as long as a delivery may last, with receivers that hang at its end
    assert unpacked(broker.dequeue()) == []


def test_a_delivery_that_runs_is_not_asked_for(at_work: ExitStack) -> None:
    assert DatabaseBroker("test").dequeue() is None


def test_a_task_is_handed_out_once_among_many_pushers(at_work: ExitStack) -> None:
    broker = DatabaseBroker("test")
    for number in range(30):
        async_task("builtins.abs", number, broker=broker)

    def pushed(_: int) -> list[int]:
        broker = DatabaseBroker("test")
        try:
            return [task["args"][0] for _ in range(4) for task in unpacked(broker.dequeue())]
        finally:
            broker._pusher._notices.close()  # in the thread that opened it
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        found = [number for numbers in pool.map(pushed, range(4)) for number in numbers]
    assert sorted(found) == list(range(30))
    assert set(OrmQ.objects.filter(lock__gt=timezone.now()).values_list("key", flat=True)) == {"test"}


def test_a_task_whose_worker_died_is_handed_out_again(at_work: ExitStack) -> None:
    broker = DatabaseBroker("test")
    async_task("builtins.abs", 1, broker=broker)
    assert len(unpacked(broker.dequeue())) == 1
    OrmQ.objects.update(lock=timezone.now() - timedelta(seconds=1))
    assert len(unpacked(DatabaseBroker("test").dequeue())) == 1


def test_a_queued_task_wakes_the_pusher(at_work: ExitStack) -> None:
    ear = wake.Ear(wake.QUEUE)
    async_task("builtins.abs", 1, broker=DatabaseBroker("test"))
    assert ear.clear()
    ear.close()


@pytest.mark.requires_service("redis")
def test_re3_redis_carries_the_tasks_of_the_clock_and_asks_for_deliveries_all_the_same(
    at_work: ExitStack, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_q.conf.Conf.REDIS", redis_url)
    broker = RedisBroker("test")
    async_task("builtins.abs", -7, broker=broker)
    assert [task["args"] for task in unpacked(broker.dequeue())] == [(-7,)]
    at_work.close()
    broker.connection.flushdb()
    assert [task["func"] for task in unpacked(RedisBroker("test").dequeue())] == [queueing.DELIVER] * 2
    broker.connection.close()


def test_re3_a_redis_that_is_down_stops_no_delivery(at_work: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django_q.conf.Conf.REDIS", "redis://127.0.0.1:1")
    at_work.close()
    assert len(unpacked(RedisBroker("test").dequeue())) == 2


@pytest.mark.requires_service("postgresql")
def test_what_other_hosts_announce_wakes_the_deliveries_of_this_one(at_work: ExitStack) -> None:
    broker = DatabaseBroker("test")
    broker.dequeue()  # from now on it listens
    ear = wake.Ear(wake.DELIVERY)
    wake.announce_due()
    broker.dequeue()
    broker.dequeue()
    assert ear.clear()
    ear.close()
