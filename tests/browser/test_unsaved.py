"""Leaving a half-filled form asks first, and nothing else does (UI2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Dialog, Page, expect

from automations.models import Automation
from tests import factories
from tests.browser.conftest import OpenPage
from tests.browser.wizard import Wizard

if TYPE_CHECKING:
    from projects.models import Project, User

pytestmark = pytest.mark.django_db(transaction=True)


class Asked:
    """What the browser asked, and what it is told: to stay, unless `leave` is set."""

    def __init__(self, page: Page) -> None:
        self.kinds: list[str] = []
        self.leave = False
        page.on("dialog", self._answer)

    def _answer(self, dialog: Dialog) -> None:
        self.kinds.append(dialog.type)
        if self.leave:
            dialog.accept()
        else:
            dialog.dismiss()


@pytest.fixture
def page(open_page: OpenPage, alice: User, project: Project) -> Page:
    return open_page(alice)


@pytest.fixture
def asked(page: Page) -> Asked:
    return Asked(page)


def begin(page: Page, project: Project) -> Wizard:
    page.goto(f"{project.get_absolute_url()}automations/new")
    wizard = Wizard(page)
    wizard.expect_step("What starts it")
    return wizard


def go_home(page: Page) -> None:
    page.get_by_role("link", name="Home", exact=True).click()


def test_a_form_that_was_not_touched_is_left_without_a_word(page: Page, project: Project, asked: Asked) -> None:
    begin(page, project)
    go_home(page)
    expect(page).to_have_url("/")

    assert asked.kinds == []


def test_a_half_filled_form_is_kept_unless_one_says_so(page: Page, project: Project, asked: Asked) -> None:
    wizard = begin(page, project)
    wizard.choose("Event", "Run state")
    go_home(page)
    expect(page.get_by_role("heading", name="What starts it")).to_be_visible()
    assert asked.kinds == ["beforeunload"]

    asked.leave = True
    go_home(page)
    expect(page).to_have_url("/")


def test_what_was_typed_and_taken_back_is_no_loss(page: Page, project: Project, asked: Asked) -> None:
    automation = factories.make_automation(project)
    page.goto(f"{automation.get_absolute_url()}edit")
    Wizard(page).expect_step("What starts it")
    page.get_by_label("Run name matches").fill("prod")
    page.get_by_label("Run name matches").fill("")
    go_home(page)
    expect(page).to_have_url("/")

    assert asked.kinds == []


def test_steps_lead_on_and_back_without_a_word_and_a_later_one_is_still_half_filled(
    page: Page, project: Project, asked: Asked
) -> None:
    wizard = begin(page, project)
    wizard.choose("Event", "Run state")
    page.get_by_label("Failed or crashed").check()
    wizard.next()
    wizard.expect_step("What it does")
    page.go_back()
    wizard.expect_step("What starts it")
    expect(page.get_by_label("Failed or crashed")).to_be_checked()
    page.go_forward()
    wizard.expect_step("What it does")
    assert asked.kinds == []

    go_home(page)
    expect(page.get_by_role("heading", name="What it does")).to_be_visible()
    assert asked.kinds == ["beforeunload"]


def test_saving_asks_nothing(page: Page, project: Project, asked: Asked) -> None:
    wizard = begin(page, project)
    wizard.choose("Event", "Run state")
    page.get_by_label("Failed or crashed").check()
    wizard.next()
    wizard.expect_step("What it does")
    wizard.choose("Action", "Do nothing")
    wizard.next()
    wizard.expect_step("What it is called")
    wizard.create()
    expect(page.locator("#toasts")).to_contain_text("created.")

    assert asked.kinds == []
    assert Automation.objects.count() == 1


def test_an_edited_automation_is_half_filled_once_it_is_another(page: Page, project: Project, asked: Asked) -> None:
    automation = factories.make_automation(project)
    page.goto(f"{automation.get_absolute_url()}edit")
    wizard = Wizard(page)
    wizard.expect_step("What starts it")
    wizard.next()
    wizard.expect_step("What it does")
    go_home(page)
    expect(page).to_have_url("/")

    assert asked.kinds == []


@pytest.mark.parametrize("way", ["Escape", "Cancel"])
def test_a_dialog_with_something_typed_in_it_is_closed_on_a_second_thought(
    page: Page, project: Project, asked: Asked, way: str
) -> None:
    def close() -> None:
        if way == "Escape":
            page.keyboard.press("Escape")
        else:
            dialog.get_by_role("button", name="Cancel").click()

    page.goto(f"/teams/{project.team.name}/settings/")
    dialog = page.get_by_role("dialog")
    opener = page.get_by_role("button", name="Create secret")
    opener.click()
    expect(dialog).to_be_visible()
    close()
    expect(dialog).to_be_hidden()
    assert asked.kinds == []

    opener.click()
    dialog.get_by_label("Name").fill("TOKEN")
    close()
    assert asked.kinds == ["confirm"]
    expect(dialog.get_by_label("Name")).to_have_value("TOKEN")

    asked.leave = True
    close()
    expect(dialog).to_be_hidden()


def test_a_dialog_that_is_sent_asks_nothing(page: Page, project: Project, asked: Asked) -> None:
    page.goto(f"/teams/{project.team.name}/settings/")
    page.get_by_role("button", name="Create secret").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("TOKEN")
    dialog.get_by_label("Value").fill("canary-value")
    dialog.get_by_role("button", name="Create secret").click()
    expect(page.get_by_role("cell", name="TOKEN", exact=True)).to_be_visible()

    assert asked.kinds == []
