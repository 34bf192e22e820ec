"""The blocks of a message as a page draws them: what Slack makes of its markup, as far as our messages use it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

# Signs that our messages begin with; other short codes stay as they are.
SIGNS: Final = {":information_source:": "ℹ️", ":warning:": "⚠️", ":rotating_light:": "🚨"}
STYLES: Final = {"*": "bold", "_": "italic", "~": "strike", "`": "code"}
# Slack marks whole words only, within a line; what is between code marks is taken as it is.
_MARKUP: Final = re.compile(
    r"```(?P<block>.+?)```"
    r"|(?P<sign>:[a-z_]+:)"
    r"|(?<![\w*_~`])(?P<mark>[*_~`])(?P<marked>(?!\s)[^\n]*?(?<!\s))(?P=mark)(?![\w*_~`])",
    flags=re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Span:
    """Some text in one style, "" for plain."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One block: `spans` of a text, `fields` beside each other, or `buttons` with their addresses."""

    spans: tuple[Span, ...] = ()
    fields: tuple[tuple[Span, ...], ...] = ()
    buttons: tuple[tuple[str, str], ...] = ()


def drawn(blocks: Iterable[Mapping[str, Any]]) -> list[Drawn]:
    """The blocks of a message, in order."""
    return [_block(block) for block in blocks]


def _block(block: Mapping[str, Any]) -> Drawn:
    if block["type"] == "actions":
        return Drawn(buttons=tuple((one["text"]["text"], one["url"]) for one in block["elements"]))
    if "fields" in block:
        return Drawn(fields=tuple(spans_of(field["text"]) for field in block["fields"]))
    return Drawn(spans=spans_of(block["text"]["text"]))


def spans_of(text: str) -> tuple[Span, ...]:
    """A text in Slack's markup, taken apart. A style within another one is not told apart."""
    spans: list[Span] = []
    done = 0
    for match in _MARKUP.finditer(text):
        spans.append(Span(_plain(text[done : match.start()])))
        spans.append(_span(match))
        done = match.end()
    spans.append(Span(_plain(text[done:])))
    return tuple(span for span in spans if span.text)


def _span(match: re.Match[str]) -> Span:
    if match["block"]:
        return Span(_plain(match["block"].strip("\n")), "code")
    if match["sign"]:
        return Span(SIGNS.get(match["sign"], match["sign"]))
    return Span(_plain(match["marked"]), STYLES[match["mark"]])


def _plain(text: str) -> str:
    """Text without what `messages.escaped` made of it."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
