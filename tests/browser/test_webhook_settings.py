"""A webhook from its first to its last day in a team's settings, with a hasty hand, in either language."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from automations.models import Webhook
from tests.browser.conftest import OpenPage

if TYPE_CHECKING:
    from projects.models import Team, User
    from tests.receiver import Receiver

SEND = "button:not([type=button])"


@pytest.mark.parametrize(("locale", "width"), [("en", 1280), ("ja", 375)])
def test_a_webhook_is_made_once_tested_changed_and_removed(
    open_page: OpenPage, team: Team, alice: User, receiver: Receiver, *, locale: str, width: int
) -> None:
    page = open_page(alice, locale=locale, viewport={"width": width, "height": 740})
    at = f"/teams/{team.name}/settings/"
    page.goto(at)
    dialog = page.get_by_role("dialog")
    page.locator(f"[hx-get='{at}webhooks/new']").first.click()
    dialog.locator("[name=name]").fill("pager")
    dialog.locator("[name=url]").fill(receiver.url)
    dialog.locator(SEND).dblclick()
    expect(dialog).to_have_count(0)
    webhook = Webhook.objects.get()

    def choose(what: str) -> None:
        opener = page.locator(f"[hx-get='{at}webhooks/{webhook.pk}/{what}']")
        if not opener.is_visible():
            row = page.locator("#webhooks tr").filter(has=opener)
            row.locator("[popovertarget]").click()
        opener.click()
        expect(dialog).to_be_visible()

    choose("test")
    dialog.locator(SEND).dblclick()
    expect(dialog).to_contain_text("200")
    assert len(receiver.requests) == 1
    page.on("dialog", lambda question: question.accept())
    page.keyboard.press("Escape")
    expect(page.locator(f"[hx-get='{at}webhooks/{webhook.pk}/test']")).to_be_focused()

    choose("edit")
    dialog.locator("[name=name]").fill("beeper")
    dialog.locator(SEND).dblclick()
    expect(dialog).to_have_count(0)
    expect(page.locator("#webhooks")).to_contain_text("beeper")

    choose("delete")
    expect(dialog.locator("[data-dialog-close]")).to_be_focused()
    dialog.locator(SEND).dblclick()
    expect(page.locator("#webhooks")).not_to_contain_text("beeper")
    assert not Webhook.objects.exists()
