"""Waking: who listens hears, what nobody hears any more is cleared away, and no ring is lost."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from automations import wake


@pytest.fixture(autouse=True)
def own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
def ear() -> Iterator[wake.Ear]:
    found = wake.Ear(wake.DELIVERY)
    yield found
    found.close()


def test_a_ring_ends_the_wait(ear: wake.Ear) -> None:
    ringing = threading.Timer(0.05, wake.ring, [wake.DELIVERY])
    ringing.start()
    began = time.monotonic()
    ear.wait(30)
    assert time.monotonic() - began < 20
    ringing.join()


def test_a_ring_before_the_wait_is_kept(ear: wake.Ear) -> None:
    """What makes it safe to look at the database between clearing and waiting."""
    assert not ear.clear()
    wake.ring(wake.DELIVERY)
    ear.wait(30)
    assert ear.clear()
    assert not ear.clear()


def test_a_thousand_rings_and_more_than_fit_are_one(ear: wake.Ear) -> None:
    for _ in range(70_000 // 64):
        for _ in range(64):
            ear.ring()
    assert ear.clear()
    assert not ear.clear()


def test_each_role_has_its_own_ring(ear: wake.Ear) -> None:
    wake.ring(wake.QUEUE)
    assert not ear.clear()
    assert wake.is_heard(wake.DELIVERY)
    assert not wake.is_heard(wake.QUEUE)


def test_asking_whether_somebody_listens_rings_nobody(ear: wake.Ear) -> None:
    assert wake.is_heard(wake.DELIVERY)
    assert not ear.clear()


def listen(ready: threading.Event) -> None:
    wake.Ear(wake.QUEUE)
    ready.set()
    threading.Event().wait(60)


def test_the_ear_of_a_killed_process_is_cleared_away(tmp_path: Path) -> None:
    forked = multiprocessing.get_context("fork")
    ready = forked.Event()
    process = forked.Process(target=listen, args=(ready,))
    process.start()
    assert ready.wait(30)
    assert wake.is_heard(wake.QUEUE)
    process.kill()
    process.join()
    assert not wake.is_heard(wake.QUEUE)
    assert not list((tmp_path / "ears").iterdir())


@pytest.mark.django_db(transaction=True)
def test_what_is_due_is_announced_when_it_is_committed_and_not_before(ear: wake.Ear) -> None:
    notices = wake.Notices()
    sources = notices.sources()
    with transaction.atomic():
        wake.announce_due()
        assert not ear.clear()
        assert not notices.came()
    ear.wait(10, *sources)
    assert notices.came() if connection.vendor == "postgresql" else ear.clear()
    notices.close()


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_wakes_nobody(ear: wake.Ear) -> None:
    notices = wake.Notices()
    sources = notices.sources()
    with transaction.atomic():
        wake.announce_due()
        transaction.set_rollback(True)
    ear.wait(0.05, *sources)
    assert not ear.clear()
    assert not notices.came()
    notices.close()
