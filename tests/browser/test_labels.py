"""Aliases and tags of a version, changed in place with the keyboard alone (UI5, UI6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from registries import labels
from tests import factories
from tests.browser.conftest import OpenPage, Witness

if TYPE_CHECKING:
    from projects.models import Project, User

pytestmark = pytest.mark.django_db(transaction=True)


def test_labels_are_added_taken_back_and_refused_without_a_mouse(
    open_page: OpenPage, witness: Witness, project: Project, alice: User
) -> None:
    witness.refusals = {422}
    older, version = (factories.make_version(project, "model", user=alice) for _ in range(2))
    labels.add_alias(older, "production", by=alice, at=older.created_at)
    page = open_page(alice)
    page.goto(version.get_absolute_url())
    said = page.locator("#labels-said")

    alias = page.get_by_label("Add alias", exact=True)
    alias.focus()
    page.keyboard.type("staging")
    page.keyboard.press("Enter")
    expect(said).to_contain_text("staging added.")
    # The focus is where the next one is typed.
    expect(alias).to_be_focused()
    page.keyboard.type("production")
    page.keyboard.press("Enter")
    expect(said).to_contain_text("production moved here from v0.")

    page.get_by_role("button", name="Remove alias staging").focus()
    page.keyboard.press("Enter")
    expect(said).to_contain_text("staging removed.")
    expect(page.get_by_role("button", name="Remove alias staging")).to_have_count(0)
    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Remove alias staging")).to_be_visible()

    tag = page.get_by_label("Add tag", exact=True)
    tag.focus()
    page.keyboard.type("no/tag")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("cannot be a tag")
    expect(tag).to_have_value("no/tag")
    expect(tag).to_be_focused()
    assert list(version.aliases.order_by("name").values_list("name", flat=True)) == ["production", "staging"]


def test_the_lineage_is_walked_with_the_keyboard(open_page: OpenPage, project: Project, alice: User) -> None:
    run = factories.make_run(project, user=alice, display_name="train")
    version = factories.make_version(project, "model", user=alice, run=run)
    page = open_page(alice)
    page.goto(version.get_absolute_url())
    graph = page.get_by_role("group", name="Lineage of model:v0")
    graph.get_by_role("link", name="train").focus()
    page.keyboard.press("Tab")
    expect(graph.get_by_role("link", name="model:v0")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("train")
