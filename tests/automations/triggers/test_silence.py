"""What triggers on silence ask for, refuse and say."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from automations.models import EventType
from automations.triggers import InvalidCondition, trigger_for

LOSS = {"source": "METRIC", "name": "loss", "minutes": 30}


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        ({}, "condition.source"),
        (LOSS | {"source": "LUCK"}, "condition.source"),
        (LOSS | {"source": ["METRIC"]}, "condition.source"),
        (LOSS | {"minutes": 0}, "condition.minutes"),
        (LOSS | {"minutes": 43_201}, "condition.minutes"),
        (LOSS | {"minutes": 1.5}, "condition.minutes"),
        (LOSS | {"minutes": True}, "condition.minutes"),
        (LOSS | {"minutes": "30"}, "condition.minutes"),
        (LOSS | {"name": ""}, "condition.name"),
        (LOSS | {"name": 7}, "condition.name"),
        (LOSS | {"name": "x" * 501}, "condition.name"),
        (LOSS | {"source": "STEP"}, "condition.name"),
        (LOSS | {"hours": 1}, "condition"),
        ({"source": "HEARTBEAT", "minutes": 5}, "condition.minutes"),
    ],
)
def test_a_stall_that_makes_no_sense_is_refused_at_its_part(condition: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidCondition) as refused:
        trigger_for(EventType.RUN_STALL).compile(condition, {})
    assert refused.value.field == field


def test_a_heartbeat_is_waited_for_no_longer_than_until_the_crash(settings: Settings) -> None:
    settings.CRASHED_AFTER = 301
    trigger_for(EventType.RUN_STALL).compile({"source": "HEARTBEAT", "minutes": 5}, {"user": "of this test alone"})


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        ({}, "condition.hours"),
        ({"hours": 0}, "condition.hours"),
        ({"hours": 8_761}, "condition.hours"),
        ({"hours": None}, "condition.hours"),
        ({"hours": 1, "minutes": 1}, "condition"),
    ],
)
def test_an_absence_that_makes_no_sense_is_refused_at_its_part(condition: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidCondition) as refused:
        trigger_for(EventType.ARTIFACT_ABSENCE).compile(condition, {})
    assert refused.value.field == field


def test_an_absence_has_nothing_to_filter() -> None:
    with pytest.raises(InvalidCondition, match="nothing can be filtered"):
        trigger_for(EventType.ARTIFACT_ABSENCE).compile({"hours": 1}, {"collection": "model"})


@pytest.mark.parametrize(
    ("of", "seconds", "matched", "reason"),
    [
        (["METRIC", "loss"], 1_800, True, "loss has not moved for 30 min"),
        (["METRIC", "loss"], 1_799, False, "loss has not moved for 29 min, 30 min are asked for"),
        (["METRIC", "accuracy"], 9_999, False, "something else stood still than loss"),
        (["STEP", ""], 9_999, False, "something else stood still than loss"),
    ],
)
def test_a_stall_is_judged_with_its_numbers(*, of: list[str], seconds: int, matched: bool, reason: str) -> None:
    trigger = trigger_for(EventType.RUN_STALL)
    match = trigger.match(trigger.compile(LOSS, {}), {}, {"silent_of": of, "silent_seconds": seconds})
    assert (match.matched, match.reason) == (matched, reason)


@pytest.mark.parametrize(
    ("last", "seconds", "matched", "reason"),
    [
        ("v3", 86_400, True, "the last new version, v3, came 24 h ago"),
        ("v3", 86_399, False, "the last new version, v3, came 23 h ago, 24 h are asked for"),
        (None, 90_000, True, "there has been no version for 25 h"),
    ],
)
def test_an_absence_is_judged_with_its_numbers(*, last: str | None, seconds: int, matched: bool, reason: str) -> None:
    trigger = trigger_for(EventType.ARTIFACT_ABSENCE)
    details = {"last_version": last, "silent_seconds": seconds}
    match = trigger.match(trigger.compile({"hours": 24}, {}), {}, details)
    assert (match.matched, match.reason) == (matched, reason)
