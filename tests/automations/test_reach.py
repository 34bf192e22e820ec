"""How far wide automations reach (UI2)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from automations import backtest, reach
from automations.editing import Draft
from automations.models import ActionKind, EventType
from projects import metrics, runs
from tests import factories

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projects.models import Project, User
    from registries.models import Registry

FAILED = Draft("", EventType.RUN_STATE, ActionKind.NO_OP, condition={"states": ["FAILED"]})
STALLED = Draft("", EventType.RUN_STALL, ActionKind.NO_OP, condition=factories.CONDITIONS[EventType.RUN_STALL])
HIGH = Draft("", EventType.RUN_METRIC, ActionKind.NO_OP, condition=factories.CONDITIONS[EventType.RUN_METRIC])


@pytest.fixture(autouse=True)
def no_estimates() -> Iterator[None]:
    """Estimates of other tests, whose keys begin anew."""
    cache.clear()
    yield
    cache.clear()


def fail(project: Project, user: User, *, times: int) -> None:
    for _ in range(times):
        runs.finish(factories.make_run(project, user=user), exit_code=1, by=user, at=timezone.now())


def test_firings_a_day_are_those_of_the_last_week(alice: User, project: Project) -> None:
    fail(project, alice, times=7)

    found = reach.reach_of(FAILED, project.team, reader=alice)

    assert (found.a_day, found.at_most) == (1.0, False)
    assert found.expected == "Going by the last 7 days, it would fire about 1 time a day."
    assert not found.is_far


def test_a_metric_is_replayed_over_all_projects_of_the_team(alice: User, project: Project) -> None:
    for name in ("here", "there"):
        run = factories.make_run(factories.make_project(project.team, name), user=alice)
        metrics.append(run, metrics.parse(b'[{"loss": 2.5}]'), at=timezone.now())

    assert reach.reach_of(HIGH, project.team, reader=alice).a_day == pytest.approx(2 / 7)


def test_more_than_the_operator_allows_is_far(alice: User, project: Project, settings: Any) -> None:
    settings.CONFIRM_FIRINGS_PER_DAY = 0
    quiet = reach.reach_of(FAILED, project.team, reader=alice)
    assert (quiet.is_far, quiet.expected) == (False, "It would not have fired in the last 7 days.")

    cache.clear()
    fail(project, alice, times=1)
    assert reach.reach_of(FAILED, project.team, reader=alice).is_far


def test_what_cannot_be_replayed_is_bounded_by_the_runs_there_are(alice: User, project: Project) -> None:
    for _ in range(14):
        factories.make_run(project, user=alice)

    found = reach.reach_of(STALLED, project.team, reader=alice)

    assert found.expected == "It would fire up to 2 times a day."


def test_without_a_turn_to_replay_what_happened_bounds_it(
    alice: User, registry: Registry, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> Any:
        raise backtest.ReplaysAreRunning

    monkeypatch.setattr(backtest, "turn", refuse)
    collection = factories.make_collection(registry)
    factories.make_link(factories.make_version(project), collection, user=alice)
    linked = Draft("", EventType.LINK_ARTIFACT, ActionKind.NO_OP, filter={"collection": "another"})

    found = reach.reach_of(linked, registry, reader=alice)

    assert (found.a_day, found.at_most) == (pytest.approx(1 / 7), True)


def test_where_time_is_short_the_rest_is_taken_to_be_alike(
    alice: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "WITHIN", -1.0)
    fail(project, alice, times=7)

    found = reach.reach_of(FAILED, project.team, reader=alice)

    # Of the first event alone, which was the start of a run, nothing would have come.
    assert (found.a_day, found.at_most) == (0, False)


def test_an_estimate_is_kept_for_what_was_asked_and_nothing_else(alice: User, project: Project) -> None:
    before = reach.reach_of(FAILED, project.team, reader=alice)
    fail(project, alice, times=7)

    assert reach.reach_of(FAILED, project.team, reader=alice) == before
    other = Draft("", EventType.RUN_STATE, ActionKind.NO_OP, condition={"states": ["FAILED", "FINISHED"]})
    found = reach.reach_of(other, project.team, reader=alice)
    assert (found.a_day, found.stamp == before.stamp) == (1.0, False)


def test_what_a_wide_scope_holds_is_told_in_a_sentence(alice: User, project: Project, registry: Registry) -> None:
    factories.make_run(project, user=alice)
    factories.make_run(project, user=alice, at=timezone.now() - timedelta(days=31))
    factories.make_collection(registry)

    runs_told = reach.covered(EventType.RUN_STATE, project.team, reader=alice)
    assert runs_told == "Now: 1 project, 1 run in the last 30 days."
    told = reach.covered(EventType.LINK_ARTIFACT, registry, reader=alice)
    assert told == "Now: 1 collection."
