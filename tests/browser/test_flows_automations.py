"""What one does with automations, in both languages, on a desk and on a phone, by keyboard alone (UI1–UI5, UI6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from automations.models import Automation
from tests import factories

if TYPE_CHECKING:
    from projects.models import Project
    from tests.browser.visitor import Visitor


def test_an_automation_is_deleted_from_the_list(visitor: Visitor, project: Project) -> None:
    factories.make_automation(project, name="Tell us")
    page = visitor.page
    page.goto("/research/digits/automations")
    visitor.press(visitor.find("button", "More for %(name)s", name="Tell us"))
    visitor.press(visitor.begins("button", "Delete"))
    dialog = page.get_by_role("dialog")
    visitor.press(visitor.find("button", "Delete automation", within=dialog))
    expect(page.get_by_role("row", name="Tell us")).to_have_count(0)
    assert not Automation.objects.exists()
