"""What comes between somebody and their work: a session that ends, a connection that breaks, a second click."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

from secrets_vault.models import Secret
from tests import factories
from tests.browser.conftest import OpenPage, Witness

if TYPE_CHECKING:
    from projects.models import Project, Team, User

SIGNED_OUT = {"en": "You are signed out.", "ja": "サインアウトしています。"}
UNREACHABLE = "The server did not answer. Check the connection and try again."


def half_filled(page: Page, team: Team, action: str = "Create secret") -> Locator:
    """The dialog for a new secret, with something in it."""
    page.goto(f"/teams/{team.name}/settings/")
    page.get_by_role("button", name=action, exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.locator("[name=name]").fill("DEPLOY_TOKEN")
    dialog.locator("[name=value]").fill("canary")
    return dialog


def send(dialog: Locator) -> None:
    dialog.locator("button:not([type=button])").click()


@pytest.mark.parametrize(
    ("locale", "width", "action"), [("en", 1280, "Create secret"), ("ja", 375, "シークレットを作成")]
)
def test_who_was_signed_out_signs_in_in_another_tab_and_sends_what_they_typed(
    open_page: OpenPage, witness: Witness, team: Team, alice: User, *, locale: str, width: int, action: str
) -> None:
    witness.refusals = {401}
    alice.set_password("an uncommon phrase")
    alice.save()
    page = open_page(alice, locale=locale, viewport={"width": width, "height": 800})
    dialog = half_filled(page, team, action)
    page.context.clear_cookies(name="sessionid")
    send(dialog)
    toasts = dialog.get_by_role("status")
    expect(toasts).to_contain_text(SIGNED_OUT[locale])

    with page.context.expect_page() as opened:
        toasts.get_by_role("link").click()
    tab = opened.value
    tab.locator("[name=username]").fill("alice")
    tab.locator("[name=password]").fill("an uncommon phrase")
    tab.locator("form[action='/login'] button").click()
    tab.wait_for_url("**/")
    tab.close()

    expect(dialog.locator("[name=name]")).to_have_value("DEPLOY_TOKEN")
    send(dialog)
    expect(dialog).to_have_count(0)
    assert Secret.objects.get().name == "DEPLOY_TOKEN"


def test_a_connection_that_breaks_takes_nothing_along(
    open_page: OpenPage, witness: Witness, team: Team, alice: User
) -> None:
    page = open_page(alice)
    dialog = half_filled(page, team)
    page.route("**/*", lambda route: route.abort())
    send(dialog)
    expect(dialog.get_by_role("status")).to_contain_text(UNREACHABLE)
    expect(dialog.get_by_role("button", name="Create secret")).to_be_focused()
    expect(dialog.locator("[name=value]")).to_have_value("canary")

    page.unroute("**/*")
    send(dialog)
    expect(dialog).to_have_count(0)
    assert Secret.objects.count() == 1
    # Chromium and htmx write down what the test provoked.
    witness.complaints = [one for one in witness.complaints if not re.search("ERR_FAILED|sendError|afterRequest", one)]


def test_what_is_said_of_a_broken_connection_goes_when_it_is_back(
    open_page: OpenPage, witness: Witness, project: Project, alice: User
) -> None:
    page = open_page(alice)
    page.goto(factories.make_version(project).get_absolute_url())
    field, toasts = page.get_by_role("textbox", name="Add alias"), page.locator("#toasts")
    field.fill("staging")
    page.route("**/aliases/add", lambda route: route.abort())
    field.press("Enter")
    expect(toasts).to_contain_text(UNREACHABLE)
    expect(field).to_have_value("staging")
    page.unroute("**/aliases/add")
    field.press("Enter")
    expect(page.get_by_role("button", name="Remove alias staging")).to_be_visible()
    expect(toasts.locator(".error")).to_have_count(0)
    witness.complaints = [one for one in witness.complaints if not re.search("ERR_FAILED|sendError|afterRequest", one)]


@pytest.mark.parametrize("pause", [0, 150])
def test_a_double_click_opens_one_dialog_that_gives_the_focus_back(
    open_page: OpenPage, team: Team, alice: User, pause: int
) -> None:
    page = open_page(alice)
    page.goto(f"/teams/{team.name}/settings/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "secrets" in request.url else None)
    button = page.get_by_role("button", name="Create secret")
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert box is not None
    page.mouse.dblclick(box["x"] + 9, box["y"] + 9, delay=pause)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog.locator("[name=name]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(button).to_be_focused()
    assert len(asked) == 1


def test_a_dialog_with_mistakes_in_it_gives_the_focus_back(
    open_page: OpenPage, witness: Witness, team: Team, alice: User
) -> None:
    witness.refusals = {422}
    page = open_page(alice)
    dialog = half_filled(page, team)
    dialog.locator("[name=name]").fill("not-a-name")
    send(dialog)
    expect(dialog.locator("[name=name]")).to_be_focused()
    page.on("dialog", lambda question: question.accept())
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Create secret")).to_be_focused()


def test_a_button_that_came_anew_gets_the_focus(open_page: OpenPage, team: Team, alice: User) -> None:
    page = open_page(alice)
    page.goto(f"/teams/{team.name}/settings/")
    page.get_by_role("button", name="Create API key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("laptop")
    dialog.locator("button:not([type=button])").dblclick()
    expect(dialog).to_contain_text("Copy it now")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Create API key")).to_be_focused()
    assert alice.api_keys.count() == 1


def test_a_replay_says_what_came_between(open_page: OpenPage, witness: Witness, project: Project, alice: User) -> None:
    witness.refusals = {401}
    page = open_page(alice)
    page.goto(factories.make_automation(project).get_absolute_url())
    result, days = page.locator("#replay-result"), page.get_by_role("button", name="7 days")
    page.route("**/replay?*", lambda route: route.abort())
    days.click()
    expect(result).to_have_text(UNREACHABLE)
    page.unroute("**/replay?*")
    days.click()
    expect(result).to_contain_text("in 7 days")
    page.context.clear_cookies(name="sessionid")
    days.click()
    expect(result).to_contain_text(SIGNED_OUT["en"])
    witness.complaints = [one for one in witness.complaints if "ERR_FAILED" not in one]


def test_a_form_that_is_sent_after_signing_in_again_is_taken(
    open_page: OpenPage, project: Project, alice: User
) -> None:
    page = open_page(alice)
    page.goto(f"{project.get_absolute_url()}automations/new")
    page.context.clear_cookies(name="csrftoken")
    page.context.add_cookies([{"name": "csrftoken", "value": "t" * 32, "url": page.url}])
    page.get_by_role("radio", name=re.compile("^Run state")).check()
    page.get_by_role("checkbox", name="Failed or crashed").check()
    page.get_by_role("button", name="Next step").click()
    expect(page.get_by_role("heading", level=2, name="What it does")).to_be_visible()


def test_what_was_asked_for_a_step_is_given_up_when_the_next_one_comes(
    open_page: OpenPage, project: Project, alice: User
) -> None:
    """It would be put where it does not belong."""

    def is_refresh(request: Request) -> bool:
        return "go=refresh" in (request.post_data or "")

    def delay(route: Route) -> None:
        if not is_refresh(route.request):
            route.continue_()

    page = open_page(alice)
    page.goto(f"{project.get_absolute_url()}automations/new?event=RUN_STATE&states=FAILED")
    page.route("**/automations/new", delay)
    with page.expect_request(is_refresh):
        page.get_by_role("checkbox", name="Finished").check()
    with page.expect_event("requestfailed", is_refresh):
        page.get_by_role("button", name="Next step").click()
    expect(page.get_by_role("heading", level=2, name="What it does")).to_be_visible()
