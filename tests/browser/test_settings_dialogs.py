"""Every dialog of a team's settings, and of what is in it, opened and left by keyboard, on a screen of any width."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.browser.conftest import OpenPage

if TYPE_CHECKING:
    from projects.models import Team, User

OVERFLOW = "element => element.scrollWidth - element.clientWidth"
OPENERS = 'main button[hx-get][hx-target="#dialogs"]'
BEGINS_WITH_A_FIELD = "input:not([type=hidden], [hidden]), select, textarea"


@pytest.mark.parametrize(("locale", "width"), [("en", 1280), ("ja", 375)])
def test_each_dialog_begins_at_its_first_field_fits_and_gives_the_focus_back(
    open_page: OpenPage, team: Team, alice: User, bob: User, *, locale: str, width: int
) -> None:
    token = factories.make_secret(team, "DEPLOY_TOKEN", "canary")
    factories.make_webhook(team, access_token=token)
    factories.make_slack_channel(team, "ml-alerts")
    factories.make_api_key(alice)
    page = open_page(alice, locale=locale, viewport={"width": width, "height": 740})
    page.goto(f"/teams/{team.name}/settings/")
    dialog = page.get_by_role("dialog")
    seen = 0
    for opener in page.locator(OPENERS).all():
        if not opener.is_visible():
            continue  # in a menu
        opener.press("Enter")
        expect(dialog).to_be_visible()
        assert dialog.evaluate(OVERFLOW) == 0
        danger, field = dialog.locator(".button.danger"), dialog.locator(BEGINS_WITH_A_FIELD)
        if field.count():
            expect(field.first).to_be_focused()
        elif danger.count():
            expect(dialog.locator("[data-dialog-close]")).to_be_focused()
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        expect(opener).to_be_focused()
        seen += 1
    assert seen > 12
