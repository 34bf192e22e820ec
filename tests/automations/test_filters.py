"""The condition language (EV4, EV10): what it takes, what it answers, and how it says so."""

import contextlib
import math
import time
from collections.abc import Mapping
from typing import Any

import pytest

from automations import filters
from automations.filters import ARTIFACT_FIELDS, RUN_FIELDS, InvalidFilter

RUN = {
    "display_name": "dev-3",
    "name": "1a2b3c",
    "state": "FAILED",
    "user": "bob",
    "tags": ["baseline", "v2"],
    "group": None,
    "config": {"lr": 0.1, "opt": {"name": "adam", "betas": [0.9, 0.99]}, "a/b.c": {"d.e": 1}, "debug": True},
    "summary": {"loss": math.nan, "acc": 0.75, "huge": 10**400, "note": None},
}


def matches(document: Any, facts: Mapping[str, Any] = RUN) -> bool:
    return filters.compile(document, fields=RUN_FIELDS).matches(facts)


def refused(document: Any, fields: filters.Fields = RUN_FIELDS) -> InvalidFilter:
    with pytest.raises(InvalidFilter) as caught:
        filters.compile(document, fields=fields)
    return caught.value


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"$and": []},
        {"$or": []},
        {"$or": [{"$and": []}]},
        {"$and": [{"$or": []}]},
        {"$nor": []},
        {"$or": [{}]},
    ],
)
def test_no_condition_matches_everything(document: Any) -> None:
    compiled = filters.compile(document, fields=RUN_FIELDS)

    assert compiled.matches(RUN)
    assert compiled.matches({})
    assert compiled.describe() == ""
    assert compiled.explain({}).reason == "there is no condition to meet"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"display_name": "dev-3"}, True),
        ({"display_name": "dev"}, False),
        ({"display_name": {"$regex": "ev-"}}, True),
        ({"display_name": {"$regex": "^ev-"}}, False),
        ({"display_name": {"$contains": "v-3"}}, True),
        ({"display_name": {"$gt": "dev-2", "$lt": "dev-4"}}, True),
        ({"display_name": {"$gt": "dev-2", "$lt": "dev-3"}}, False),
        ({"user": "bob", "state": "FAILED"}, True),
        ({"user": "bob", "state": "FINISHED"}, False),
        ({"user": {"$in": ["alice", "bob"]}}, True),
        ({"user": {"$in": []}}, False),
        ({"user": {"$nin": ["alice"]}}, True),
        ({"username": "bob"}, True),
        ({"tags": "v2"}, True),
        ({"tags": {"$ne": "v2"}}, False),
        ({"tags": {"$nin": ["v2", "v3"]}}, False),
        ({"tags": {"$not": {"$regex": "^v"}}}, False),
        ({"tags": {"$not": {"$regex": "^x"}}}, True),
        ({"tags": {"$contains": "base"}}, False),
        ({"tags": {"$contains": "baseline"}}, True),
        ({"tags": {"$all": ["v2", "baseline"]}}, True),
        ({"tags": {"$all": ["v2", "v3"]}}, False),
        ({"tags": {"$all": []}}, False),
        ({"tags": {"$size": 2}}, True),
        ({"tags": {"$size": 1}}, False),
        ({"config.lr": 0.1}, True),
        ({"config.lr": {"$gte": 0.1, "$lte": 0.1}}, True),
        ({"config.lr": {"$lt": 0.1}}, False),
        ({"config.lr.value": 0.1}, True),
        ({"config.opt.name": "adam"}, True),
        ({"config.opt.betas": {"$gt": 0.95}}, True),
        ({"config.opt": {"$size": 2}}, False),
        ({"config.a/b.c.d.e": 1}, True),
        ({"config.debug": True}, True),
        ({"config.debug": 1}, False),
        ({"config.debug": {"$gt": 0}}, False),
        ({"summary.acc": {"$in": [0.75, "x"]}}, True),
        ({"summary.acc": "0.75"}, False),
        ({"summary_metrics.acc": {"$gt": 0.7}}, True),
        ({"summary.loss": {"$gt": 0}}, False),
        ({"summary.loss": {"$ne": 0}}, True),
        ({"summary.huge": {"$gt": 1e308}}, True),
        ({"summary.huge": 10**400}, True),
        ({"$nor": [{"user": "alice"}, {"state": "FINISHED"}]}, True),
        ({"$nor": [{"user": "alice"}, {"state": "FAILED"}]}, False),
        ({"$not": {"user": "alice"}}, True),
        ({"$or": [{"user": "alice"}, {"$and": [{"state": "FAILED"}, {"user": "bob"}]}]}, True),
    ],
)
def test_operators_answer_as_documented(document: Any, expected: bool) -> None:
    """EV10, with EV4: one user's runs, and the run's name by a pattern that searches."""
    assert matches(document) is expected


