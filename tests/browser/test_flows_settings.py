"""What an admin does in a team's settings, in both languages, on a desk and on a phone, by keyboard alone (UI6)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, expect

from automations.models import Automation, ReasonCode, SlackChannel, Status, Webhook
from projects import keys, service_accounts, teams
from projects.models import AuditRecord, Role
from secrets_vault import secrets
from secrets_vault.models import Secret
from tests import factories
from tests.slack import FakeSlack

if TYPE_CHECKING:
    from projects.models import Team, User
    from tests.browser.conftest import Witness
    from tests.browser.visitor import Visitor

OLD, NEW = "canary-old-value-1207", "canary-new-value-8841"


class Settings:
    """The page, and what the visitor does there again and again."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.page = visitor.page
        self.dialog = visitor.page.get_by_role("dialog")

    def open(self, section: str) -> None:
        """Come to the page, and go to one of its sections by its tab."""
        self.page.goto("/teams/research/settings/")
        self.visitor.press(self.visitor.find("link", section, within=self.page.get_by_role("main")))

    def ask(self, button: str, **values: Any) -> None:
        """Press a button that opens a dialog."""
        self.visitor.press(self.visitor.find("button", button, **values))
        expect(self.dialog).to_be_visible()

    def answer(self, button: str) -> None:
        """Press a button of the dialog."""
        self.visitor.press(self.visitor.find("button", button, within=self.dialog))

    def field(self, label: str) -> Locator:
        """A field of the dialog; one that may stay empty says so in its label."""
        said, optional = (re.escape(self.visitor.words(text)) for text in (label, "optional"))
        return self.dialog.get_by_label(re.compile(rf"^\s*{said}\s*({optional}\s*)?$"))

    def choose(self, label: str, value: str, *, key: str) -> None:
        """Choose the next option of a list, or the one before."""
        self.visitor.press(self.field(label), key)
        expect(self.field(label)).to_have_value(value)

    def hear(self, sentence: str, **values: Any) -> None:
        """What is said once it is done; the page is there anew then."""
        expect(self.page.locator("#toasts")).to_contain_text(self.visitor.words(sentence, **values))
        expect(self.dialog).to_have_count(0)


@pytest.fixture
def settings_page(visitor: Visitor, witness: Witness, team: Team) -> Settings:
    """For an admin. Mistakes are answered with 422, which Chromium tells of."""
    witness.refusals = {422}
    return Settings(visitor)


def test_a_secret_is_made_rotated_with_time_for_the_old_value_and_stays_while_it_is_used(
    settings_page: Settings, team: Team
) -> None:
    """SE1–SE3: no value is shown at any step."""
    at, visitor, page = settings_page, settings_page.visitor, settings_page.page
    at.open("Team secrets")
    at.ask("Create secret")
    visitor.write(at.field("Name"), "DEPLOY_TOKEN")
    visitor.write(at.field("Value"), OLD)
    at.answer("Create secret")
    at.hear("Secret %(name)s created.", name="DEPLOY_TOKEN")
    assert Secret.objects.get().value == OLD

    at.ask("Rotate %(name)s", name="DEPLOY_TOKEN")
    value = at.field("Value")
    visitor.write(value, "x")
    at.answer("Rotate secret")
    expect(value).to_have_attribute("aria-invalid", "true")
    expect(value).to_have_value("")
    visitor.write(value, NEW)
    visitor.press(at.field("Old value"), "ArrowDown")
    at.answer("Rotate secret")
    at.hear("Secret %(name)s rotated. Try its receivers before the old value ends.", name="DEPLOY_TOKEN")
    assert Secret.objects.get().value == NEW
    at.ask("End the old value of %(name)s now", name="DEPLOY_TOKEN")
    at.answer("End the old value now")
    at.hear("The old value of %(name)s has ended.", name="DEPLOY_TOKEN")

    webhook = factories.make_webhook(team, access_token=Secret.objects.get())
    page.reload()
    at.ask("Where %(name)s is used", name="DEPLOY_TOKEN")
    expect(at.dialog).to_contain_text("pager")
    at.answer("Close")
    at.ask("Delete %(name)s", name="DEPLOY_TOKEN")
    expect(at.dialog).to_contain_text(visitor.words("It cannot be deleted while these use it:"))
    expect(visitor.find("button", "Delete secret")).to_have_count(0)
    at.answer("Close")
    expect(visitor.find("button", "Delete %(name)s", name="DEPLOY_TOKEN")).to_be_focused()
    assert "canary" not in page.content()

    webhook.delete()
    at.ask("Delete %(name)s", name="DEPLOY_TOKEN")
    at.answer("Delete secret")
    at.hear("Secret %(name)s deleted.", name="DEPLOY_TOKEN")
    assert not Secret.objects.exists()


