"""JSON that databases take, from scripts that send any."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.jsonvalues import MAX_DEPTH, check_size, fitting, mended, shallow, storable

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(), max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": [value]}
    return value


@given(ANYTHING)
def test_whatever_is_mended_can_be_stored(value: Any) -> None:
    found = mended(value)
    assert storable(found) == found
    json.dumps(found, allow_nan=False).encode()


@pytest.mark.parametrize("depth", [1, MAX_DEPTH, 400])
def test_what_is_nested_too_deeply_is_cut_rather_than_refused(depth: int) -> None:
    storable(mended(nested(depth)))
    storable({"logged": shallow(nested(depth))})


def test_what_can_be_stored_is_left_as_it_is() -> None:
    value = {"a": [1, 2.5, None, True, "é"], "b": {"c": {}}}
    assert mended(value) == value
    assert shallow(value) == value
    assert mended({"x": [math.nan, -math.inf, "a\x00\ud800"]}) == {"x": ["NaN", "-Infinity", "a��"]}


@given(st.dictionaries(st.text(max_size=5), ANYTHING, max_size=8))
def test_what_fits_is_kept_whole(document: dict[str, Any]) -> None:
    document = mended(document)
    assert fitting(document) == document


@pytest.mark.parametrize(
    "document",
    [
        {f"k{number}": number for number in range(20_000)},
        {f"k{number}": "x" * 1000 for number in range(2_000)},
        {"first": 1, "huge": "x" * 2_000_000, "last": 2},
    ],
)
def test_of_what_does_not_fit_the_first_entries_are_kept(document: dict[str, Any]) -> None:
    kept = fitting(document)
    check_size(kept)
    assert 0 < len(kept) < len(document)
    assert list(kept) == list(document)[: len(kept)]
