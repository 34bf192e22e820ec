"""What the rules say, in the reader's language: rules are pure, so Django's translations are handed to them at start.

Without any, as in a program that only wants to evaluate conditions, they speak English.
"""

from __future__ import annotations

from collections.abc import Callable

_translate: Callable[[str], str] = str


def translate_with(translate: Callable[[str], str]) -> None:
    """From now on, words are what this makes of them."""
    global _translate  # noqa: PLW0603 - set once, when the application starts
    _translate = translate


def gettext(text: str) -> str:
    return _translate(text)


def named(name: str) -> str:
    """A name as the subject of a sentence: where words are not set apart by spaces, one follows it."""
    return gettext("%(name)s") % {"name": name}


def gettext_noop(text: str) -> str:
    """Mark a text that is translated later, where it is said."""
    return text