def test_an_api_key_is_shown_once_and_revoked(settings_page: Settings, alice: User) -> None:
    at, visitor, page = settings_page, settings_page.visitor, settings_page.page
    at.open("Your API keys")
    at.ask("Create API key")
    visitor.write(at.field("Name"), "laptop")
    at.answer("Create key")
    expect(at.dialog).to_contain_text(visitor.words("Copy it now: it is not kept here and cannot be shown again."))
    key = page.locator("#new-key").inner_text()
    assert keys.user_of(key) == alice
    at.answer("Close")
    expect(visitor.find("button", "Create API key")).to_be_focused()
    row = page.locator("#keys").get_by_role("row", name="laptop")
    expect(row).to_be_visible()
    assert key not in page.content()

    made = alice.api_keys.get()
    at.ask("Revoke %(key)s", key=made)
    at.answer("Revoke key")
    at.hear("API key %(key)s revoked.", key=made)
    expect(row).to_have_count(0)
    assert keys.user_of(key) is None


def test_a_member_is_added_made_an_admin_and_removed(settings_page: Settings, team: Team, charlie: User) -> None:
    at, visitor = settings_page, settings_page.visitor

    def is_now(role: Role, name: str) -> None:
        lower = visitor.words(str(role.label)).lower()
        at.hear("%(user)s is %(lower)s of %(found)s now.", user=name, lower=lower, found=team)
        assert team.memberships.get(user__username=name).role == role

    at.open("Members")
    at.ask("Add member")
    visitor.write(at.field("User name"), "charlie")
    at.choose("Role", Role.VIEW_ONLY, key="ArrowDown")
    at.answer("Add member")
    is_now(Role.VIEW_ONLY, "charlie")

    at.ask("Change role of %(name)s", name="charlie")
    at.choose("Role", Role.ADMIN, key="Home")
    at.answer("Change role")
    is_now(Role.ADMIN, "charlie")

    at.ask("Remove %(name)s", name="bob")
    at.answer("Remove member")
    at.hear("%(user)s is no longer a member of %(found)s.", user="bob", found=team)
    assert {*team.memberships.values_list("user__username", flat=True)} == {"alice", "charlie"}


def test_an_invitation_is_made_and_withdrawn(settings_page: Settings, witness: Witness, team: Team) -> None:
    at, visitor, page = settings_page, settings_page.visitor, settings_page.page
    witness.refusals.add(410)
    at.open("Members")
    at.ask("Invite")
    visitor.write(at.field("E-mail address"), "charlie@")
    at.answer("Make invitation")
    expect(at.field("E-mail address")).to_be_focused()
    visitor.write(at.field("E-mail address"), "charlie@example.com")
    at.answer("Make invitation")
    link = page.locator("#new-invitation").inner_text()
    at.answer("Close")
    at.ask("Revoke the invitation of %(email)s", email="charlie@example.com")
    at.answer("Revoke invitation")
    at.hear("The invitation is revoked.")
    expect(page.locator("#invitations")).not_to_contain_text("charlie@example.com")

    page.goto(f"/{link.partition('://')[2].partition('/')[2]}")
    expect(visitor.find("heading", "This invitation cannot be used")).to_be_visible()


