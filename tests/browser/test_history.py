"""The history of a project while one looks at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests import factories
from tests.browser.conftest import OpenPage

if TYPE_CHECKING:
    from projects.models import Project, User

COME_BACK = "document.dispatchEvent(new Event('visibilitychange'))"


def look_again(page: Page) -> None:
    """As if somebody came back to the tab: what is live is asked for at once."""
    with page.expect_response(lambda response: response.request.headers.get("hx-target") == "executions"):
        page.evaluate(COME_BACK)


@pytest.mark.parametrize(("locale", "width"), [("en", 1280), ("ja", 375)])
def test_an_execution_appears_by_itself_unless_somebody_chooses(
    open_page: OpenPage, alice: User, project: Project, *, locale: str, width: int
) -> None:
    automation = factories.make_automation(project, name="Tell the pager")
    page = open_page(alice, locale=locale, viewport={"width": width, "height": 740})
    page.goto(f"{project.get_absolute_url()}history")
    expect(page.locator(".tabs [aria-current=page]")).to_be_in_viewport(ratio=1)
    rows = page.locator("#executions tbody tr")
    expect(rows).to_have_count(0)

    factories.make_execution(automation, status="finished")
    look_again(page)
    expect(rows).to_have_count(1)

    rows.get_by_role("checkbox").check()
    rows.get_by_role("checkbox").blur()
    factories.make_execution(automation, status="finished")
    page.evaluate(COME_BACK)
    expect(rows).to_have_count(1)
    expect(page.locator("[data-pick-count]")).to_have_text("1")
    rows.get_by_role("checkbox").uncheck()
    rows.get_by_role("checkbox").blur()
    look_again(page)
    expect(rows).to_have_count(2)
