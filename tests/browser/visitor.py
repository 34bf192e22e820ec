"""Somebody who reads one language, has a screen of one width and no mouse."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext, ngettext, override
from playwright.sync_api import Locator, Page

from tests.browser import keyboard

# The language and the width of the screen, in pixels.
VISITORS = [("en", 1280), ("ja", 375)]


class Visitor:
    """Finds things by their English words as the catalogues have them in the visitor's language."""

    def __init__(self, page: Page, locale: str) -> None:
        self.page = page
        self.locale = locale

    def words(self, english: str, **values: Any) -> str:
        """What a page says for these words, which are as in the source: `%(name)s` stands for a value."""
        with override(self.locale):
            said = gettext(english)
        return said % values if values else said

    def count(self, one: str, many: str, number: int, **values: Any) -> str:
        """The same, of words that depend on a number."""
        with override(self.locale):
            return ngettext(one, many, number) % {"count": number, **values}

    def find(self, role: Any, english: str, *, within: Locator | None = None, **values: Any) -> Locator:
        """What has this role and exactly this name."""
        return (within or self.page).get_by_role(role, name=self.words(english, **values), exact=True)

    def begins(self, role: Any, english: str, *, within: Locator | None = None) -> Locator:
        """What has this role and a name that begins so."""
        return (within or self.page).get_by_role(role, name=re.compile(f"^{re.escape(self.words(english))}"))

    def field(self, english: str, *, within: Locator | None = None) -> Locator:
        """The field with this label."""
        return (within or self.page).get_by_label(self.words(english), exact=True)

    def press(self, target: Locator, key: str = "Enter") -> None:
        keyboard.press(target, key)

    def write(self, target: Locator, text: str) -> None:
        keyboard.write(target, text)
