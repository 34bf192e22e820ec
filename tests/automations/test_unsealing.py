"""What is masked in answers of receivers, in whatever way they write it (SE1)."""

from __future__ import annotations

import base64
import html
import json
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
