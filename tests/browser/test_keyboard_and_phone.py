"""Without a mouse, and on the smallest screen, where no page may be wider than the screen (UI6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests import factories
from tests.browser.conftest import OpenPage, settle
from tests.browser.showcase import Naming, Showcase
from tests.browser.wizard import Wizard
from tests.receiver import Receiver

if TYPE_CHECKING:
    from projects.models import Project, User

PHONE = {"viewport": {"width": 375, "height": 760}, "has_touch": True, "is_mobile": True}
DESK = {"viewport": {"width": 1280, "height": 800}}
# What sticks out of the page to the right and is not inside something that scrolls by itself.
STICKS_OUT = """() => {
  const inside = (element) => {
    for (let one = element.parentElement; one; one = one.parentElement) {
      if (/auto|scroll|hidden|clip/.test(getComputedStyle(one).overflowX)) return true;
    }
    return false;
  };
  return [...document.body.querySelectorAll("*")]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !inside(one))
    .map((one) => one.outerHTML.slice(0, 120));
}"""

# What is tapped and lower than a finger needs. Words within a sentence are not measured, nor are boxes that their label
# makes larger.
TOO_LOW = """(least) => [...document.querySelectorAll("#main :is(.button, .tabs a, summary, select, textarea, input)")]
  .filter((one) => one.checkVisibility() && !/checkbox|radio/.test(one.type) && !one.closest(".visually-hidden"))
  .filter((one) => Math.round(one.getBoundingClientRect().height) < least)
  .map((one) => one.outerHTML.slice(0, 120))"""


def too_wide(page: Page, *, at_most: int) -> list[str]:
    """Nothing, or how wide the page is and what makes it so."""
    settle(page)
    width = int(page.evaluate("document.scrollingElement.scrollWidth"))
    return [f"{page.url} is {width} px wide", *page.evaluate(STICKS_OUT)] if width > at_most else []


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("long", [False, True], ids=["plain", "longest"])
def test_no_page_scrolls_sideways(
    open_page: OpenPage, alice: User, receiver: Receiver, screen: dict[str, dict[str, int]], long: bool
) -> None:
    """UI6: also with names of the greatest length, in Japanese and without a place to break."""
    addresses = Showcase(alice, receiver, Naming(long=long)).furnish()
    page = open_page(alice, **screen)
    found = []
    for address in addresses.values():
        page.goto(address)
        found += too_wide(page, at_most=screen["viewport"]["width"])

    assert found == []


def test_what_is_tapped_on_a_phone_is_high_enough_for_a_finger(
    open_page: OpenPage, alice: User, receiver: Receiver
) -> None:
    addresses = Showcase(alice, receiver, Naming()).furnish()
    page = open_page(alice, **PHONE)
    found = []
    for name, address in addresses.items():
        if name != "design":
            page.goto(address)
            settle(page)
            found += [f"{name}: {one}" for one in page.evaluate(TOO_LOW, 40)]

    assert found == []


def test_the_open_tab_is_in_sight_on_a_phone(open_page: OpenPage, project: Project, alice: User) -> None:
    page = open_page(alice, **PHONE, locale="ja")
    page.goto("/research/digits/history")
    tabs = page.locator(".tabs")
    expect(tabs.locator("[aria-current]")).to_be_in_viewport(ratio=1)
    assert page.evaluate("scrollY") == 0


def test_tables_are_cards_on_a_phone_that_name_each_value(open_page: OpenPage, alice: User, receiver: Receiver) -> None:
    """UI6: without the heads of columns a cell says what it is, and what it leads to can be touched."""
    addresses = Showcase(alice, receiver, Naming()).furnish()
    page = open_page(alice, **PHONE)
    page.goto(addresses["history"])
    card = page.get_by_role("row").filter(has_text="Loss guard").filter(has_not_text="redelivery")
    card.scroll_into_view_if_needed()
    for text in ("Failed", "Run metric threshold", "The receiver answered 403 Forbidden."):
        expect(card.get_by_text(text).first).to_be_in_viewport(ratio=1)
    labels = card.locator("td[data-label]").evaluate_all(
        "cells => cells.map((cell) => getComputedStyle(cell, '::before').content)"
    )
    assert labels == ['"Status"', '"Automation"', '"Event"', '"Result"', '"Took"']
    card.get_by_role("link", name="Loss guard").tap()
    expect(page.get_by_role("heading", level=1, name="Loss guard")).to_be_visible()


def test_whole_form_fits_on_a_phone(open_page: OpenPage, alice: User, project: Project) -> None:
    """UI6: all steps of the form, with every event's fields."""
    factories.make_webhook(project.team)
    page = open_page(alice, **PHONE)
    page.goto("/research/digits/automations/new")
    wizard = Wizard(page)
    found = []
    for event in ("New artifact version", "Alias added", "Run metric threshold", "Run state"):
        wizard.choose("Event", event)
        found += too_wide(page, at_most=375)
    page.get_by_label("Failed or crashed").check()
    for title in ("What it does", "What it is called"):
        wizard.next()
        wizard.expect_step(title)
        found += too_wide(page, at_most=375)
        if title == "What it does":
            page.get_by_role("combobox", name="Webhook", exact=True).select_option(index=1)

    assert found == []


def test_dialogs_fit_on_a_phone(open_page: OpenPage, alice: User, project: Project) -> None:
    factories.make_webhook(project.team)
    page = open_page(alice, **PHONE)
    page.goto("/teams/research/settings/")
    for opener in ("Create webhook", "Create secret", "Create API key", "Add member", "Test pager"):
        page.get_by_role("button", name=opener).click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        box = dialog.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 375
        assert too_wide(page, at_most=375) == []
        dialog.get_by_role("button", name="Cancel").click()
        expect(dialog).to_be_hidden()


def test_a_dialog_that_scrolls_begins_at_its_first_field(open_page: OpenPage, alice: User, project: Project) -> None:
    factories.make_webhook(project.team)
    page = open_page(alice, **PHONE)
    page.goto("/teams/research/settings/")
    page.get_by_role("button", name="More for pager").click()
    page.get_by_role("button", name="Edit", exact=True).click()
    expect(page.get_by_role("dialog").get_by_label("Name")).to_be_focused()
