"""Documents of the condition language taken apart into form fields and put together again."""

from __future__ import annotations

from typing import Any

import pytest

from automations import filters
from automations.forms.filterfields import FILTER_FIELDS, join, split
from automations.models import EventType

RUN = FILTER_FIELDS[EventType.RUN_STATE]
VERSION = FILTER_FIELDS[EventType.CREATE_ARTIFACT]
ALIAS = FILTER_FIELDS[EventType.ADD_ARTIFACT_ALIAS]


@pytest.mark.parametrize(
    ("document", "values", "rest"),
    [
        ({}, {}, {}),
        ({"$and": []}, {}, {}),
        ({"$or": [{"$and": []}]}, {}, {}),
        ({"user": "alice"}, {"user": "alice"}, {}),
        ({"user": {"$eq": "alice"}}, {"user": "alice"}, {}),
        ({"display_name": {"$regex": "^prod-"}}, {"run_name": "^prod-"}, {}),
        (
            {"$or": [{"$and": [{"display_name": {"$regex": "^p"}}, {"user": "bob"}]}]},
            {"run_name": "^p", "user": "bob"},
            {},
        ),
        ({"display_name": "prod-1"}, {}, {"display_name": "prod-1"}),
        ({"user": "alice", "tags": "nightly"}, {"user": "alice"}, {"tags": "nightly"}),
        (
            {"$or": [{"user": "alice"}, {"user": "bob"}]},
            {},
            {"$or": [{"user": "alice"}, {"user": "bob"}]},
        ),
        (
            {"$and": [{"user": "alice"}, {"user": "bob"}]},
            {"user": "alice"},
            {"user": "bob"},
        ),
        ({"user": ""}, {}, {"user": ""}),
        ({"user": None}, {}, {"user": None}),
    ],
)
def test_fields_show_what_they_can_and_the_rest_is_kept(document: Any, values: dict[str, Any], rest: Any) -> None:
    assert split(document, RUN) == (values, rest)


@pytest.mark.parametrize(
    ("alias", "shown"),
    [
        ({"$in": ["production", "staging"]}, ["production", "staging"]),
        ("production", ["production"]),
        ({"$in": ["a,b"]}, None),
        ({"$in": [" padded"]}, None),
        ({"$in": []}, None),
        ({"$regex": "^p"}, None),
    ],
)
def test_aliases_are_a_list_where_a_list_can_say_it(alias: Any, shown: list[str] | None) -> None:
    values, rest = split({"alias": alias}, VERSION)

    assert values.get("aliases") == shown
    assert rest == ({} if shown else {"alias": alias})


@pytest.mark.parametrize(
    "document",
    [
        {"user": "alice", "display_name": {"$regex": "^prod-"}},
        {"$and": [{"user": "alice"}, {"user": "bob"}]},
        {"tags": "nightly", "user": "alice", "$or": [{"group": "a"}, {"group": "b"}]},
        {"$nor": [{"user": "alice"}]},
        {"user": {"$ne": "alice"}},
        {"display_name": {"$regex": "^p", "$ne": "prod-1"}},
        {"$and": [{"$or": [{"user": "a"}, {"user": "b"}]}, {"$or": [{"group": "a"}, {"group": "b"}]}]},
    ],
)
def test_taking_apart_and_putting_together_keeps_the_meaning(document: Any) -> None:
    values, rest = split(document, RUN)
    again = join(values, rest, RUN)

    assert split(again, RUN) == (values, rest)
    before, after = (filters.compile(one, fields=filters.RUN_FIELDS) for one in (document, again))
    for user in ("alice", "bob", "a", None):
        for name in ("prod-1", "prod-2", "dev"):
            for group in ("a", "b", "c"):
                facts = {"user": user, "display_name": name, "group": group, "tags": ["nightly"]}
                assert before.matches(facts) == after.matches(facts)


def test_a_field_whose_key_the_rest_uses_too_is_joined_by_and() -> None:
    assert join({"user": "alice"}, {"user": {"$ne": "bob"}}, RUN) == {
        "$and": [{"user": "alice"}, {"user": {"$ne": "bob"}}]
    }


def test_nothing_asked_is_the_empty_condition() -> None:
    assert join({}, {}, RUN) == {}
    assert join({"alias_pattern": "", "artifact_type": ""}, {}, ALIAS) == {}


def test_what_is_no_object_stays_in_the_rest() -> None:
    assert split([1], RUN) == ({}, [1])
