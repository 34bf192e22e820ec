"""What people do wrong, and what the pages say then: beside the field, with everything typed still there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect

from automations.models import Automation, Webhook
from projects import teams
from projects.models import Role
from secrets_vault.models import Secret
from tests import factories
from tests.browser.conftest import OpenPage, Witness
from tests.browser.keyboard import press
from tests.browser.wizard import Wizard

if TYPE_CHECKING:
    from projects.models import Project, Team, User

METADATA_SERVICE = "http://169.254.169.254/latest/meta-data/"


@pytest.fixture(autouse=True)
def refusals(witness: Witness) -> None:
    """Forms with errors are answered with 422, which Chromium notes in the console."""
    witness.refusals = {422}


@pytest.fixture
def settings_page(open_page: OpenPage, alice: User, team: Team) -> Page:
    """Team settings, as their admin sees them."""
    page = open_page(alice)
    page.goto("/teams/research/settings/")
    return page


@pytest.fixture
def wizard(open_page: OpenPage, alice: User, project: Project) -> Wizard:
    """A new automation of the project, as an admin begins it."""
    page = open_page(alice)
    page.goto("/research/digits/automations/new")
    return Wizard(page)


def expect_refused(field: Locator, reason: str) -> None:
    """The field is marked, and its description, which screen readers read out, says why."""
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile(reason))


def choose_failed_runs(wizard: Wizard) -> None:
    wizard.choose("Event", "Run state")
    wizard.page.get_by_label("Failed or crashed").check()


def test_webhook_to_a_refused_address_says_which_rule_and_keeps_what_was_typed(settings_page: Page) -> None:
    """WH9"""
    page = settings_page
    page.get_by_role("button", name="Create webhook").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("metadata")
    dialog.get_by_label("Endpoint URL").fill(METADATA_SERVICE)
    dialog.get_by_role("button", name="Create webhook").click()
    expect_refused(dialog.get_by_label("Endpoint URL"), r"169\.254\.169\.254.*WEBHOOK_ALLOWED_NETWORKS")
    expect(dialog.get_by_label("Name")).to_have_value("metadata")
    expect(dialog.get_by_label("Endpoint URL")).to_have_value(METADATA_SERVICE)

    assert not Webhook.objects.exists()


def test_taken_name_of_a_secret_is_said_beside_it_and_the_value_must_be_typed_again(
    settings_page: Page, team: Team
) -> None:
    """SE1: a value does not come back, not even into the form."""
    factories.make_secret(team, "TOKEN", "first-value")
    page = settings_page
    page.get_by_role("button", name="Create secret").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("TOKEN")
    dialog.get_by_label("Value").fill("second-value")
    dialog.get_by_role("button", name="Create secret").click()
    expect_refused(dialog.get_by_label("Name"), "already")
    expect(dialog.get_by_label("Value")).to_have_value("")

    assert Secret.objects.count() == 1


def test_test_call_refuses_what_is_not_json(settings_page: Page, team: Team) -> None:
    """WH4"""
    factories.make_webhook(team)
    page = settings_page
    page.reload()
    page.get_by_role("button", name="Test pager").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Payload").fill('{"text": ')
    dialog.get_by_role("button", name="Send test").click()
    expect_refused(dialog.get_by_label("Payload"), "JSON")
    expect(dialog.get_by_label("Payload")).to_have_value('{"text": ')


def test_each_step_says_what_it_needs(wizard: Wizard, project: Project) -> None:
    factories.make_webhook(project.team)
    page = wizard.page
    wizard.next()
    expect(page.get_by_text("Choose the event that starts the automation.")).to_be_visible()
    wizard.choose("Event", "Run metric threshold")
    wizard.next()
    expect(page.get_by_text("The metric is missing; write the key under which it is logged.")).to_be_visible()
    expect(page.get_by_text("The threshold is missing; write a number.")).to_be_visible()
    choose_failed_runs(wizard)
    wizard.next()
    wizard.expect_step("What it does")
    wizard.next()
    expect_refused(page.get_by_role("combobox", name="Webhook", exact=True), "Choose the webhook to call.")
    wizard.choose("Action", "Do nothing")
    wizard.next()
    page.get_by_label("Name").fill("")
    wizard.create()
    expect_refused(page.get_by_label("Name"), "Give it a name")

    assert not Automation.objects.exists()


@pytest.mark.parametrize("pattern", ["(?=prod)", "(unclosed", r"(a)\1"])
def test_pattern_that_cannot_run_in_linear_time_is_refused(wizard: Wizard, pattern: str) -> None:
    """EV10: with the reason that RE2 gives"""
    choose_failed_runs(wizard)
    field = wizard.page.get_by_label("Run name matches")
    field.fill(pattern)
    wizard.next()
    expect_refused(field, "RE2 cannot run this pattern: .+")
    expect(field).to_have_value(pattern)


def test_payload_that_is_not_json_is_refused_and_told_while_typing(wizard: Wizard, project: Project) -> None:
    factories.make_webhook(project.team)
    choose_failed_runs(wizard)
    wizard.next()
    wizard.page.get_by_role("combobox", name="Webhook", exact=True).select_option(index=1)
    wizard.payload.fill('{"text": "${run_name}"')
    expect(wizard.page.get_by_text(re.compile("not JSON"))).to_be_visible()
    # What dragging its corner does. The policy of the page forbids htmx to carry it over to the next state.
    wizard.payload.evaluate("area => { area.style.height = '300px' }")
    wizard.next()
    expect_refused(wizard.payload, "not JSON")
    expect(wizard.payload).to_have_value('{"text": "${run_name}"')


def test_taken_name_of_an_automation_is_said_beside_it(wizard: Wizard, project: Project) -> None:
    """SC2"""
    factories.make_automation(project, name="Tell the pager")
    fill_to_the_name(wizard, "Tell the pager")
    wizard.create()
    expect_refused(wizard.page.get_by_label("Name"), "There is an automation “Tell the pager”")

    assert Automation.objects.count() == 1


def fill_to_the_name(wizard: Wizard, name: str) -> None:
    """Everything that an automation needs, but for the last button."""
    choose_failed_runs(wizard)
    wizard.next()
    wizard.choose("Action", "Do nothing")
    wizard.next()
    wizard.page.get_by_label("Name").fill(name)


def test_double_click_creates_one_automation(wizard: Wizard) -> None:
    fill_to_the_name(wizard, "Twice")
    wizard.page.get_by_role("button", name="Create automation").dblclick()
    expect(wizard.page.get_by_role("heading", level=1, name="Twice")).to_be_visible()

    assert Automation.objects.count() == 1


def test_leaving_and_coming_back_or_reloading_loses_nothing(wizard: Wizard) -> None:
    """UI2"""
    page = wizard.page
    fill_to_the_name(wizard, "Kept")
    wizard.back()
    wizard.expect_step("What it does")
    wizard.next()
    expect(page.get_by_label("Name")).to_have_value("Kept")
    page.reload()
    expect(page.get_by_label("Name")).to_have_value("Kept")
    page.get_by_role("link", name="Home").click()
    expect(page.get_by_role("heading", level=1, name="Home")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Name")).to_have_value("Kept")
    page.go_back()
    wizard.expect_step("What it does")
    wizard.next()
    wizard.create()
    expect(page.get_by_role("heading", level=1, name="Kept")).to_be_visible()
    page.go_back()
    page.reload()

    assert Automation.objects.count() == 1


def test_second_of_two_admins_is_told_what_the_first_has_changed(
    open_page: OpenPage, alice: User, bob: User, project: Project
) -> None:
    teams.set_role(bob, team=project.team, role=Role.ADMIN)
    automation = factories.make_automation(project, name="Tell the pager", description="First")
    hers, his = open_page(alice), open_page(bob)
    for page in (hers, his):
        page.goto(f"/automations/{automation.pk}/edit")
        page.get_by_role("link", name="Name").click()
    for page, description in ((hers, "Hers"), (his, "His")):
        page.get_by_label("Description").fill(description)
        page.get_by_role("button", name="Save changes").click()
        if page is hers:
            expect(page.locator("#toasts")).to_contain_text("saved")
    warning = his.get_by_role("alert")
    expect(warning).to_contain_text("Somebody else saved this while you edited it.")
    expect(warning.get_by_role("row", name=re.compile("Description.*Hers.*His"))).to_be_visible()
    automation.refresh_from_db()
    assert automation.description == "Hers"

    his.get_by_role("button", name="Save mine instead").click()
    expect(his.locator("#toasts")).to_contain_text("saved")
    automation.refresh_from_db()
    assert automation.description == "His"


def test_deleting_is_confirmed_and_can_be_done_by_keyboard(open_page: OpenPage, alice: User, project: Project) -> None:
    automation = factories.make_automation(project, name="Tell the pager")
    page = open_page(alice)
    page.goto(automation.get_absolute_url())
    press(page.get_by_role("button", name="More for Tell the pager"))
    press(page.get_by_role("button", name="Delete", exact=True))
    dialog = page.get_by_role("dialog", name="Delete “Tell the pager”?")
    expect(dialog).to_contain_text("What it did so far stays in the history.")
    press(dialog.get_by_role("button", name="Cancel"))
    expect(dialog).to_be_hidden()
    assert Automation.objects.filter(pk=automation.pk).exists()

    press(page.get_by_role("button", name="More for Tell the pager"))
    press(page.get_by_role("button", name="Delete", exact=True))
    press(dialog.get_by_role("button", name="Delete automation"))
    expect(page.locator("#toasts")).to_contain_text("deleted")
    assert not Automation.objects.exists()


def test_forgotten_address_says_what_to_do(open_page: OpenPage, witness: Witness, alice: User) -> None:
    witness.refusals = {404}
    page = open_page(alice)
    page.goto("/nowhere/at/all/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.get_by_role("main").get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1, name="Home")).to_be_visible()
