"""The section “Slack” of team settings (SL1, SE1, SE3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from automations.models import SlackChannel
from projects.models import Team, User
from secrets_vault.models import Secret
from tests import factories
from tests.slack import CHANNEL, TOKEN, FakeSlack

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
NEW = {"workspace": "Acme", "channel": "#ml-alerts", "channel_id": CHANNEL, "token": TOKEN}


@pytest.fixture
def signed_in(db: None) -> Callable[[User], Client]:
    """`signed_in(user)`: a browser in which the user is signed in."""

    def open_browser(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return open_browser


@pytest.fixture
def browser(signed_in: Callable[[User], Client], alice: User, team: Team) -> Client:
    return signed_in(alice)


@pytest.fixture
def slack(settings: Any) -> Iterator[FakeSlack]:
    with FakeSlack() as server:
        settings.SLACK_API_URL = server.api_url
        settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
        yield server


def dialog(name: str, team: Team, *args: object) -> str:
    return reverse(f"team_settings_{name}_slack_channel", args=[team.name, *args])


def page(browser: Client, team: Team) -> str:
    return browser.get(reverse("team_settings", args=[team.name])).content.decode()


def test_an_admin_adds_a_channel_and_nobody_reads_its_token(browser: Client, team: Team) -> None:
    refused = browser.post(dialog("add", team), NEW | {"channel": "two words"}, headers=HTMX)
    assert refused.status_code == 422
    assert TOKEN not in refused.content.decode()
    assert browser.post(dialog("add", team), NEW).status_code == 302

    shown = page(browser, team)
    assert "#ml-alerts" in shown
    assert "SLACK_ML_ALERTS" in shown
    assert TOKEN not in shown
    edited = browser.get(dialog("edit", team, SlackChannel.objects.get().pk), headers=HTMX).content.decode()
    assert TOKEN not in edited
    assert "webhook_url" not in edited


def test_an_edit_without_a_token_keeps_it(browser: Client, team: Team) -> None:
    browser.post(dialog("add", team), NEW)
    channel = SlackChannel.objects.get()
    answers = {"workspace": "Globex", "channel": "renamed", "channel_id": CHANNEL, "token": ""}
    assert browser.post(dialog("edit", team, channel.pk), answers).status_code == 302

    channel.refresh_from_db()
    assert (channel.workspace, channel.channel) == ("Globex", "renamed")
    assert Secret.objects.defer(None).get().value == TOKEN


def test_the_test_button_says_what_slack_said(browser: Client, slack: FakeSlack, team: Team) -> None:
    browser.post(dialog("add", team), NEW)
    address = dialog("test", team, SlackChannel.objects.get().pk)
    assert "Slack took the message for #ml-alerts." in browser.post(address, follow=True).content.decode()
    slack.channels.clear()
    shown = browser.post(address, follow=True).content.decode()
    assert shown.count("There is no such channel in the workspace") == 2  # in the message, and on the channel
    assert browser.get(address).status_code == 405


def test_a_channel_in_use_names_what_uses_it(browser: Client, team: Team) -> None:
    channel = factories.make_slack_channel(team)
    automation = factories.make_automation(factories.make_project(team), slack_channel=channel, name="Tell the team")
    address = dialog("delete", team, channel.pk)
    assert "Tell the team (research/digits)" in browser.get(address, headers=HTMX).content.decode()
    assert browser.post(address, headers=HTMX).status_code == 422
    automation.delete()
    assert browser.post(address).status_code == 302
    assert not SlackChannel.objects.exists()


def test_the_secret_of_a_channel_is_not_deleted_under_it(browser: Client, team: Team) -> None:
    channel = factories.make_slack_channel(team)
    address = reverse("team_settings_delete_secret", args=[team.name, channel.credential_id])

    assert "#ml-alerts" in browser.get(address, headers=HTMX).content.decode()
    assert browser.post(address, headers=HTMX).status_code == 422


def test_members_look_and_strangers_do_not(
    signed_in: Callable[[User], Client], team: Team, bob: User, charlie: User
) -> None:
    channel = factories.make_slack_channel(team)
    shown = page(signed_in(bob), team)
    assert "#ml-alerts" in shown
    assert "Add Slack channel" not in shown
    for name, args in (("add", ()), ("edit", (channel.pk,)), ("test", (channel.pk,)), ("delete", (channel.pk,))):
        assert signed_in(bob).post(dialog(name, team, *args), NEW).status_code == 403
        assert signed_in(charlie).post(dialog(name, team, *args), NEW).status_code == 404


def test_a_channel_of_another_team_is_not_there(browser: Client, team: Team) -> None:
    foreign = factories.make_slack_channel(factories.make_team("elsewhere"))

    assert browser.get(dialog("edit", team, foreign.pk)).status_code == 404


def test_the_page_takes_as_many_queries_however_many_channels(browser: Client, team: Team) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            page(browser, team)
        return len(asked)

    project = factories.make_project(team)
    for number in range(2):
        channel = factories.make_slack_channel(team, f"channel-{number}")
        automation = factories.make_automation(project, slack_channel=channel, name=str(number))
        factories.make_execution(automation)
        if number == 0:
            before = queries()
    assert queries() == before
