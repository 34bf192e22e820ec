"""UI6: pages in Japanese break no rule of accessibility, fit on every screen, and have no English left that is ours."""

from __future__ import annotations

from typing import Any

import pytest

from automations_site import collecting
from automations_site.catalogues import APPLICATIONS, catalogue_of
from projects.models import User
from tests.browser.conftest import OpenPage, settle
from tests.browser.showcase import Naming, Showcase
from tests.browser.test_accessibility import violations
from tests.browser.test_keyboard_and_phone import DESK, PHONE, too_wide
from tests.receiver import Receiver

# All that is read: texts, and the attributes that screen readers and phones say. Code is English, and what would be
# posted is in the language of its team.
READ = """() => {
  const apart = "script, style, code, pre, template, textarea, .mono, .name, .slack-message";
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement, textContent } = walker.currentNode;
    if (!parentElement.closest(apart)) found.push(textContent);
  }
  for (const name of ["aria-label", "title", "placeholder", "data-label"]) {
    for (const one of document.querySelectorAll(`[${name}]`)) found.push(one.getAttribute(name));
  }
  return [...new Set(found.map((text) => text.trim().replace(/\\s+/g, " ")))];
}"""
ENGLISH_PAGES = {"design"}
# Like an example of ours, but typed by somebody.
TYPED = {"${run_name} needs you"}


@pytest.fixture
def context_options() -> dict[str, Any]:
    return {"bypass_csp": True, "locale": "ja"}


def english() -> set[str]:
    """Messages that are something else in Japanese. Texts of one word may be somebody's name for something."""
    found = set()
    for application in APPLICATIONS:
        for message in collecting.read(catalogue_of(application)):
            texts = {*collecting.texts(message.id)} - {*collecting.texts(message.string)}
            found |= {text for text in texts if " " in text and "%(" not in text}
    return found


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
def test_pages_in_japanese_are_whole(
    open_page: OpenPage, alice: User, receiver: Receiver, screen: dict[str, Any]
) -> None:
    addresses = Showcase(alice, receiver, Naming()).furnish()
    page = open_page(alice, **screen)
    known = english()
    found = []
    for name, address in addresses.items():
        if name in ENGLISH_PAGES:
            continue
        page.goto(address)
        settle(page)
        assert page.locator("html").get_attribute("lang") == "ja"
        found += [f"{address}: {text}" for text in page.evaluate(READ) if text in known - TYPED]
        found += too_wide(page, at_most=screen["viewport"]["width"])
        found += violations(page)

    assert found == []
