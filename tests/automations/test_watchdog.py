"""The watchdog calls workers stuck only when one that is idle does not take work that is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pytest_django import Settings

from automations import turns
from automations.watchdog import PATIENCE, START, Watchdog

SOON = PATIENCE + 0.1


@pytest.fixture
def at_work(settings: Settings, tmp_path: Path) -> Iterator[ExitStack]:
    """Holds what workers hold. There are two deliveries and three workers."""
    settings.DATA_DIR = tmp_path
    settings.Q_CLUSTER = {"workers": 3}
    with ExitStack() as held:
        yield held


def hold(at_work: ExitStack, *names: str) -> None:
    for name in names:
        turn = turns.take(name)
        assert turn is not None
        at_work.enter_context(turn)


def started() -> Watchdog:
    """A watchdog of workers that have begun, and were at it no more before it looked."""
    watchdog = Watchdog()
    turns.note_beginning()
    return watchdog


def test_a_delivery_that_does_not_begin_though_somebody_is_idle_is_a_hang(at_work: ExitStack) -> None:
    watchdog = started()
    hold(at_work, turns.delivery(0), "busy-1")
    assert not watchdog.is_stuck(now=1)
    assert not watchdog.is_stuck(now=PATIENCE)
    assert watchdog.is_stuck(now=1 + SOON)


def test_deliveries_that_run_however_slow_their_receivers_are_no_hang(at_work: ExitStack) -> None:
    watchdog = started()
    hold(at_work, turns.delivery(0), turns.delivery(1))
    assert not any(watchdog.is_stuck(now=now) for now in range(600))


def test_workers_that_are_all_busy_are_no_hang(at_work: ExitStack) -> None:
    watchdog = started()
    hold(at_work, turns.delivery(0), "busy-1", "busy-2", "busy-3")
    assert not any(watchdog.is_stuck(now=now) for now in range(600))


def test_a_pause_between_two_deliveries_is_no_hang(at_work: ExitStack) -> None:
    watchdog = started()
    for now in range(0, 600, 4):
        assert not watchdog.is_stuck(now=now)
        with ExitStack() as both:
            hold(both, turns.delivery(0), turns.delivery(1))
            assert not watchdog.is_stuck(now=now + 2)


def test_workers_that_just_start_have_more_time(at_work: ExitStack) -> None:
    turns.note_beginning()
    watchdog = Watchdog()
    assert not watchdog.is_stuck(now=0)
    assert not watchdog.is_stuck(now=START)
    assert watchdog.is_stuck(now=START + 1)


def test_what_killed_workers_left_is_not_taken_for_work(at_work: ExitStack, tmp_path: Path) -> None:
    watchdog = started()
    for number in range(3):
        (tmp_path / "turns" / f"busy-{number}").touch()
    assert turns.count_busy() == 0
    assert not watchdog.is_stuck(now=0)
    assert watchdog.is_stuck(now=SOON)
