"""The frame and the small script behind it: menus, dialogs, side bar, long names, by keyboard and on a phone."""

import re

from playwright.sync_api import Page, expect

from automations.models import Automation
from projects.models import Project, User
from tests import factories
from tests.browser.conftest import OpenPage

PHONE = {"viewport": {"width": 375, "height": 700}, "has_touch": True, "is_mobile": True}
LONG = "m" * 128


def open_automations(open_page: OpenPage, user: User, project: Project, **options: object) -> Page:
    """The Automations tab of the project, as this user sees it."""
    page = open_page(user, **options)
    page.goto(f"/{project.team.name}/{project.name}/automations")
    return page


def width_needed(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


def test_menu_and_dialog_work_by_keyboard_and_give_the_focus_back(
    open_page: OpenPage, alice: User, project: Project
) -> None:
    """UI6."""
    automation = factories.make_automation(project, name="Tell the pager")
    page = open_automations(open_page, alice, project)
    more = page.get_by_role("button", name="More for Tell the pager")
    more.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("End")
    expect(page.get_by_role("button", name="Delete", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(more).to_be_focused()

    page.keyboard.press("Enter")
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete automation").click()
    expect(page.get_by_role("status").get_by_text("deleted")).to_be_visible()
    assert not Automation.objects.filter(pk=automation.pk).exists()


def test_what_was_found_goes_when_the_focus_does(open_page: OpenPage, alice: User, project: Project) -> None:
    page = open_automations(open_page, alice, project)
    page.keyboard.press("/")
    page.keyboard.type("digits")
    found = page.get_by_role("region", name="Projects")
    expect(found).to_be_visible()
    page.get_by_role("heading", level=1).click()
    expect(found).to_be_hidden()


def test_side_bar_is_a_sheet_on_a_phone(open_page: OpenPage, alice: User, project: Project) -> None:
    """UI6."""
    page = open_automations(open_page, alice, project, **PHONE)
    registries = page.get_by_role("link", name="Registries", exact=True)
    expect(registries).to_be_hidden()
    page.get_by_role("button", name="Navigation").click()
    expect(registries).to_be_visible()
    page.keyboard.press("Escape")
    expect(registries).to_be_hidden()
    page.get_by_role("button", name="Navigation").click()
    registries.click()
    expect(page).to_have_url(re.compile(r"/registries/$"))


def test_longest_names_fit_on_a_phone(open_page: OpenPage, alice: User, project: Project) -> None:
    """UI6: a name of 128 characters widens no page."""
    webhook = factories.make_webhook(project.team, f"https://hooks.example.com/{LONG}", name=LONG[:64])
    automation = factories.make_automation(project, name=LONG, webhook=webhook, description=LONG)
    run = factories.make_run(project, user=alice, display_name=LONG)
    page = open_page(alice, **PHONE)
    for address in (
        "/",
        project.get_absolute_url(),
        run.get_absolute_url(),
        automation.get_absolute_url(),
        f"/{project.team.name}/{project.name}/automations",
        f"/teams/{project.team.name}/settings/",
    ):
        page.goto(address)
        assert width_needed(page) <= 375, address


def test_on_a_phone_names_and_words_of_the_way_stay_clear_of_the_search(
    open_page: OpenPage, alice: User, project: Project
) -> None:
    """However long they are: a long name, and words of the page's own that leave no room for it."""
    automation = factories.make_automation(project, name=LONG)
    page = open_page(alice, **PHONE)
    for address in (automation.get_absolute_url(), f"{automation.get_absolute_url()}replay", "/automations/new"):
        page.goto(address)
        way = page.get_by_role("navigation", name="Breadcrumb").get_by_role("listitem").last.bounding_box()
        search = page.locator(".top-search").bounding_box()
        assert way is not None
        assert search is not None
        assert way["x"] + way["width"] + 8 <= search["x"], address