def test_a_service_account_gets_a_key_and_is_closed(settings_page: Settings, team: Team) -> None:
    at, visitor, page = settings_page, settings_page.visitor, settings_page.page
    at.open("Service accounts")
    at.ask("Create service account")
    visitor.write(at.field("Name"), "research-ci")
    at.answer("Create service account")
    at.hear("Service account %(user)s created. Give it a key.", user="research-ci")
    account = service_accounts.named(team, "research-ci").user

    at.ask("Create an API key of %(user)s", user="research-ci")
    visitor.write(at.field("Name"), "nightly")
    at.answer("Create key")
    key = page.locator("#new-key").inner_text()
    assert keys.user_of(key) == account
    at.answer("Close")
    made = account.api_keys.get()
    at.ask("Revoke %(key)s of %(user)s", key=made, user="research-ci")
    at.answer("Revoke key")
    at.hear("API key %(key)s of %(account)s revoked.", key=made, account="research-ci")
    assert keys.user_of(key) is None

    at.ask("Close %(user)s", user="research-ci")
    at.answer("Close account")
    at.hear("Service account %(user)s closed.", user="research-ci")
    assert not service_accounts.of_team(team).exists()


def test_an_alert_is_switched_on_off_and_on_again(settings_page: Settings, team: Team) -> None:
    at, visitor = settings_page, settings_page.visitor
    factories.make_slack_channel(team)
    webhook = factories.make_webhook(team)
    name = visitor.words("Run failed or crashed")
    switch = visitor.find("switch", "Run failed or crashed")
    at.open("Alerts")
    expect(switch).to_have_attribute("aria-checked", "false")
    visitor.press(switch, "Space")
    expect(at.dialog).to_be_visible()
    at.choose("Send it to", f"webhook-{webhook.pk}", key="ArrowDown")
    at.answer("Turn on")
    at.hear("Automation “%(name)s” created.", name=name)
    automation = Automation.objects.get()
    assert (automation.enabled, automation.webhook) == (True, webhook)

    visitor.press(switch, "Space")
    said = visitor.count("%(count)d automation is disabled.", "%(count)d automations are disabled.", 1)
    expect(at.page.locator("#toasts")).to_contain_text(said)
    expect(switch).to_have_attribute("aria-checked", "false")
    visitor.press(switch, "Space")
    at.hear("“%(name)s” is enabled.", name=name)
    expect(switch).to_have_attribute("aria-checked", "true")
    automation.refresh_from_db()
    assert automation.enabled


def test_a_slack_channel_is_added_by_its_address_tested_limited_and_deleted(
    settings_page: Settings, settings: Any
) -> None:
    at, visitor, page = settings_page, settings_page.visitor, settings_page.page
    with FakeSlack() as slack:
        slack.serve(settings)
        at.open("Slack")
        at.ask("Add incoming webhook")
        visitor.write(at.field("Workspace"), "Acme")
        visitor.write(at.field("Channel"), "#ml-alerts")
        visitor.write(at.field("Address of the incoming webhook"), slack.hook_url)
        at.answer("Add channel")
        at.hear("Slack channel %(channel)s added.", channel="#ml-alerts")
        visitor.press(visitor.find("button", "Test %(channel)s", channel="#ml-alerts"))
        at.hear("Slack took the message for %(channel)s.", channel="#ml-alerts")
        assert len(slack.messages) == 1

    at.ask("Limits of %(channel)s", channel="#ml-alerts")
    visitor.write(at.field("Messages an hour"), "20")
    # Before noon, so that a clock of 12 hours and one of 24 take the same keys.
    visitor.press(at.field("Quiet from"), "1")
    page.keyboard.type("130AM")
    at.answer("Save limits")
    expect(at.dialog).to_contain_text(
        visitor.words("Quiet hours have a beginning and an end; leave both empty for none.")
    )
    expect(at.field("Messages an hour")).to_have_value("20")
    visitor.press(at.field("Quiet until"), "0")
    page.keyboard.type("700AM")
    at.answer("Save limits")
    at.hear("Limits of %(channel)s saved.", channel="#ml-alerts")
    channel = SlackChannel.objects.get()
    assert (channel.hourly_budget, str(channel.quiet_from), str(channel.quiet_until)) == (20, "11:30:00", "07:00:00")
    assert channel.quiet_days == "01234"

    visitor.press(visitor.find("link", "Limits and budgets"))
    at.ask("Change the limits of %(channel)s", channel="#ml-alerts")
    visitor.write(at.field("Messages an hour"), "5")
    at.answer("Save limits")
    at.hear("Limits of %(channel)s saved.", channel="#ml-alerts")
    budget = page.get_by_role("progressbar", name=visitor.words("Budget of %(channel)s", channel="#ml-alerts"))
    expect(budget).to_have_attribute("max", "5")

    at.ask("Delete %(channel)s", channel="#ml-alerts")
    at.answer("Delete channel")
    at.hear("Slack channel %(channel)s deleted.", channel="#ml-alerts")
    assert not SlackChannel.objects.exists()