@pytest.mark.parametrize(
    "comparison",
    [
        {"$eq": "x"},
        {"$gt": 1},
        {"$gte": 1},
        {"$lt": 1},
        {"$lte": 1},
        {"$in": ["x", 1]},
        {"$exists": True},
        {"$regex": ""},
        {"$contains": ""},
        {"$all": [1]},
        {"$size": 0},
    ],
)
def test_missing_field_meets_no_comparison_but_every_negation(comparison: dict[str, Any]) -> None:
    assert not matches({"config.nothing": comparison})
    assert matches({"config.nothing": {"$not": comparison}})


def test_missing_field_is_not_equal_and_not_among() -> None:
    assert matches({"config.nothing": {"$ne": 1}})
    assert matches({"config.nothing": {"$nin": [1]}})
    assert matches({"config.nothing": {"$exists": False}})


def test_null_means_missing() -> None:
    assert matches({"group": None})
    assert matches({"group": {"$exists": False}})
    assert not matches({"group": {"$ne": None}})
    assert matches({"config.nothing": {"$in": [None, 1]}})
    assert matches({"summary.note": None, "user": {"$ne": None}})


def test_literal_key_wins_over_nested_one() -> None:
    facts = {"config": {"a.b": 1, "a": {"b": 2}}}

    assert matches({"config.a.b": 1}, facts)
    assert not matches({"config.a.b": 2}, facts)


def test_shorter_key_is_tried_when_the_longer_leads_nowhere() -> None:
    assert matches({"config.a.b.c": 1}, {"config": {"a.b": {"x": 0}, "a": {"b.c": 1}}})


def test_artifact_version_is_a_number_with_or_without_its_letter() -> None:
    recent = filters.compile({"version": {"$gte": "v3"}}, fields=ARTIFACT_FIELDS)

    assert recent.matches({"version": 3})
    assert recent.matches({"version": "v10"})
    assert not recent.matches({"version": "v2"})


def test_alias_may_be_the_one_added_or_all_of_a_version() -> None:
    production = filters.compile({"$or": [{"$and": [{"alias": {"$regex": "^prod"}}]}]}, fields=ARTIFACT_FIELDS)

    assert production.matches({"alias": "production"})
    assert production.matches({"alias": ["latest", "prod"]})
    assert not production.matches({"alias": ["latest"]})
    assert not production.matches({"alias": []})


# What is refused


