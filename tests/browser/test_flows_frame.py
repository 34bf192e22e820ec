"""What is around every page, and the way in, in both languages, on a desk and on a phone, by keyboard alone (UI6)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from automations import notices
from automations.models import NoticeKind, Webhook
from projects import invitations, runs
from projects.models import Role, User
from tests import factories
from tests.browser.conftest import settle
from tests.browser.visitor import Visitor

if TYPE_CHECKING:
    from projects.models import Project, Team
    from tests.browser.conftest import OpenPage, Witness

SEARCH = {
    True: "Projects, runs, artifacts, automations",  # on its page
    False: "Search projects, runs, artifacts and automations",
}
NOT_SETTLED = ".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added"
OTHER = {"en": ("ja", "日本語"), "ja": ("en", "English")}


def search(visitor: Visitor, text: str) -> None:
    """By the slash: in the top bar or, where that has no room for a field, on the page of the search."""
    page = visitor.page
    page.wait_for_load_state()
    on_its_page = not page.locator("[data-search]").is_visible()
    page.keyboard.press("/")
    if on_its_page and not page.url.endswith("/search"):
        expect(visitor.find("heading", "Search")).to_be_visible()
        page.wait_for_load_state()
        page.keyboard.press("/")
    field = page.get_by_role("searchbox", name=visitor.words(SEARCH[on_its_page]))
    expect(field).to_be_focused()
    page.keyboard.type(text)
    expect(field).to_have_value(text)
    # What was found for a part of it makes way until then.
    if on_its_page:
        expect(page).to_have_url(re.compile(rf"\?q={re.escape(quote(text, safe=''))}$"))
    else:
        expect(page.locator(".top-all")).to_have_attribute("href", re.compile(rf"\?q={re.escape(quote(text))}$"))
    expect(page.locator(NOT_SETTLED)).to_have_count(0)


def test_the_first_tab_skips_to_the_page_and_a_slash_finds_an_automation_and_a_run(
    visitor: Visitor, project: Project, alice: User
) -> None:
    automation = factories.make_automation(project, name="Loss/guard")
    run = factories.make_run(project, user=alice, display_name="baseline-7")
    page = visitor.page
    page.goto("/research/digits/automations")
    page.keyboard.press("Tab")
    expect(visitor.find("link", "Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()

    search(visitor, "loss/")
    visitor.press(visitor.find("region", "Automations").get_by_role("link", name="Loss/guard"))
    expect(page).to_have_url(re.compile(automation.get_absolute_url()))
    search(visitor, "baseline")
    hit = visitor.find("region", "Runs").get_by_role("link", name="baseline-7")
    expect(hit).to_be_visible()
    if page.locator("[data-search]").is_visible():
        page.keyboard.press("ArrowDown")
        expect(hit).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.locator("[data-search]")).to_be_focused()
        page.keyboard.press("ArrowDown")
    visitor.press(hit)
    expect(page).to_have_url(re.compile(run.get_absolute_url()))
    settle(page)


def test_theme_and_language_are_chosen_in_the_menu_and_hold_after_signing_out_and_in_again(
    visitor: Visitor, alice: User
) -> None:
    page = visitor.page
    body = page.locator("body")

    def choose(visitor: Visitor, button: str) -> None:
        visitor.press(visitor.find("button", "Account of %(name)s", name="alice"))
        visitor.press(page.get_by_role("button", name=button, exact=True))

    page.goto("/")
    light = body.evaluate("body => getComputedStyle(body).backgroundColor")
    choose(visitor, visitor.words("Dark"))
    expect(body).not_to_have_css("background-color", light)
    page.reload()
    expect(body).not_to_have_css("background-color", light)
    choose(visitor, visitor.words("Auto"))
    expect(body).to_have_css("background-color", light)
    page.keyboard.press("Escape")

    locale, language = OTHER[visitor.locale]
    reader = Visitor(page, locale)
    choose(visitor, language)
    expect(reader.find("heading", "Home")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", locale)
    choose(reader, reader.words("Sign out"))
    expect(reader.find("heading", "Sign in")).to_be_visible()
    visitor.press(page.get_by_role("button", name=OTHER[locale][1], exact=True))
    expect(visitor.find("heading", "Sign in")).to_be_visible()

    visitor.write(visitor.field("User name"), "alice")
    visitor.write(visitor.field("Password"), "wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text(
        visitor.words("The user name or the password is wrong. Both distinguish capital from small letters.")
    )
    expect(visitor.field("User name")).to_have_value("alice")
    expect(visitor.field("Password")).to_have_value("")
    visitor.write(visitor.field("Password"), factories.PASSWORD)
    visitor.press(visitor.find("button", "Sign in"))
    expect(visitor.find("heading", "Home")).to_be_visible()


def test_another_team_is_chosen_in_the_side_bar(visitor: Visitor, team: Team) -> None:
    page = visitor.page
    page.goto("/research/")
    navigation = visitor.find("button", "Navigation")
    if navigation.is_visible():
        visitor.press(navigation)
    visitor.press(visitor.find("button", "Team %(name)s, switch team", name="research"))
    visitor.press(page.locator("#team-menu").get_by_role("link", name="alice"))
    expect(page.get_by_role("heading", level=1)).to_have_text("alice")
    expect(page).to_have_url(re.compile("/alice/$"))


def test_notices_are_reached_by_the_bell_and_marked_read(visitor: Visitor, team: Team) -> None:
    page = visitor.page
    for name in ("pager", "mirror"):
        webhook = factories.make_webhook(team, name=name)
        notices.tell(NoticeKind.FAILING, webhook, sentence="The receiver answered 503.", at=timezone.now())
    page.goto("/")
    visitor.press(visitor.find("link", "Notices, %(unread_notices)s unread", unread_notices=2))
    kind = visitor.words("Webhook")
    visitor.press(visitor.find("button", "Mark read: %(subject_kind)s %(subject)s", subject_kind=kind, subject="pager"))
    expect(visitor.find("link", "Notices, %(unread_notices)s unread", unread_notices=1)).to_be_visible()
    expect(page.locator(NOT_SETTLED)).to_have_count(0)
    expect(page.get_by_role("link", name=f"{kind} pager")).to_be_focused()
    visitor.press(visitor.find("button", "Mark all read"))
    expect(visitor.find("link", "Notices")).to_be_visible()
    expect(page.locator(NOT_SETTLED)).to_have_count(0)
    expect(visitor.begins("heading", "All read")).to_be_focused()
    visitor.press(page.get_by_role("link", name=f"{kind} pager"))
    expect(visitor.find("heading", "Team settings")).to_be_visible()


def test_home_says_what_needs_attention_and_how_to_begin_and_leads_there(
    visitor: Visitor, project: Project, alice: User
) -> None:
    page = visitor.page
    run = factories.make_run(project, user=alice, display_name="baseline-7")
    runs.finish(run, exit_code=1, by=alice, at=timezone.now())
    page.goto("/")
    visitor.press(visitor.find("link", "Connect Slack"))
    expect(page).to_have_url(re.compile("/teams/research/settings/#slack$"))
    page.goto("/")
    visitor.press(visitor.find("button", "Hide"))
    expect(visitor.begins("heading", "Get started")).to_have_count(0)
    visitor.press(visitor.find("button", "Show how to get started"))
    expect(visitor.begins("heading", "Get started")).to_be_visible()

    factories.make_webhook(project.team)
    Webhook.objects.update(failing_since=timezone.now(), last_error="The receiver answered 503.")
    page.reload()
    attention = page.get_by_role("region", name=visitor.words("Needs attention"))
    name = visitor.words("Webhook %(name)s", name="pager")
    visitor.press(attention.get_by_role("link", name=f"{visitor.words('Test it')}: {name}"))
    expect(page).to_have_url(re.compile("/teams/research/settings/#webhooks$"))
    visitor.press(visitor.find("button", "Test %(name)s", name="pager"))
    expect(page.get_by_role("dialog")).to_be_visible()


@pytest.mark.usefixtures("bob")
def test_charlie_joins_by_an_invitation_with_an_account_of_his_own(
    open_page: OpenPage, witness: Witness, team: Team, alice: User
) -> None:
    """TS1"""
    witness.refusals = {410, 422}
    link = invitations.invite(team, role=Role.MEMBER, by=alice, at=timezone.now())[1]
    path = f"/{link.partition('://')[2].partition('/')[2]}"
    page = open_page(locale="ja", viewport={"width": 375, "height": 760})
    visitor = Visitor(page, "ja")
    page.goto(path)
    visitor.write(visitor.field("User name"), "charlie")
    visitor.write(visitor.field("Password"), "12345")
    visitor.press(visitor.find("button", "Create account and join"))
    expect(visitor.field("Password")).to_have_attribute("aria-invalid", "true")
    expect(visitor.field("User name")).to_have_value("charlie")
    visitor.write(visitor.field("Password"), "winter-harbour-lamp-29")
    visitor.press(visitor.find("button", "Create account and join"))
    expect(page.locator("#toasts")).to_contain_text(visitor.words("You are in %(team)s now.", team=team))
    assert team.memberships.get(user__username="charlie").role == Role.MEMBER

    page.goto(path)
    expect(visitor.find("heading", "This invitation cannot be used")).to_be_visible()
    visitor.press(visitor.find("link", "Go to the first page"))
    expect(visitor.find("heading", "Home")).to_be_visible()
