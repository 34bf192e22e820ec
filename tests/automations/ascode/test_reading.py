"""Texts that are no automations are refused with the path and the line of what is wrong."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automations.ascode import declared, yamltext
from automations.ascode.declared import InvalidDeclaration
from automations.ascode.yamltext import UnreadableText

GOOD = """\
project: research/digits
automations:
  - name: One
    event_type: RUN_STATE
    action_kind: NO_OP
"""


def refusal(text: str) -> str:
    with pytest.raises((UnreadableText, InvalidDeclaration)) as error:
        declared.read(text)
    return str(error.value)


def test_several_documents_and_comments_are_read() -> None:
    text = f"# ours\n---\n{GOOD}---\n---\nteam: research\n"
    found = declared.read(text)
    assert list(found.scopes) == [("project", "research/digits"), ("team", "research")]
    assert [one.name for one in found.automations] == ["One"]
    assert declared.read("").scopes == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [", "Line 2: This is not YAML"),
        ("a: \x00", "character that YAML does not allow"),
        ("a: &x 1\nb: *x", "Line 2: Anchors and aliases"),
        ("a: !!python/object/apply:os.system [id]", "Line 1: The tag"),
        ("a: !!binary aGk=", "Line 1: The tag"),
        ("? [a]\n: b", "Line 1: A key has to be text"),
        ("a: 1\na: 2", "Line 2: “a” is there twice"),
        ("a: .nan", "Line 1: NaN and infinities"),
        (f"a: {'9' * 5_000}", "Line 1: “9999"),
        (f"a: 0x{'f' * 5_000}", "Line 1: “0xffff"),
        ("a: !!float 12:30", "Line 1: “12:30” cannot be read"),
        ("[" * 200, "Line 1: This is nested over 60 levels"),
        ("x" * 1_000_001, "1,000,001 characters; at most 1,000,000"),
        ("[" + "a," * 100_000 + "]", "more than 100,000 values"),
        ("team: a\nautomations:\n" + "- {name: a, event_type: a, action_kind: a}\n" * 1_001, "at most 1,000 are taken"),
        ("- project: a/b", "documents[0]: A document names a scope"),
        ("automations: []", "documents[0]: A document names exactly one scope"),
        ("project: a/b\nteam: a", "exactly one scope"),
        ("project: 7", "documents[0].project: Write text here"),
        ("project: a/b\nextra: 1", "documents[0].extra: “extra” is not understood here"),
        ("project: a/b\nautomations: {}\n---\nproject: a/b\nautomations: x", "documents[1].automations: Write a list"),
        (GOOD + "    webhok: x\n", "documents[0].automations[0].webhok: “webhok” is not understood here; known are"),
        (GOOD + "    webhok: x\n", "(line 6)"),
        (GOOD + "    filter: []\n", "documents[0].automations[0].filter: Write names and values here. (line 6)"),
        (GOOD + "    enabled: 1\n", "enabled: Write true or false. (line 6)"),
        (GOOD + "    description: 2026\n", "description: Write text here, in quotes"),
        (GOOD + '    description: "\\0"\n', "has a NUL character"),
        (GOOD + "  - name: Two\n", "automations[1]: An automation also says its event_type and action_kind. (line 6)"),
        (GOOD + "  - just text\n", "Write the fields of an automation. (line 6)"),
        (GOOD + "---\n" + GOOD.replace("One", '" One "'), "“One” is declared at line 3 already. (line 9)"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_line(text: str, told: str) -> None:
    assert told in refusal(text)


@pytest.mark.parametrize("written", ["12:30", "12:30.5", f"1{':1' * 400}.5", f"1{':1' * 400_000}"])
def test_numbers_to_the_base_of_sixty_are_text_and_take_no_time(written: str) -> None:
    begun = time.monotonic()
    assert yamltext.read(f"title: {written}").documents == [{"title": written}]
    assert time.monotonic() - begun < 2


def test_keys_are_text_however_they_look() -> None:
    document = yamltext.read("on: 1\n1: {yes: no}\n<<: x\n2026-01-01: 2026-01-01").documents[0]
    assert document == {"on": 1, "1": {"yes": False}, "<<": "x", "2026-01-01": "2026-01-01"}


def test_a_text_that_would_grow_is_refused_at_once() -> None:
    """“Billion laughs”: ten levels of ten references each."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    begun = time.monotonic()
    assert "aliases" in refusal("\n".join(lines))
    assert time.monotonic() - begun < 1


@given(st.text(max_size=60) | st.text(alphabet="project: -[]{}&*!|>'\"\n#", max_size=80))
def test_no_text_is_a_fault_of_ours(text: str) -> None:
    with suppress(UnreadableText, InvalidDeclaration):
        declared.read(text)