def deep(levels: int) -> Any:
    document: Any = {"user": "bob"}
    for _ in range(levels):
        document = {"$and": [document]}
    return document


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        (None, "", "A condition is an object"),
        ([], "", "A condition is an object"),
        ("{}", "", "A condition is an object"),
        ({"$and": {}}, "$and", "takes a list of conditions"),
        ({"$and": [{"user": "a"}, 3]}, "$and[1]", "A condition is an object"),
        ({"$not": [{}]}, "$not", "A condition is an object"),
        ({"$xor": []}, "$xor", "Did you mean $or?"),
        ({"$gt": 3}, "$gt", "compares a field"),
        (
            {"usr": "bob"},
            "usr",
            "Did you mean user? The known fields are display_name, name, state, user, tags",
        ),
        ({"config": 1}, "config", "There is no field"),
        ({"config.": 1}, "config.", "There is no field"),
        ({"config." + "x" * 500: 1}, "config." + "x" * 500, "at most 500 characters"),
        ({"user\0": 1}, "user\0", "NUL"),
        ({5: 1}, "", "Keys are text"),
        ({"user": {}}, "user", "not an empty object"),
        ({"user": {"x": 1}}, "user.x", "There is no operator"),
        ({"user": {"$regx": "a"}}, "user.$regx", "Did you mean $regex?"),
        ({"user": {"$regex": "a", "$options": "i"}}, "user.$options", "(?i)"),
        ({"user": ["a"]}, "user", "$in"),
        ({"user": 3}, "user", "compared with text"),
        ({"user": True}, "user", "compared with text"),
        ({"user": {"$gt": 3}}, "user.$gt", "compared with text"),
        ({"user": {"$size": 1}}, "user.$size", "use one of $eq"),
        ({"user": {"$in": "alice"}}, "user.$in", "a list of values"),
        ({"user": {"$in": ["alice", 3]}}, "user.$in[1]", "compared with text"),
        ({"user": {"$in": ["a"] * 1001}}, "user.$in", "at most 1,000"),
        ({"user": "\ud800"}, "user", "lone surrogates"),
        ({"user": "x" * 10_001}, "user", "10,000 characters"),
        ({"user": {"$exists": 1}}, "user.$exists", "true or false"),
        ({"tags": {"$size": -1}}, "tags.$size", "0 or more"),
        ({"tags": {"$size": True}}, "tags.$size", "whole number"),
        ({"config.lr": {"$gt": "high"}}, "config.lr.$gt", "compared with a number"),
        ({"config.lr": {"$gt": True}}, "config.lr.$gt", "compared with a number"),
        ({"config.lr": {"$gt": math.nan}}, "config.lr.$gt", "finite"),
        ({"config.lr": math.inf}, "config.lr", "finite"),
        ({"config.lr": 10**5000}, "config.lr", "too many digits"),
        ({"config.lr": {"$contains": None}}, "config.lr.$contains", "compared with text"),
        ({"$and": [{"display_name": {"$regex": "("}}]}, "$and[0].display_name.$regex", "missing ): ("),
        ({"user": {"$regex": "a(?=b)"}}, "user.$regex", "invalid perl operator: (?="),
        ({"user": {"$regex": "a" * 1001}}, "user.$regex", "1,000 characters"),
        ({"user": {"$regex": "(x{1000}){1000}"}}, "user.$regex", "RE2 cannot run this pattern"),
        ({"user": {"$not": "alice"}}, "user.$not", "takes operators"),
        (deep(20), ".".join(["$and[0]"] * 20), "20 deep"),
        ({"$or": [{"user": "a"}] * 500}, "$or[499].user", "at most 500 operators"),
        ({"$or": [{}] * 501}, "$or", "at most 500 conditions"),
    ],
)
def test_what_cannot_work_is_refused_with_its_place_and_reason(document: Any, path: str, words: str) -> None:
    """EV10: a pattern that RE2 cannot take is refused when saved, with its message."""
    error = refused(document)

    assert error.path == path
    assert words in error.message
    assert error.message.endswith((".", "?"))


def test_deepest_and_largest_allowed_conditions_work() -> None:
    assert matches(deep(19))
    assert matches({"$or": [{"user": "x"}] * 498 + [{"user": "bob"}]})


def test_not_on_a_field_counts_as_depth() -> None:
    comparison: Any = {"$eq": "bob"}
    for _ in range(100_000):
        comparison = {"$not": comparison}

    assert "20 deep" in refused({"user": comparison}).message


def test_number_field_lists_the_operators_that_fit() -> None:
    assert "which holds a number" in refused({"version": {"$regex": "1"}}, ARTIFACT_FIELDS).message


def test_refused_pattern_writes_nothing_to_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    refused({"user": {"$regex": "(((("}})

    assert capfd.readouterr() == ("", "")


BOMB = r"\pL{50}x"
# Each costs RE2 the most for its length or size: read and thrown away, large in itself, large together.
COSTLY = (
    [BOMB + str(number) for number in range(490)],
    [r"(?i)" + r"[^\pL\PL]" * 110] * 20,
    [r"(?i)" + r"[^\pL\PL]" * 5] * 20,
    [r"\pL{0}" * 8 + str(number) for number in range(20)],
    [r"\pL{6}" + str(number) for number in range(20)],
    [".{1000}" + str(number) for number in range(20)],
)


@pytest.mark.parametrize("patterns", COSTLY)
def test_ev10_no_patterns_take_long_to_compile(patterns: list[str]) -> None:
    """EV10: saving, and matching inside of a transaction, compile all patterns of a condition."""
    started = time.process_time()
    with contextlib.suppress(InvalidFilter):
        filters.compile({"$or": [{"user": {"$regex": one}} for one in patterns]}, fields=RUN_FIELDS)

    assert time.process_time() - started < 1


def test_ev10_patterns_are_limited_in_number_length_and_size() -> None:
    def error_of(patterns: list[str]) -> InvalidFilter:
        return refused({"$or": [{"user": {"$regex": one}} for one in patterns]})

    error = error_of([f"^a{number}$" for number in range(21)])
    assert (error.path, "at most 20 patterns" in error.message) == ("$or[20].user.$regex", True)
    error = error_of(["a" * 600, "b" * 401])
    assert (error.path, "1,000 characters together" in error.message) == ("$or[1].user.$regex", True)
    error = error_of([r"\pL{5}a", r"\pL{5}b"])
    assert (error.path, "10,000 instructions together" in error.message) == ("$or[1].user.$regex", True)
    assert "too large" in error_of([BOMB]).message
    assert "10,000" in refused({"$and": [{"user": {"$not": {"$regex": r"\pL{5}"}}}] * 2}).message


