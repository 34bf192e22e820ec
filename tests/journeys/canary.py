"""Secret values that are easy to recognize, and the search for them in any spelling."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

# Characters that JSON, HTML, URLs and headers each write differently.
SPECIAL = "\"ü&/+'<\\>"


def value_of(bird: str) -> str:
    """A secret value made of a rare word, characters that get escaped, and the word again."""
    return f"{bird}{SPECIAL}{bird}"


def spellings(value: str) -> set[str]:
    """How a value may look wherever somebody wrote it down."""
    plain = {value, value.encode().decode("latin-1"), value.encode("latin-1").decode("utf-8", "replace")}
    escaped = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]}
    escaped |= {quote(value), quote(value, safe=""), quote_plus(value)}
    escaped |= {html.escape(one) for one in plain | escaped}
    return plain | escaped | _in_base64(value)


def _in_base64(value: str) -> set[str]:
    """Base64 writes the same text in three ways, depending on what stands before it."""
    found = set()
    for encoding in ("utf-8", "latin-1"):
        for before in range(3):
            text = base64.b64encode(b"?" * before + value.encode(encoding)).decode().rstrip("=")
            # The outermost letters depend on the neighbours, too.
            inner = text[4 if before else 0 : -2]
            found |= {inner, inner.replace("+", "-").replace("/", "_")}
    return found


def found_in(text: str, *, values: list[str]) -> list[str]:
    """The surroundings of every trace of the values; a word of theirs alone is one, too."""
    words = {value.partition(SPECIAL[0])[0] for value in values}
    traces = words.union(*(spellings(value) for value in values))
    places = [(text.find(trace), trace) for trace in traces if trace in text]
    return [f"{trace!r} in {text[max(at - 80, 0) : at + 160]!r}" for at, trace in sorted(places)]
