"""EV10 against a second, naive reading of its documentation, for any document and any facts."""

import contextlib
import copy
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from automations import filters
from automations.filters import RUN_FIELDS, InvalidFilter

texts = st.sampled_from(["", "a", "ab", "b", "prod-1", "a.b", "é\n", "\ud800x", "1"])
numbers = st.one_of(st.integers(-3, 3), st.sampled_from([0.5, -0.0, 1.0, 10**400]), st.floats())
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.one_of(scalars, st.lists(scalars, max_size=3), st.dictionaries(texts, scalars, max_size=2))
config = st.fixed_dictionaries({}, optional={"x": values, "y": st.dictionaries(texts, values)})
everything = st.fixed_dictionaries(
    {},
    optional={
        "user": values,
        "tags": st.one_of(values, st.lists(texts, max_size=3)),
        "config": st.one_of(values, config),
    },
)


def one_entry(keys: list[str], wanted: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda key, value: {key: value}, st.sampled_from(keys), wanted)


wanted_texts = st.sampled_from(["", "a", "ab", "prod-1", "a.b", "1"])
wanted_numbers = st.one_of(st.integers(-3, 3), st.sampled_from([0.5, 1.0, 10**400]))
wanted = st.one_of(wanted_texts, wanted_numbers, st.booleans(), st.none())
patterns = st.sampled_from(["", "a", "^a$", "b|c", "[ab]+", r"\d"])
orders = ["$gt", "$gte", "$lt", "$lte"]
text_comparisons = st.one_of(
    one_entry(["$eq", "$ne", "$contains", *orders], wanted_texts),
    one_entry(["$in", "$nin"], st.lists(wanted_texts, max_size=2)),
    one_entry(["$exists"], st.booleans()),
    one_entry(["$regex"], patterns),
)
any_comparisons = st.one_of(
    one_entry(["$eq", "$ne"], wanted),
    one_entry(orders, wanted_numbers),
    one_entry(["$in", "$nin", "$all"], st.lists(wanted, max_size=2)),
    one_entry(["$size"], st.integers(0, 3)),
    one_entry(["$regex"], patterns),
    one_entry(["$contains"], st.one_of(wanted_texts, wanted_numbers)),
)
conditions_on_fields = st.one_of(
    one_entry(["user", "tags"], text_comparisons),
    one_entry(["config.x", "config.y.a", "config.y.a.b"], any_comparisons),
    one_entry(["config.x"], one_entry(["$not"], any_comparisons)),
    one_entry(["config.x"], wanted),
)
documents: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.one_of(conditions_on_fields, st.just({})),
    lambda children: st.one_of(
        one_entry(["$and", "$or", "$nor"], st.lists(children, max_size=3)),
        one_entry(["$not"], children),
        st.builds(lambda one, other: {**one, **other}, children, children),
    ),
    max_leaves=8,
)

GONE = object()


def naive(document: Any, facts: Mapping[str, Any]) -> bool:
    """The same language once more, as slowly and plainly as the documentation reads."""
    answers = []
    for key, value in document.items():
        if key == "$and":
            answers.append(all(naive(one, facts) for one in value))
        elif key == "$or":
            answers.append(value == [] or any(naive(one, facts) for one in value))
        elif key == "$nor":
            answers.append(not any(naive(one, facts) for one in value))
        elif key == "$not":
            answers.append(not naive(value, facts))
        else:
            found = naive_found(key, facts)
            comparisons = value if isinstance(value, dict) else {"$eq": value}
            answers.append(all(NAIVE[op](one, found) for op, one in comparisons.items()))
    return all(answers)


def naive_found(name: str, facts: Mapping[str, Any]) -> Any:
    head, *rest = name.split(".")
    if not rest:
        return GONE if facts.get(head) is None else facts[head]
    return naive_nested(facts.get(head, GONE), rest)


def naive_nested(value: Any, parts: list[str]) -> Any:
    if not parts:
        return value
    for size in range(len(parts), 0, -1):
        key = ".".join(parts[:size])
        if isinstance(value, dict) and key in value:
            found = naive_nested(value[key], parts[size:])
            if found is not GONE:
                return found
    return GONE


def same_sort(one: Any, other: Any) -> bool:
    def sort(value: Any) -> str:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return "number" if number else type(value).__name__

    return sort(one) == sort(other)


def same(one: Any, other: Any) -> bool:
    return same_sort(one, other) and bool(one == other)


NAIVE: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": lambda value, found: (value is None and found is GONE) or any(same(one, value) for one in each(found)),
    "$ne": lambda value, found: not NAIVE["$eq"](value, found),
    "$gt": lambda value, found: any(one > value for one in alike(value, found)),
    "$gte": lambda value, found: any(one >= value for one in alike(value, found)),
    "$lt": lambda value, found: any(one < value for one in alike(value, found)),
    "$lte": lambda value, found: any(one <= value for one in alike(value, found)),
    "$in": lambda value, found: any(NAIVE["$eq"](one, found) for one in value),
    "$nin": lambda value, found: not NAIVE["$in"](value, found),
    "$not": lambda value, found: not all(NAIVE[op](one, found) for op, one in value.items()),
    "$exists": lambda value, found: (found is not GONE) == value,
    "$regex": lambda value, found: any(re.search(value, one) for one in each(found) if isinstance(one, str)),
    "$contains": lambda value, found: (
        isinstance(value, str) and value in found
        if isinstance(found, str)
        else isinstance(found, list) and any(same(one, value) for one in found)
    ),
    "$all": lambda value, found: value != [] and all(any(same(one, needed) for one in each(found)) for needed in value),
    "$size": lambda value, found: isinstance(found, list) and len(found) == value,
}


def each(found: Any) -> list[Any]:
    if isinstance(found, list):
        return found
    return [] if found is GONE else [found]


def alike(value: Any, found: Any) -> list[Any]:
    """The elements that have an order with the value."""
    return [one for one in each(found) if same_sort(one, value)]


@given(documents, everything)
def test_filters_agree_with_a_naive_reading_of_the_documentation(document: Any, facts: dict[str, Any]) -> None:
    compiled = filters.compile(document, fields=RUN_FIELDS)
    explanation = compiled.explain(facts)

    assert compiled.matches(facts) is naive(document, facts)
    assert explanation.holds is compiled.matches(facts)
    assert explanation.reason
    assert (compiled.describe() != "") or explanation.holds


@given(documents)
def test_document_is_kept_as_it_was_given(document: Any) -> None:
    given_text = json.dumps(document)
    original = copy.deepcopy(document)
    compiled = filters.compile(document, fields=RUN_FIELDS)
    document.clear()

    assert compiled.document == original
    assert json.dumps(compiled.document) == given_text
    assert filters.compile(compiled.document, fields=RUN_FIELDS) == compiled


junk_keys = ["$and", "$or", "$not", "$eq", "$in", "$regex", "user", "config.x", "tags"]
junk = st.recursive(
    st.one_of(scalars, st.sampled_from(junk_keys)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(junk_keys), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(junk, everything)
def test_any_json_is_compiled_or_refused_and_nothing_else(document: Any, facts: dict[str, Any]) -> None:
    with contextlib.suppress(InvalidFilter):
        filters.compile(document, fields=RUN_FIELDS).explain(facts)
