"""The runs table: what is asked of values, and which values are shown, without a reload."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.browser.conftest import OpenPage

if TYPE_CHECKING:
    from projects.models import Project, User

pytestmark = pytest.mark.django_db(transaction=True)


def test_values_are_asked_of_and_chosen_and_the_choice_is_kept(
    open_page: OpenPage, project: Project, alice: User
) -> None:
    for name, loss in (("low", 0.1), ("middle", 0.5), ("high", 9)):
        factories.make_run(project, user=alice, display_name=name, summary={"loss": loss}, config={"lr": loss})
    page = open_page(alice)
    page.goto(f"{project.get_absolute_url()}runs")
    field = page.get_by_label("Only runs with a value")
    field.fill("loss < 1")
    field.press("Enter")
    expect(page.get_by_role("link", name="high")).to_have_count(0)
    expect(field).to_have_value("")
    field.fill("config:lr > 0.2")
    field.press("Enter")
    expect(page.get_by_role("link", name="low")).to_have_count(0)
    expect(page.get_by_role("link", name="middle")).to_be_visible()
    expect(page).to_have_url(re.compile(r"where=config%3Alr.*where=loss"))

    field.fill("loss < five")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("is no number")
    expect(field).to_have_value("loss < five")

    page.get_by_role("button", name="Columns").click()
    page.get_by_role("checkbox", name="config:lr").check()
    expect(page.get_by_role("columnheader", name="config:lr")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Leave out loss < 1").click()
    expect(page.get_by_role("link", name="high")).to_be_visible()
    page.goto(f"{project.get_absolute_url()}runs")
    expect(page.get_by_role("columnheader", name="config:lr")).to_be_visible()
