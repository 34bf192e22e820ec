"""Somebody who was invited makes an account in the browser, and is in the team (TS1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from projects.models import Role

if TYPE_CHECKING:
    from projects.models import Team, User
    from tests.browser.conftest import OpenPage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requires_service("chromium")]


def test_ts1_somebody_comes_in_by_an_invitation(open_page: OpenPage, team: Team, alice: User) -> None:
    page = open_page(alice)
    page.goto(f"/teams/{team.name}/settings/")
    page.get_by_role("button", name="Invite").click()
    page.get_by_role("button", name="Make invitation").click()
    link = page.locator("#new-invitation").inner_text()

    newcomer = open_page()
    newcomer.goto(f"/{link.partition('://')[2].partition('/')[2]}")
    newcomer.get_by_label("User name").fill("dana")
    newcomer.get_by_label("Password").fill("winter-harbour-lamp-29")
    newcomer.get_by_role("button", name="Create account and join").click()
    expect(newcomer.get_by_text("You are in research now.")).to_be_visible()
    assert team.memberships.get(user__username="dana").role == Role.MEMBER
