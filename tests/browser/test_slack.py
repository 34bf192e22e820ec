"""From pasting a bot token to the message in a channel of the workspace, in a real browser (SL1, SL2, UI2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from automations import executions
from automations.models import Execution
from projects import runs
from tests import factories
from tests.browser.wizard import Wizard
from tests.slack import TOKEN, FakeSlack, channel

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from projects.models import Project, Team, User
    from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.django_db(transaction=True)


def add_channel(page: Page) -> None:
    """By the dialog; no address it asks holds the token of its form."""
    dialog = page.get_by_role("dialog")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="Add a channel of Acme").click()
    expect(dialog.get_by_text("151 more fit.")).to_be_visible()
    dialog.get_by_label("Channel", exact=True).press_sequentially("ml-al")
    expect(dialog.get_by_role("radio")).to_have_count(1)
    dialog.get_by_role("radio", name="ml-alerts").check()
    dialog.get_by_role("button", name="Ask Slack again").click()
    expect(dialog.get_by_role("radio", name="ml-alerts")).to_be_checked()
    expect(dialog.get_by_role("radio")).to_have_count(1)
    assert not any("csrf" in address for address in asked)
    dialog.get_by_role("button", name="Add channel").click()


def test_an_admin_connects_slack_and_is_told_of_a_failed_run(
    open_page: OpenPage, alice: User, project: Project, settings: Any
) -> None:
    page = open_page(alice)
    with FakeSlack() as slack:
        slack.serve(settings)
        slack.listed += [channel(f"ml-experiments-{number:03}", f"C9{number:03}") for number in range(200)]
        page.goto("/teams/research/settings/")
        page.get_by_role("button", name="Connect by token").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Bot token").fill(TOKEN)
        dialog.get_by_role("button", name="Connect workspace").click()
        expect(page.get_by_text("Connected to Acme.")).to_be_visible()
        add_channel(page)
        expect(page.get_by_text("Slack channel #ml-alerts added.")).to_be_visible()
        page.get_by_role("button", name="Test #ml-alerts").click()
        expect(page.get_by_text("Slack took the message for #ml-alerts.")).to_be_visible()

        page.goto("/research/digits/automations/new")
        wizard = Wizard(page)
        wizard.choose("Event", "Run state")
        page.get_by_role("checkbox", name="Failed or crashed").check()
        wizard.next()
        wizard.expect_step("What it does")
        wizard.choose("Action", "Slack notification")
        page.get_by_label("Slack channel", exact=True).select_option("#ml-alerts (Acme)")
        page.get_by_label("Severity").select_option("Error")
        page.get_by_label("Title").fill("${run_name} needs you")
        wizard.expect_sentence("When a run fails, post to #ml-alerts in Slack.")
        wizard.next()
        wizard.create()
        expect(page.get_by_text("It has not fired yet.")).to_be_visible()

        run = factories.make_run(project, user=alice, display_name="baseline")
        runs.finish(run, exit_code=1, by=alice, at=timezone.now())
        execution = Execution.objects.get()
        executions.run(execution.pk)
        page.goto(execution.get_absolute_url())
        expect(page.get_by_role("heading", name="Post to #ml-alerts")).to_be_visible()
        expect(page.get_by_text("Slack took the message for #ml-alerts.")).to_be_visible()
        assert slack.messages[-1]["text"].startswith("ERROR: baseline needs you")


def test_the_words_of_a_metric_rule_follow_the_event(open_page: OpenPage, alice: User, team: Team) -> None:
    page = open_page(alice)
    page.goto("/teams/research/automations/new")
    wizard = Wizard(page)
    wizard.choose("Event", "Run metric change")
    page.get_by_label("Metric", exact=True).fill("loss")
    page.get_by_label("Aggregate").select_option("average")
    expect(page.get_by_label("The number of values before")).to_be_visible()
    expect(page.get_by_label("The threshold")).to_be_hidden()
    wizard.choose("Event", "Run metric z-score")
    expect(page.get_by_label("Aggregate")).to_be_hidden()
    page.get_by_label("The side").select_option("above")
    wizard.next()
    wizard.expect_step("What it does")
    wizard.choose("Action", "Do nothing")
    wizard.expect_sentence(
        "When loss is at least 3 standard deviations above the mean of the last 30 other runs,"
        " do nothing but record it."
    )
    wizard.next()
    wizard.create()
    expect(page.get_by_text("It has not fired yet.")).to_be_visible()
