"""Payload templates (PL1, PL5): what parses, what rendering may change, what the editor warns of."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automations import templating
from automations.templating import InvalidTemplate, RenderedTooLarge, parse


def test_variables_are_put_into_strings_and_keys() -> None:
    """PL1."""
    template = parse('{"text": "New ${alias} by ${event_author}", "${tag}": ["${alias}", 1, null, true, "$alias"]}')

    rendered = template.render({"alias": "prod", "event_author": "alice", "tag": "gpu"})

    assert rendered == b'{"text":"New prod by alice","gpu":["prod",1,null,true,"$alias"]}'


def test_no_value_can_break_the_structure_or_is_read_again() -> None:
    """PL1."""
    value = '","admin":true,"x":"${alias}${tag}\\n\\1\\g<0>\n\0'

    rendered = parse('{"text": "a${alias}b", "tag": "${tag}"}').render({"alias": value, "tag": "t"})

    assert json.loads(rendered) == {"text": f"a{value}b", "tag": "t"}


def test_variable_without_a_value_is_empty() -> None:
    """PL5."""
    assert parse('["a${run_name}b", "${artifact_metadata.x}"]').render({}) == b'["ab",""]'


def test_metadata_keys_may_hold_anything_but_a_closing_brace() -> None:
    template = parse('"${artifact_metadata.top k / é $ {}:${artifact_metadata.a.b}"')

    assert template.names() == {"artifact_metadata.top k / é $ {", "artifact_metadata.a.b"}
    assert template.render({"artifact_metadata.top k / é $ {": "1", "artifact_metadata.a.b": "2"}) == b'"1:2"'


@pytest.mark.parametrize("text", ["${}", "${ alias }", "${1x}", "$alias", "{alias}", "${alias", "$${", "${a b}"])
def test_what_is_no_variable_stays_as_it_is(text: str) -> None:
    template = parse(json.dumps([text]))

    assert template.names() == frozenset()
    assert json.loads(template.render({"alias": "x", "": "x", "a b": "x"})) == [text]


def test_names_may_hold_dots_dashes_and_slashes() -> None:
    assert parse('{"${train/loss.mean-1}": "${_A9}"}').names() == {"train/loss.mean-1", "_A9"}


def test_later_of_two_keys_that_become_the_same_stays() -> None:
    assert parse('{"${a}": 1, "${b}": 2}').render({"a": "k", "b": "k"}) == b'{"k":2}'


def test_lone_surrogates_become_replacement_characters() -> None:
    rendered = parse(r'["\ud800", "\ud83d\ude00", "${a}"]').render({"a": "x\udfff"})

    assert json.loads(rendered.decode()) == ["\ufffd", "😀", "x\ufffd"]


def test_integers_keep_all_their_digits() -> None:
    assert parse("[123456789012345678901234567890]").render({}) == b"[123456789012345678901234567890]"


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("", 1, 1, "empty"),
        (" \n", 1, 1, "empty"),
        ("{\n  'a': 1}", 2, 3, "not JSON"),
        ('{"a": "x', 1, 7, "Unterminated string starting at line 1, column 7."),
        ('{"a": 1} x', 1, 10, "Extra data"),
        ('{"a": ${alias}}', 1, 7, "not JSON"),
        ("[1,\n NaN]", 2, 2, "NaN"),
        ("[-Infinity]", 1, 2, "-Infinity"),
        ("[1e999]", 1, 2, "1e999"),
        ("[" + "9" * 1001 + "]", 1, 2, "no number"),
        ("\ufeff{}", 1, 1, "BOM"),
        ('"\ud800"', 1, 1, "surrogates"),
        ("[" * 51 + "]" * 51, 1, 51, "50 deep"),
        ('"' + "é" * 32_768 + '"', 1, 1, "64 kB"),
    ],
)
def test_text_that_is_no_template_is_refused_with_its_place(text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(InvalidTemplate) as caught:
        parse(text)

    assert (caught.value.line, caught.value.column) == (line, column)
    assert words in caught.value.message
    assert caught.value.message.endswith(".")


def test_words_for_odd_numbers_are_fine_inside_of_strings() -> None:
    text = r'{"NaN":"a \" NaN [[[ 1e999 \\","x":"Infinity"}'

    assert parse(text).render({}).decode() == text


def test_deepest_template_allowed_is_rendered() -> None:
    text = "[" * 50 + '"${a}"' + "]" * 50

    assert parse(text).render({"a": "x"}).decode() == text.replace("${a}", "x")


@pytest.mark.parametrize("text", ["[" * 60_000, '{"a":' * 12_000, '"' + r"\"" * 30_000, '"\\' * 20_000, "1-" * 30_000])
def test_hostile_text_is_refused_quickly(text: str) -> None:
    started = time.perf_counter()

    with pytest.raises(InvalidTemplate):
        parse(text)

    assert time.perf_counter() - started < 1


def test_values_that_would_fill_the_memory_are_refused() -> None:
    with pytest.raises(RenderedTooLarge, match="4,194,304 characters"):
        parse(json.dumps(["${a}"] * 1_000)).render({"a": "x" * 100_000})


KNOWN = ["alias", "event_author", "run_name", "artifact_metadata.*"]


def warnings_of(text: str) -> list[str]:
    found = templating.lint(parse(text), known=KNOWN, applicable=["alias", "event_author", "artifact_metadata.*"])
    return [one.message for one in found]


def test_variables_that_fit_the_event_raise_no_warning() -> None:
    assert warnings_of('{"${alias}": "${event_author} ${artifact_metadata.any thing}"}') == []


def test_unknown_variable_is_warned_of_with_what_was_probably_meant() -> None:
    """PL5."""
    assert warnings_of('"${event_autor} ${qqqq}"') == [
        "There is no variable ${event_autor}; it will be empty. Did you mean ${event_author}?",
        "There is no variable ${qqqq}; it will be empty.",
    ]


def test_variable_of_other_events_is_warned_of() -> None:
    """PL5: those that never will."""
    assert warnings_of('"${run_name}"') == ["${run_name} does not apply to this event; it will always be empty."]


def test_placeholder_that_is_no_variable_is_warned_of() -> None:
    assert warnings_of('["${ alias }"]') == ["${ alias } is not a variable and stays as it is; write ${name}."]


def test_warnings_end_somewhere() -> None:
    assert len(warnings_of(json.dumps([f"${{x{n}}}" for n in range(5_000)]))) == 50


names = st.sampled_from(["a", "b", "run_name", "artifact_metadata.k y", "artifact_metadata.b"])
pieces = st.one_of(st.text(max_size=4), names.map(lambda name: f"${{{name}}}"))
strings = st.lists(pieces, max_size=3).map("".join)
leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), strings)
documents = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(strings, inner, max_size=3)),
    max_leaves=10,
)
nasty = st.one_of(
    st.sampled_from(['"', "\\", '"}', "${a}", "${", "}", "\\u0022", "\n", "\0", "\u2028", "\ud800", r"\g<1>", "NaN"]),
    st.text(),
    st.text(st.characters()),
)


def substituted(document: Any, values: dict[str, str]) -> Any:
    """Rendering once more, by splitting instead of patterns."""
    if isinstance(document, list):
        return [substituted(one, values) for one in document]
    if isinstance(document, dict):
        return {substituted(key, values): substituted(one, values) for key, one in document.items()}
    return _put_into(document, values) if isinstance(document, str) else document


def _put_into(text: str, values: dict[str, str]) -> str:
    before, opening, rest = text.partition("${")
    name, closing, after = rest.partition("}")
    if opening and closing and name in ("a", "b", "run_name", "artifact_metadata.k y", "artifact_metadata.b"):
        return before + values.get(name, "") + _put_into(after, values)
    return before + opening + _put_into(rest, values) if opening else text


@given(documents, st.dictionaries(names, nasty))
def test_any_value_gives_valid_json_of_the_same_structure(document: Any, values: dict[str, str]) -> None:
    """PL1."""
    rendered = parse(json.dumps(document)).render(values)
    expected = json.dumps(substituted(document, values), ensure_ascii=False)

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    found = json.loads(rendered.decode(), parse_constant=refuse)
    assert found == json.loads(expected.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


@given(st.text())
def test_any_text_is_a_template_or_refused(text: str) -> None:
    try:
        template = parse(text)
    except InvalidTemplate as error:
        message = error.message
    else:
        json.loads(template.render({}))
        message = "fine"

    assert message


@given(documents)
def test_names_are_what_rendering_asks_for(document: Any) -> None:
    class Asked(dict[str, str]):
        def get(self, name: str, default: Any = None) -> Any:
            asked.add(name)
            return default

    asked: set[str] = set()
    template = parse(json.dumps(document))
    template.render(Asked())

    assert template.names() == asked
