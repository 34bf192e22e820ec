"""Every page against axe-core's rules for WCAG 2.2 AA, in light and dark (UI6).

axe is injected by the test, which the pages' own security policy would refuse: the policy is switched off in this
file, and in no other.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from projects import metrics
from projects.models import Project, User
from registries.models import Registry
from tests import factories
from tests.browser.conftest import OpenPage, Witness, settle
from tests.browser.showcase import Naming, Showcase
from tests.browser.wizard import Wizard
from tests.receiver import Receiver

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])


@pytest.fixture
def context_options(scheme: str) -> dict[str, Any]:
    return {"bypass_csp": True, "color_scheme": scheme}


def violations(page: Page) -> list[str]:
    """What axe finds on the page as it is, one line for each element."""
    settle(page)
    page.evaluate(AXE)
    found = page.evaluate("rules => axe.run(rules)", RULES)["violations"]
    return [f"{page.url} {one['id']}: {one['help']}: {node['html']}" for one in found for node in one["nodes"]]


@SCHEMES
def test_pages_break_no_rule(open_page: OpenPage, alice: User, receiver: Receiver) -> None:
    addresses = Showcase(alice, receiver, Naming()).furnish()
    page = open_page(alice)
    found = []
    for address in addresses.values():
        page.goto(address)
        found += violations(page)

    assert found == []


@SCHEMES
def test_pages_without_anything_on_them_break_no_rule(
    open_page: OpenPage, witness: Witness, alice: User, project: Project, registry: Registry
) -> None:
    witness.refusals = {404}
    home, there = project.get_absolute_url(), registry.get_absolute_url()
    page = open_page(alice)
    found = []
    for address in (
        "/",
        home,
        f"{home}artifacts",
        f"{home}automations",
        f"{home}history",
        there,
        f"{there}automations",
        f"/teams/{project.team.name}/settings/",
        "/nowhere/at/all/",
    ):
        page.goto(address)
        found += violations(page)

    assert found == []


@SCHEMES
def test_sign_in_breaks_no_rule(open_page: OpenPage, alice: User) -> None:
    page = open_page()
    page.goto("/login")
    found = violations(page)
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    found += violations(page)

    assert found == []


@SCHEMES
def test_steps_of_the_form_break_no_rule(open_page: OpenPage, witness: Witness, alice: User, project: Project) -> None:
    """Every event's fields, every step, and each step with errors."""
    witness.refusals = {422}
    factories.make_webhook(project.team)
    run = factories.make_run(project)
    metrics.append(run, metrics.parse(b'[{"loss": 0.7}, {"loss": 0.3}]'), at=timezone.now())
    page = open_page(alice)
    page.goto(f"{project.get_absolute_url()}automations/new")
    wizard = Wizard(page)
    wizard.next()
    expect(page.get_by_text("Choose the event that starts the automation.")).to_be_visible()
    found = violations(page)
    for event in ("New artifact version", "Alias added", "Run metric threshold", "Run state"):
        wizard.choose("Event", event)
        found += violations(page)
    wizard.choose("Event", "Run metric threshold")
    page.get_by_role("combobox", name="Metric").fill("loss")
    expect(page.get_by_role("slider", name="Threshold")).to_be_visible()
    found += violations(page)
    wizard.choose("Event", "Run state")
    page.get_by_label("Run name matches").fill(".")
    expect(page.get_by_text("Matches 1 of 1 run.")).to_be_visible()
    found += violations(page)
    page.get_by_label("Failed or crashed").check()
    wizard.next()
    wizard.expect_step("What it does")
    found += violations(page)
    wizard.next()
    expect(page.get_by_text("Choose the webhook to call.")).to_be_visible()
    found += violations(page)
    wizard.choose("Action", "Do nothing")
    wizard.next()
    wizard.expect_step("What it is called")
    found += violations(page)
    page.get_by_label("Name").fill("")
    wizard.create()
    expect(page.get_by_text("Give it a name")).to_be_visible()
    found += violations(page)

    assert found == []


@SCHEMES
def test_what_floats_breaks_no_rule(open_page: OpenPage, alice: User, project: Project) -> None:
    """Dialogs and menus."""
    factories.make_webhook(project.team)
    factories.make_automation(project, name="Tell the pager")
    page = open_page(alice)
    page.goto(f"/teams/{project.team.name}/settings/")
    found = []
    for opener in ("Create webhook", "Create secret", "Create API key", "Add member", "Test pager"):
        page.get_by_role("button", name=opener).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        found += violations(page)
        page.keyboard.press("Escape")
    page.goto(f"{project.get_absolute_url()}automations")
    for menu in ("More for Tell the pager", "Account of alice", "Team research, switch team"):
        page.get_by_role("button", name=menu).click()
        found += violations(page)
        page.keyboard.press("Escape")

    assert found == []
