"""Keeping still, in a real browser: an automation is snoozed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from automations.models import Automation
from tests import factories

if TYPE_CHECKING:
    from projects.models import Project, User
    from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_automation_is_snoozed_from_the_list_and_woken_on_its_page(
    open_page: OpenPage, alice: User, project: Project
) -> None:
    automation = factories.make_automation(project, name="Tell us")
    page = open_page(alice)
    page.goto("/research/digits/automations")
    page.get_by_role("button", name="More for Tell us").click()
    page.get_by_role("button", name="Snooze…").click()
    page.get_by_label("Until tomorrow, 9:00").check()
    page.get_by_role("button", name="Snooze", exact=True).click()
    expect(page.get_by_role("row", name="Tell us")).to_contain_text("Snoozed")
    page.get_by_role("link", name="Tell us").click()
    expect(page.get_by_text("what it matches is written down as skipped")).to_be_visible()
    page.get_by_role("button", name="End snooze").click()
    expect(page.get_by_text("is awake")).to_be_visible()
    assert Automation.objects.get(pk=automation.pk).snoozed_until is None