def test_twenty_ordinary_patterns_may_be_asked_for() -> None:
    names = [rf"(?i)^prod-{number}-\d{{1,8}}(\.\w+)*$" for number in range(20)]
    assert matches({"$or": [{"display_name": {"$regex": name}} for name in names]}, {"display_name": "PROD-19-7.a"})


def test_no_pattern_stalls_the_server() -> None:
    """EV10: patterns run in time linear in the text."""
    name = "a" * 50_000 + "!"
    started = time.perf_counter()
    for pattern in ("(a+)+$", "(a|aa)+$", "(a*)*b", "(.*)(.*)(.*)(.*)(.*)[^!]$", "([ab]*a[ab]{60}c)+$"):
        assert not matches({"display_name": {"$regex": pattern}}, {"display_name": name})

    assert time.perf_counter() - started < 5


# What it says


def test_reason_names_the_first_clause_that_said_no() -> None:
    document = {"$and": [{"state": "FAILED"}, {"display_name": {"$regex": "^prod-"}}, {"user": "alice"}]}

    explanation = filters.compile(document, fields=RUN_FIELDS).explain(RUN)

    assert not explanation.holds
    assert explanation.reason == 'display_name "dev-3" does not match ^prod-'
    assert [(one.path, one.operator, one.wanted, one.found, one.holds) for one in explanation.verdicts] == [
        ("$and[0].state", "$eq", "FAILED", "FAILED", True),
        ("$and[1].display_name.$regex", "$regex", "^prod-", "dev-3", False),
        ("$and[2].user", "$eq", "alice", "bob", False),
    ]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"user": "bob"}, "holds: user is bob"),
        ({"group": "g"}, "group is not set, so it is not g"),
        ({"group": {"$exists": True}}, "group is not set"),
        ({"user": {"$exists": False}}, "user is set"),
        ({"$nor": [{"user": "bob"}]}, 'user "bob" is bob, which the condition excludes'),
        ({"$nor": [{}]}, "the condition excludes everything"),
        ({"tags": {"$all": ["x", "y"]}}, 'tags ["baseline", "v2"] does not have all of x, y'),
        ({"config.lr": {"$gt": 1}}, "config.lr 0.1 is not above 1"),
        ({"config.opt": {"$eq": 1}}, "config.opt an object is not 1"),
        ({"summary.huge": {"$lt": 1}}, f"summary.huge {'1' + '0' * 78}… is not below 1"),
        ({"$or": [{"$and": [{"user": "bob"}, {"state": "x"}]}, {"user": "y"}]}, 'state "FAILED" is not x'),
    ],
)
def test_reasons_are_sentences(document: Any, reason: str) -> None:
    assert filters.compile(document, fields=RUN_FIELDS).explain(RUN).reason == reason


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (
            {"display_name": {"$regex": "^prod-"}, "user": "alice"},
            "run name matches ^prod- and user is alice",
        ),
        (
            {"$and": [{"$or": [{"user": "a"}, {"user": "b"}]}, {"state": "x"}]},
            "(user is a or user is b) and state is x",
        ),
        ({"$or": [{"user": "a"}, {}]}, ""),
        ({"$nor": [{}]}, "nothing"),
        ({"$and": [{"user": "a"}, {"$nor": [{}]}]}, "nothing"),
        ({"$or": [{"user": "a"}, {"$nor": [{}]}]}, "user is a"),
        ({"$not": {"$nor": [{"user": "a"}]}}, "user is a"),
        ({"$nor": [{"user": "a"}, {"user": "b"}]}, "not (user is a or user is b)"),
        ({"tags": {"$not": {"$in": ["a", "b c"]}}}, 'tags is none of a, "b c"'),
        ({"config.a/b": {"$gte": 1, "$lt": 2}}, "config.a/b is at least 1 and config.a/b is below 2"),
        ({"group": {"$exists": False}}, "group is not set"),
        ({"user": {"$contains": "{wanted}"}}, "user contains {wanted}"),
    ],
)
def test_descriptions_fit_into_sentences(document: Any, words: str) -> None:
    assert filters.compile(document, fields=RUN_FIELDS).describe() == words
