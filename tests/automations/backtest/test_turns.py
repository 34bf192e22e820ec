"""HI7: replays leave web workers to the others."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from automations import ascode, backtest
from automations.backtest import Period, ReplaysAreRunning, Result, in_turn, turn, turns
from automations.models import Automation, EventType
from projects import metrics
from projects.models import Project, User
from tests import factories

pytestmark = pytest.mark.django_db

BUSY = "Other replays are under way"


def counting() -> Generator[int, None, None]:
    yield from range(3)


@pytest.fixture(autouse=True)
def own_turns(settings: Any, tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(turns, "PATIENCE", -1.0)
    monkeypatch.setattr(turns, "LONGEST_REST", 0.0)


@pytest.fixture
def automation(project: Project) -> Automation:
    return factories.make_automation(project)


@pytest.mark.parametrize(("workers", "turns_there_are"), [(0, 1), (1, 1), (2, 1), (4, 2)])
def test_half_of_the_web_workers_may_replay(settings: Any, workers: int, turns_there_are: int) -> None:
    settings.WEB_WORKERS = workers
    running = [in_turn(counting()) for _ in range(turns_there_are)]
    with pytest.raises(ReplaysAreRunning, match=BUSY):
        in_turn(counting())
    assert [list(one) for one in running] == [[0, 1, 2]] * turns_there_are
    assert list(in_turn(counting())) == [0, 1, 2]


def test_a_replay_that_is_given_up_gives_its_turn_back() -> None:
    given_up = in_turn(counting())
    assert next(given_up) == 0
    del given_up
    assert list(in_turn(counting())) == [0, 1, 2]


def test_a_turn_rests_for_as_long_as_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(turns, "monotonic", lambda: now)
    monkeypatch.setattr(turns, "LONGEST_REST", 3.0)
    for took, rest in ((0.5, 0.5), (60.0, 3.0)):
        running = in_turn(counting())
        next(running)
        now += took
        assert list(running) == [1, 2]
        now += rest - 0.1
        with pytest.raises(ReplaysAreRunning):
            in_turn(counting())
        now += 0.2
    assert list(in_turn(counting())) == [0, 1, 2]
    now = 5.0  # the host was started again
    assert list(in_turn(counting())) == [0, 1, 2]


def test_several_replays_may_share_a_turn() -> None:
    with turn():
        with pytest.raises(ReplaysAreRunning):
            in_turn(counting())
        assert [list(counting()), list(counting())] == [[0, 1, 2]] * 2
    assert list(in_turn(counting())) == [0, 1, 2]


def test_over_rest_whoever_comes_too_many_is_told_to_wait(
    api: Callable[[User | None], APIClient], bob: User, automation: Automation
) -> None:
    address = f"/api/automations/{automation.pk}/backtest/"
    running = in_turn(counting())
    answer = api(bob).post(address, {"days": 7}, format="json")
    assert (answer.status_code, BUSY in answer.json()["detail"]) == (429, True)
    assert list(running)
    assert json.loads(b"".join(api(bob).post(address, {"days": 7}, format="json").streaming_content))["fired"] == 0  # type: ignore[attr-defined]


def test_on_pages_whoever_comes_too_many_reads_why(client: Client, bob: User, automation: Automation) -> None:
    client.force_login(bob)
    address = f"/automations/{automation.pk}/replay?days=7"
    running = in_turn(counting())
    page = client.get(address)
    assert (page.status_code, BUSY in page.content.decode()) == (429, True)
    lines = client.get(address, headers={"accept": "application/x-ndjson"})
    assert BUSY in json.loads(b"".join(lines.streaming_content))["html"]  # type: ignore[attr-defined]
    assert list(running)
    assert client.get(address).status_code == 200


def test_a_plan_says_that_it_could_not_look(alice: User, automation: Automation) -> None:
    text = ascode.export(by=alice).replace("FAILED", "FINISHED")
    running = in_turn(counting())
    (change,) = ascode.plan(text, by=alice, at=timezone.now()).changes
    assert change.fired_after is not None
    assert (change.fired_after.count, change.fired_after.notes[0].startswith(BUSY)) == (None, True)
    assert list(running)


def test_time_is_up_while_the_runs_to_compare_are_still_read(alice: User, project: Project) -> None:
    run = factories.make_run(project)
    metrics.append(run, metrics.parse(b'[{"loss": 1.0}]'), at=timezone.now())
    odd = factories.make_automation(project, EventType.RUN_METRIC_ZSCORE)
    told = list(backtest.replay(odd, period=Period.of_days(7, until=timezone.now()), reader=alice, within=-1.0))
    assert isinstance(told[-1], Result)
    assert "It looked at 0 of 1 row." in told[-1].notes[0]
