"""What changed between two rules, as people read it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from automations import differences
from automations.differences import MOST_LINES, Line

RULE: dict[str, Any] = {
    "name": "Loss",
    "event_type": "RUN_METRIC",
    "condition": {"name": "loss", "cmp_op": "$gt", "threshold": 1},
    "filter": {},
    "payload": '{\n  "a": 1,\n  "b": 2,\n  "c": 3,\n  "d": 4,\n  "e": 5\n}',
    "scope": {"kind": "project", "name": "research/digits", "id": 1},
    "webhook": "research/pager",
    "webhook_id": 3,
}
texts = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=12)


def changed(**changes: Any) -> list[tuple[str, str, str]]:
    found = differences.between(RULE, RULE | changes)
    return [(change.label, change.before_text, change.after_text) for change in found]


def test_nothing_is_different_from_itself() -> None:
    assert differences.between(RULE, dict(RULE)) == []


def test_each_field_is_said_by_its_name() -> None:
    assert changed(name="Loss is high", webhook=None, webhook_id=None) == [
        ("name", "Loss", "Loss is high"),
        ("webhook", "research/pager", "—"),
    ]
    scope = {"kind": "registry_collection", "name": "acme/models/champion", "id": 1}
    assert changed(scope=scope) == [
        ("scope", "project research/digits", "registry collection acme/models/champion"),
    ]


def test_a_condition_is_compared_part_by_part() -> None:
    condition = {"name": "loss", "threshold": 2, "window_size": 5}
    assert changed(condition=condition) == [
        ("condition cmp_op", "$gt", "—"),
        ("condition threshold", "1", "2"),
        ("condition window_size", "—", "5"),
    ]


def test_a_text_is_compared_line_by_line_with_what_stands_around() -> None:
    (change,) = differences.between(RULE, RULE | {"payload": RULE["payload"].replace('"d": 4', '"d": 40')})
    assert [line.sign for line in change.lines] == ["…", " ", " ", "-", "+", " ", " "]
    assert change.lines[3:5] == (Line("-", '  "d": 4,'), Line("+", '  "d": 40,'))


def test_a_filter_is_compared_as_it_is_shown() -> None:
    (change,) = differences.between(RULE, RULE | {"filter": {"user": "bob"}})
    assert Line("+", '  "user": "bob"') in change.lines


def test_texts_of_many_lines_are_shown_whole() -> None:
    """Comparing them could take minutes: anybody who may edit could stall the page."""
    before = [str(number) for number in range(MOST_LINES + 1)]
    assert len(differences.line_difference(before, before[::-1])) == 2 * len(before)


@given(texts, texts)
def test_the_lines_that_came_and_went_are_all_there(before: list[str], after: list[str]) -> None:
    lines = differences.line_difference(before, after)
    went = [line.text for line in lines if line.sign == "-"]
    came = [line.text for line in lines if line.sign == "+"]
    assert len(before) - len(went) == len(after) - len(came)
    assert (went == [] and came == []) == (before == after)
