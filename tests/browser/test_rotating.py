"""Rotating a secret in its dialog while another admin does, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from playwright.sync_api import Page, expect

from secrets_vault import secrets
from secrets_vault.models import Secret
from tests import factories
from tests.browser.conftest import OpenPage, Witness

if TYPE_CHECKING:
    from projects.models import Team, User

NEW = "canary-new-value-8841"


def open_dialog(page: Page, team: Team) -> None:
    page.goto(f"/teams/{team.name}/settings/")
    page.get_by_role("button", name="Rotate DEPLOY_TOKEN").click()
    expect(page.get_by_role("dialog", name="Rotate secret DEPLOY_TOKEN")).to_be_visible()


def test_the_second_of_two_who_rotate_is_told(open_page: OpenPage, witness: Witness, team: Team, alice: User) -> None:
    """Neither value is written over by somebody who does not know of it."""
    witness.refusals = {422}
    secret = factories.make_secret(team, "DEPLOY_TOKEN", "canary-old-value-1207")
    page = open_page(alice)
    open_dialog(page, team)
    secrets.rotate(secret, value="canary-of-the-first", by=alice, at=timezone.now())
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Value", exact=True).fill(NEW)
    dialog.get_by_role("button", name="Rotate secret").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Somebody else rotated DEPLOY_TOKEN meanwhile")
    assert Secret.objects.get().value == "canary-of-the-first"
