"""Documents of runs on the wire."""

import json
from typing import Any

import pytest
from django.core.exceptions import BadRequest
from hypothesis import given
from hypothesis import strategies as st

from projects.models import Run
from wandb_gateway.wrapping import document, text_of, unwrapped, wrapped

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text("abé"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text("abc", max_size=4), VALUES, max_size=5))
def test_a_config_comes_back_as_it_was_sent(config: dict[str, Any]) -> None:
    sent = json.dumps({name: {"value": value} for name, value in config.items()})
    values, own = unwrapped(document(sent, "config") or {})
    assert own is None
    assert json.loads(wrapped(Run(config=values))) == json.loads(sent)


def test_what_the_client_keeps_for_itself_is_apart() -> None:
    sent = '{"lr": {"value": 0.1, "desc": null}, "_wandb": {"value": {"t": {"1": [2]}}}, "plain": 3,'
    sent += ' "v": {"value": 1, "x": 2}}'
    values, own = unwrapped(document(sent, "config") or {})
    assert values == {"lr": 0.1, "plain": 3, "v": {"value": 1, "x": 2}}
    assert own == {"t": {"1": [2]}}
    assert json.loads(wrapped(Run(config={"lr": 0.1}, client_config=own))) == {
        "lr": {"value": 0.1},
        "_wandb": {"value": own},
    }


def test_nan_and_infinity_are_bare_on_the_wire_and_texts_here() -> None:
    found = document('{"a": NaN, "b": [-Infinity, {"c": Infinity}]}', "summaryMetrics")
    assert found == {"a": "NaN", "b": ["-Infinity", {"c": "Infinity"}]}
    assert text_of(found) == '{"a":NaN,"b":[-Infinity,{"c":Infinity}]}'


@pytest.mark.parametrize("text", [None, "null"])
def test_nothing_is_no_document(text: str | None) -> None:
    assert document(text, "config") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "1", '"text"', "[" * 5_000])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="“config”"):
        document(text, "config")
