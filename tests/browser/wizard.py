"""Somebody who fills in an automation's form with a mouse, in any browser page."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect


class Wizard:
    """The three steps, by what they say rather than by how they are built."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def choose(self, group: str, option: str) -> None:
        """Choose the card of the group (Event, Action) whose title this is."""
        cards = self.page.get_by_role("group", name=group, exact=True)
        cards.get_by_role("radio", name=re.compile(f"^{re.escape(option)}")).check()

    def next(self) -> None:
        self.page.get_by_role("button", name="Next step").click()

    def back(self) -> None:
        self.page.get_by_role("button", name="Back").click()

    def create(self) -> None:
        self.page.get_by_role("button", name="Create automation").click()

    def expect_step(self, title: str) -> None:
        """Wait for the step that is headed like this, and for htmx to listen to its fields."""
        expect(self.page.get_by_role("heading", level=2, name=title)).to_be_visible()
        expect(self.page.locator(".htmx-swapping, .htmx-settling, .htmx-added")).to_have_count(0)

    def expect_sentence(self, text: str) -> None:
        """Wait for the sentence to have grown so far."""
        expect(self.sentence).to_have_text(text)

    @property
    def sentence(self) -> Locator:
        return self.page.get_by_text(re.compile(r"^\s*When\b.*,.*\.\s*$", re.DOTALL)).first

    @property
    def payload(self) -> Locator:
        return self.page.get_by_role("textbox", name="Payload")
