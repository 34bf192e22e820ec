"""The section “Slack” of team settings (SL1, SE1, SE3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from automations.models import SlackChannel, SlackWorkspace
from projects.models import Team, User
from secrets_vault.models import Secret
from tests import factories
from tests.slack import CHANNEL, TOKEN, FakeSlack
from tests.slack import channel as slack_channel

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
HOOK_URL = "https://hooks.invalid/services/wonderful"
NEW = {"workspace": "Acme", "channel": "#ml-alerts", "webhook_url": HOOK_URL}


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
    caches["shared"].clear()
    with FakeSlack() as server:
        server.serve(settings)
        yield server
    caches["shared"].clear()


def dialog(name: str, team: Team, *args: object) -> str:
    return reverse(f"team_settings_{name}_slack_channel", args=[team.name, *args])


def of_workspace(name: str, team: Team, *args: object) -> str:
    return reverse(f"team_settings_{name}_slack_workspace", args=[team.name, *args])


def page(browser: Client, team: Team) -> str:
    return browser.get(reverse("team_settings", args=[team.name])).content.decode()


def test_an_admin_adds_an_incoming_webhook_and_nobody_reads_its_address(browser: Client, team: Team) -> None:
    refused = browser.post(dialog("add", team), NEW | {"channel": "two words"}, headers=HTMX)
    assert refused.status_code == 422
    assert HOOK_URL not in refused.content.decode()
    assert browser.post(dialog("add", team), NEW).status_code == 302

    shown = page(browser, team)
    assert "#ml-alerts" in shown
    assert "SLACK_ML_ALERTS" in shown
    edited = browser.get(dialog("edit", team, SlackChannel.objects.get().pk), headers=HTMX).content.decode()
    assert "wonderful" not in shown + edited
    assert "channel_id" not in edited


def test_an_edit_without_an_address_keeps_it(browser: Client, team: Team) -> None:
    browser.post(dialog("add", team), NEW)
    channel = SlackChannel.objects.get()
    answers = {"workspace": "Globex", "channel": "renamed", "webhook_url": ""}
    assert browser.post(dialog("edit", team, channel.pk), answers).status_code == 302

    channel.refresh_from_db()
    assert (channel.workspace, channel.channel) == ("Globex", "renamed")
    assert Secret.objects.defer(None).get().value == HOOK_URL


def test_a_token_is_pasted_once_and_channels_are_picked(browser: Client, slack: FakeSlack, team: Team) -> None:
    slack.listed += [slack_channel("ml-releases", "C2", member=False), slack_channel("other", "C3")]
    refused = browser.post(of_workspace("connect", team), {"token": "xoxb-unknown"}, headers=HTMX)
    assert "Slack does not know the bot token" in refused.content.decode()
    shown = browser.post(of_workspace("connect", team), {"token": TOKEN}, follow=True).content.decode()
    assert "Connected to Acme." in shown
    assert TOKEN not in shown

    workspace = SlackWorkspace.objects.get()
    add = of_workspace("add_channel_of", team, workspace.pk)
    assert "Asking Slack" in browser.get(add, headers=HTMX).content.decode()
    found = browser.get(of_workspace("search", team, workspace.pk), {"search": "ml-"}, headers=HTMX).content.decode()
    assert ("ml-alerts" in found, "ml-releases" in found, "other" in found) == (True, True, False)
    assert "bot not invited" in found
    assert "/invite @automations" in browser.post(add, {"picked": "C2"}, follow=True).content.decode()
    assert "Slack channel #ml-alerts added." in browser.post(add, {"picked": CHANNEL}, follow=True).content.decode()
    assert "added" in browser.get(of_workspace("search", team, workspace.pk), headers=HTMX).content.decode()
    assert set(SlackChannel.objects.values_list("channel", "channel_id", "kind")) == {
        ("ml-releases", "C2", "bot"),
        ("ml-alerts", CHANNEL, "bot"),
    }
    assert Secret.objects.count() == 1


def test_what_was_searched_for_and_chosen_stays_where_the_choice_is_refused(
    browser: Client, slack: FakeSlack, team: Team
) -> None:
    workspace = factories.make_slack_workspace(team)
    factories.make_slack_channel(team, "ml-alerts")
    add = of_workspace("add_channel_of", team, workspace.pk)
    refused = browser.post(add, {"search": "alerts", "picked": CHANNEL}, headers=HTMX).content.decode()
    assert "research has a Slack channel #ml-alerts already." in refused
    assert "checked" in refused
    assert 'value="alerts"' in refused
    assert "Choose a channel of the list" in browser.post(add, {}, headers=HTMX).content.decode()
    assert "Slack lists this channel no longer" in browser.post(add, {"picked": "C9"}, headers=HTMX).content.decode()


def test_a_channel_that_is_not_listed_is_entered(browser: Client, slack: FakeSlack, team: Team) -> None:
    slack.tokens[TOKEN] = "chat:write"
    workspace = factories.make_slack_workspace(team)
    add = of_workspace("add_channel_of", team, workspace.pk)
    assert "lacks the scopes" in browser.get(add).content.decode()
    assert browser.post(add, {"channel": "#ml-alerts", "channel_id": "wrong"}).status_code == 422
    assert browser.post(add, {"channel": "#ml-alerts", "channel_id": CHANNEL}).status_code == 302
    assert SlackChannel.objects.get().connection == workspace


def test_a_token_is_replaced_and_a_workspace_disconnected(browser: Client, slack: FakeSlack, team: Team) -> None:
    workspace = factories.make_slack_workspace(team, token="xoxb-old-token")
    assert browser.post(of_workspace("rotate", team, workspace.pk), {"token": TOKEN}).status_code == 302
    assert Secret.objects.defer(None).get().value == TOKEN
    disconnect = of_workspace("disconnect", team, workspace.pk)
    channel = factories.make_slack_channel(team)
    SlackChannel.objects.update(connection=workspace)
    assert "#ml-alerts" in browser.get(disconnect, headers=HTMX).content.decode()
    assert browser.post(disconnect, headers=HTMX).status_code == 422
    channel.delete()
    assert browser.post(disconnect).status_code == 302
    assert not SlackWorkspace.objects.filter(pk=workspace.pk).exists()


def test_the_test_button_says_what_slack_said(browser: Client, slack: FakeSlack, team: Team) -> None:
    address = dialog("test", team, factories.make_slack_channel(team).pk)
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
    assert "Add incoming webhook" not in shown
    pk = channel.connection_id
    for name, args in (("connect", ()), ("rotate", (pk,)), ("disconnect", (pk,)), ("add_channel_of", (pk,))):
        assert signed_in(bob).post(of_workspace(name, team, *args), {"token": TOKEN}).status_code == 403
        assert signed_in(charlie).post(of_workspace(name, team, *args), {"token": TOKEN}).status_code == 404
    assert signed_in(bob).get(of_workspace("search", team, pk)).status_code == 403
    for name, args in (("add", ()), ("edit", (channel.pk,)), ("test", (channel.pk,)), ("delete", (channel.pk,))):
        assert signed_in(bob).post(dialog(name, team, *args), NEW).status_code == 403
        assert signed_in(charlie).post(dialog(name, team, *args), NEW).status_code == 404


def test_a_channel_of_another_team_is_not_there(browser: Client, team: Team) -> None:
    foreign = factories.make_slack_channel(factories.make_team("elsewhere"))

    assert browser.get(dialog("edit", team, foreign.pk)).status_code == 404
    assert browser.get(of_workspace("rotate", team, foreign.connection_id)).status_code == 404


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
