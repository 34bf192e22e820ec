"""Two admins edit one webhook: the second is told, compares, and either takes what is saved or saves over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from automations.models import Webhook
from registries import upkeep
from tests import factories
from tests.browser.conftest import OpenPage, Witness

if TYPE_CHECKING:
    from projects.models import Team, User
    from registries.models import Registry


@pytest.fixture
def second(open_page: OpenPage, witness: Witness, team: Team, alice: User) -> Page:
    """The dialog of the second admin, who has typed another address; the first has just saved theirs."""
    witness.refusals = {422}
    factories.make_webhook(team, url="https://before.example.com/")
    page = open_page(alice)
    page.goto(f"/teams/{team.name}/settings/")
    page.get_by_role("button", name="More for pager").click()
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_role("dialog").get_by_label("Endpoint URL").fill("https://mine.example.com/")
    Webhook.objects.update(url="https://theirs.example.com/")
    page.get_by_role("dialog").get_by_role("button", name="Save webhook").click()
    expect(page.get_by_role("alert")).to_contain_text("Somebody else saved this while you edited it.")
    row = page.get_by_role("alert").get_by_role("row").filter(has_text="Endpoint URL")
    expect(row.get_by_role("cell")).to_have_text(
        ["Endpoint URL", "https://theirs.example.com/", "https://mine.example.com/"]
    )
    return page


def test_the_second_takes_what_is_saved(second: Page) -> None:
    second.get_by_role("button", name="Take what is saved").click()
    expect(second.get_by_label("Endpoint URL")).to_have_value("https://theirs.example.com/")
    expect(second.get_by_role("alert")).to_have_count(0)


def test_the_second_saves_over_it(second: Page) -> None:
    second.get_by_role("button", name="Save mine instead").click()
    expect(second.locator("#toasts")).to_contain_text("Webhook pager saved.")
    assert Webhook.objects.get().url == "https://mine.example.com/"


def test_who_saves_after_a_rename_keeps_what_they_typed(
    open_page: OpenPage, witness: Witness, registry: Registry, alice: User
) -> None:
    witness.refusals = {422}
    page = open_page(alice)
    page.goto(registry.get_absolute_url())
    page.locator(f"[hx-get='/registries/{registry.pk}/settings']").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Description").fill("Mine.")
    upkeep.change(registry, by=alice, name="best")
    dialog.get_by_role("button", name="Save").click()
    row = page.get_by_role("alert").get_by_role("row").filter(has_text="Name")
    expect(row.get_by_role("cell")).to_have_text(["Name", "best", "models"])
    expect(dialog.get_by_label("Description")).to_have_value("Mine.")
    dialog.get_by_label("Name").fill("best")
    dialog.get_by_role("button", name="Save mine instead").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("best")
    assert page.url.endswith("/registries/acme/best/")
