"""Keeping still, in a real browser: a channel is limited, a breaker closed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from automations.models import ReasonCode, SlackChannel, Status, Webhook
from tests import factories

if TYPE_CHECKING:
    from projects.models import Project, User
    from tests.browser.conftest import OpenPage, Witness

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_channel_is_limited_in_a_dialog(open_page: OpenPage, witness: Witness, alice: User, project: Project) -> None:
    witness.refusals.add(422)
    factories.make_slack_channel(project.team)
    page = open_page(alice)
    page.goto("/teams/research/settings/")
    page.get_by_role("button", name="Limits of #ml-alerts", exact=True).click()
    page.get_by_label("Messages an hour").fill("20")
    page.get_by_label("Quiet from").fill("22:00")
    page.get_by_role("button", name="Save limits").click()
    expect(page.get_by_text("Quiet hours have a beginning and an end")).to_be_visible()
    expect(page.get_by_label("Messages an hour")).to_have_value("20")
    page.get_by_label("Quiet until").fill("07:00")
    page.get_by_role("button", name="Save limits").click()
    expect(page.get_by_text("At most 20 messages an hour")).to_be_visible()
    assert SlackChannel.objects.get().quiet_days == "01234"


def test_an_open_breaker_is_seen_and_closed(open_page: OpenPage, alice: User, project: Project) -> None:
    """WH8"""
    webhook = factories.make_webhook(project.team)
    now = timezone.now()
    due = now + timedelta(minutes=4)
    Webhook.objects.update(
        breaker_opened_at=now, next_probe_at=due, failures_in_a_row=12, last_error="The receiver answered 503."
    )
    automation = factories.make_automation(project, webhook=webhook)
    held = factories.make_execution(
        automation, status=Status.PENDING, reason_code=ReasonCode.BREAKER_OPEN, next_attempt_at=due
    )
    page = open_page(alice)
    page.goto(held.get_absolute_url())
    expect(page.get_by_text("The breaker of webhook pager is open since")).to_be_visible()
    page.goto("/teams/research/settings/")
    page.get_by_role("button", name="Close the breaker").click()
    expect(page.get_by_text("1 held execution goes out now")).to_be_visible()
    held.refresh_from_db()
    assert held.reason_code == ReasonCode.NONE
