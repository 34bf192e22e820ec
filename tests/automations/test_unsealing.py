"""What is masked in answers of receivers, in whatever way they write it (SE1)."""

from __future__ import annotations

import base64
import html
import json
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from automations.unsealing import MASK, Credentials

VALUE = "sésame\"&/+'<open>"


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(VALUE, id="as it is"),
        pytest.param(json.dumps(VALUE)[1:-1], id="in JSON"),
        pytest.param(json.dumps(VALUE, ensure_ascii=False)[1:-1], id="in JSON with its letters"),
        pytest.param(html.escape(VALUE), id="in HTML"),
        pytest.param(quote(VALUE), id="in a path"),
        pytest.param(quote_plus(VALUE), id="in a form"),
        pytest.param(base64.b64encode(VALUE.encode()).decode(), id="in base64"),
        pytest.param(VALUE.encode().decode("latin-1"), id="UTF-8 in a header"),
        pytest.param(VALUE.encode("latin-1").decode(errors="replace"), id="Latin-1 in a body"),
    ],
)
def test_a_value_is_masked_however_it_is_written(written: str) -> None:
    assert Credentials(values=(VALUE,)).redact(f"<{written}>") == f"<{MASK}>"


def test_spaces_around_a_value_may_be_gone() -> None:
    assert Credentials(values=(" token ",)).redact("Bearer token.") == f"Bearer {MASK}."


def test_a_value_in_letters_that_latin_1_lacks_masks_nothing_else() -> None:
    credentials = Credentials(values=("開け胡麻",))
    assert credentials.redact("What????") == "What????"
    assert credentials.redact("<開け胡麻>") == f"<{MASK}>"


@pytest.mark.parametrize("shown", range(4, len(VALUE)))
def test_the_beginning_of_a_value_at_the_end_of_a_cut_text_is_masked(shown: int) -> None:
    text = f"The token is {VALUE[:shown]}"
    assert Credentials(values=(VALUE,)).redact(text, cut=True) == f"The token is {MASK}"
    assert Credentials(values=(VALUE,)).redact(text) == text


def test_a_cut_text_that_ends_with_nothing_of_a_value_stays_whole() -> None:
    assert Credentials(values=(VALUE,)).redact("It ends here", cut=True) == "It ends here"
    assert Credentials().redact("It ends here", cut=True) == "It ends here"


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(json.dumps(VALUE)[1:-1].replace("/", r"\/"), id="PHP"),
        pytest.param(json.dumps(VALUE)[1:-1].replace("&", r"\u0026").replace("<", r"\u003c"), id="Go"),
        pytest.param(VALUE.replace('"', r"\"").replace("<", r"\u003C").replace(">", r"\u003E"), id="upper case hex"),
        pytest.param(json.dumps(json.dumps(VALUE))[3:-3], id="JSON in JSON"),
        pytest.param(VALUE.replace("&", "&amp;"), id="only some of HTML"),
        pytest.param(VALUE.replace("'", "&apos;").replace("<", "&#60;").replace(">", "&#X3E;"), id="other HTML"),
        pytest.param(quote(VALUE).lower(), id="lower case hex in a path"),
        pytest.param(VALUE.replace("/", "%2F"), id="only some of a path"),
        pytest.param(base64.b64encode(VALUE.encode()).decode().rstrip("="), id="unpadded base64"),
        pytest.param(base64.urlsafe_b64encode(VALUE.encode()).decode(), id="base64 in an address"),
        pytest.param(quote(base64.b64encode(VALUE.encode()).decode(), safe=""), id="base64 in a form"),
    ],
)
def test_se1_a_value_is_masked_however_each_character_is_escaped(written: str) -> None:
    """SE1"""
    assert Credentials(values=(VALUE,)).redact(f"<{written}>") == f"<{MASK}>"


@pytest.mark.parametrize("secret", ["abcd", "abcde", "abcdef", "k?~>/+ÿ-long-enough"])
@pytest.mark.parametrize("before", ["", "u", "u:", "us:", "user:", "a user:"])
@pytest.mark.parametrize("after", ["", "\n", "!!", "and more"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_se1_base64_is_masked_behind_a_user_name(
    secret: str, before: str, after: str, encode: Callable[[bytes], bytes]
) -> None:
    """SE1"""
    written = encode(f"{before}{secret}{after}".encode()).decode()
    for text in (written, written.rstrip("=")):
        masked = Credentials(values=(secret,)).redact(f"Basic {text}.")
        assert MASK in masked
        # At most what user name and rest would be by themselves is left: nothing of the value.
        left = masked.removeprefix("Basic ").removesuffix(".").replace(MASK, "").rstrip("=")
        alone = [encode(part.encode()).decode().rstrip("=") for part in (before, after)]
        assert len(left) <= sum(map(len, alone))


def test_se1_names_of_headers_are_masked_in_either_case() -> None:
    """SE1"""
    credentials = Credentials(values=("Tok3n-Value",))
    masked = credentials.redact_headers({"x-tok3n-value": "1", "Tok3n-Value": "Tok3n-Value", "Server": "nginx"})
    assert masked == {f"x-{MASK}": "1", MASK: MASK, "Server": "nginx"}


def test_se1_values_too_long_for_one_pattern_are_masked_in_their_usual_spellings() -> None:
    """SE1"""
    long = 'key"/&' * 1000
    credentials = Credentials(values=(long, *(f"{number}{'&/' * 250}" for number in range(22)), "short-one"))
    for written in (long, json.dumps(long)[1:-1], html.escape(long), base64.b64encode(long.encode()).decode()):
        assert credentials.redact(f"<{written}> short-one") == f"<{MASK}> {MASK}"


def test_a_value_that_contains_another_is_masked_whole() -> None:
    assert Credentials(values=("abcd", "abcdefgh")).redact("<abcdefgh>") == f"<{MASK}>"


def test_20_kb_are_searched_for_six_values_in_linear_time() -> None:
    values = tuple(f"{number}{VALUE}{'x/&+' * 8}" for number in range(6))
    credentials = Credentials(values=values)
    body = f"{json.dumps(values[0])}{'&amp; é%2F ' * 2000}{base64.b64encode(values[5].encode()).decode()}"
    began = time.process_time()
    masked = credentials.redact(body, cut=True)
    assert masked.count(MASK) == 2
    assert time.process_time() - began < 1