def test_an_open_breaker_is_closed_and_a_paused_webhook_resumed(settings_page: Settings, team: Team) -> None:
    """WH8"""
    at, visitor, page = settings_page, settings_page.visitor, settings_page.page
    webhook = factories.make_webhook(team)
    now = timezone.now()
    due = now + timedelta(minutes=4)
    Webhook.objects.update(
        breaker_opened_at=now, next_probe_at=due, failures_in_a_row=12, last_error="The receiver answered 503."
    )
    automation = factories.make_automation(factories.make_project(team), webhook=webhook)
    held = factories.make_execution(
        automation, status=Status.PENDING, reason_code=ReasonCode.BREAKER_OPEN, next_attempt_at=due
    )
    page.goto(held.get_absolute_url())
    opened = visitor.words("The breaker of webhook %(name)s is open since %(opened)s; the next probe is due %(probe)s.")
    expect(page.get_by_text(opened.partition("%(opened)s")[0] % {"name": "pager"})).to_be_visible()
    at.open("Webhooks")
    visitor.press(visitor.find("button", "Close the breaker"))
    said = (
        "The breaker of webhook %(name)s is closed; %(count)s held execution goes out now.",
        "The breaker of webhook %(name)s is closed; %(count)s held executions go out now.",
    )
    expect(page.locator("#toasts")).to_contain_text(visitor.count(*said, 1, name="pager"))
    expect(visitor.find("button", "Close the breaker")).to_have_count(0)
    held.refresh_from_db()
    assert held.reason_code == ReasonCode.NONE

    Webhook.objects.update(paused_at=now, paused_reason="The receiver answered 410.")
    at.open("Webhooks")
    visitor.press(visitor.find("button", "Resume %(name)s", name="pager"))
    at.hear("Webhook %(name)s is called again.", name="pager")
    webhook.refresh_from_db()
    assert webhook.paused_at is None


def test_the_language_of_messages_is_changed_and_found_in_the_audit_log(
    settings_page: Settings, team: Team, bob: User
) -> None:
    at, visitor, page = settings_page, settings_page.visitor, settings_page.page
    teams.set_role(bob, team=team, role=Role.ADMIN)
    secrets.create(team, name="OF_BOB", value="canary", by=bob)
    at.open("Language")
    at.ask("Change language")
    at.choose("Language", "ja", key="ArrowDown")
    at.answer("Save language")
    at.hear("Messages of %(team)s are in the chosen language now.", team=team)
    team.refresh_from_db()
    assert team.language == "ja"

    visitor.press(visitor.find("link", "Audit log"))
    visitor.press(visitor.find("link", "See all changes"))
    records, person = page.locator("#audit-records"), page.locator("[name=actor]")
    expect(records.get_by_role("row")).to_have_count(1 + AuditRecord.objects.filter(team=team).count())
    visitor.press(person, "End")
    expect(records.locator("td.main")).to_have_count(1)
    expect(records).to_contain_text("OF_BOB")
    expect(page).to_have_url(re.compile(r"\?.*actor=bob"))
    visitor.press(page.locator("[name=kind]"), "End")
    expect(records).to_contain_text(visitor.words("No change matches these filters."))
    page.reload()
    expect(person).to_have_value("bob")
    visitor.press(visitor.find("link", "Show all"))
    expect(records).to_contain_text("alice")
    with page.expect_download() as download:
        visitor.press(page.get_by_role("link", name="CSV"))
    assert "OF_BOB" in download.value.path().read_text()
