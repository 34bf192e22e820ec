"""“Connect Slack”: to Slack and back, and what comes back wrongly (SL1)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from automations.models import SlackChannel, SlackWorkspace
from automations.slack import channels
from automations.unsealing import unseal_channel, unseal_workspace
from projects import teams
from projects.models import Role, Team, User
from secrets_vault.models import Secret
from tests import factories
from tests.slack import CLIENT_ID, CLIENT_SECRET, SCOPES, TOKEN, FakeSlack

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]


@pytest.fixture
def signed_in(db: None) -> SignedIn:
    """`signed_in(user)`: a browser in which the user is signed in."""

    def open_browser(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return open_browser


@pytest.fixture
def slack(settings: Any) -> Iterator[FakeSlack]:
    with FakeSlack() as server:
        server.serve(settings)
        settings.SLACK_CLIENT_ID, settings.SLACK_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
        yield server


def begin(browser: Client, team: Team) -> str:
    """Press the button; the address in Slack that it leads to."""
    answer = browser.post(reverse("team_settings_connect_slack", args=[team.name]))
    assert answer.status_code == 302, answer.content
    return str(answer["Location"])


def come_back(browser: Client, address: str) -> str:
    """Follow Slack's redirect; what the page then says."""
    parts = urlsplit(address)
    return browser.get(f"{parts.path}?{parts.query}", follow=True).content.decode()


def count(*models: type[Model]) -> list[int]:
    return [model._default_manager.count() for model in models]


def test_slack_is_asked_for_what_posting_and_choosing_take(
    signed_in: SignedIn, slack: FakeSlack, team: Team, alice: User
) -> None:
    address = urlsplit(begin(signed_in(alice), team))
    asked = {name: value for name, (value,) in parse_qs(address.query).items()}

    assert f"{address.scheme}://{address.netloc}{address.path}" == slack.authorize_url
    assert asked.pop("state")
    assert asked == {
        "client_id": CLIENT_ID,
        "scope": SCOPES,
        "redirect_uri": "http://localhost:8000/settings/slack/connected",
    }


def test_an_admin_connects_slack_with_the_channel_they_chose(
    signed_in: SignedIn, slack: FakeSlack, team: Team, alice: User
) -> None:
    browser = signed_in(alice)
    shown = come_back(browser, slack.install(begin(browser, team)))

    assert "Connected to Acme: automations may post to #ml-alerts." in shown
    workspace, channel = SlackWorkspace.objects.get(), SlackChannel.objects.get()
    assert (workspace.workspace_id, workspace.bot_name) == ("T0001", "automations")
    assert unseal_workspace(workspace).access_token == TOKEN
    assert (channel.kind, channel.connection, channel.workspace) == ("webhook", workspace, "Acme")
    assert unseal_channel(channel).access_token == slack.hook_url
    assert TOKEN not in shown
    assert "wonderfulsecret" not in shown


def test_connecting_again_renews_what_is_there(signed_in: SignedIn, slack: FakeSlack, team: Team, alice: User) -> None:
    browser = signed_in(alice)
    for _ in range(2):
        assert "Connected to Acme" in come_back(browser, slack.install(begin(browser, team)))
    come_back(browser, slack.install(begin(browser, team), channel="releases"))

    assert count(SlackWorkspace, SlackChannel, Secret) == [1, 2, 3]
    for channel in SlackChannel.objects.all():
        channels.delete(channel, by=alice)
    assert count(SlackWorkspace, SlackChannel, Secret) == [0, 0, 0]


def test_a_channel_of_that_name_stays_what_it_is(
    signed_in: SignedIn, slack: FakeSlack, team: Team, alice: User
) -> None:
    there = factories.make_slack_channel(team, "ml-alerts")
    browser = signed_in(alice)
    shown = come_back(browser, slack.install(begin(browser, team)))

    assert "Connected to Acme, without a channel. research has a Slack channel #ml-alerts already." in shown
    assert SlackChannel.objects.get() == there


def test_a_conversation_with_one_person_may_be_chosen(
    signed_in: SignedIn, slack: FakeSlack, team: Team, alice: User
) -> None:
    browser = signed_in(alice)
    come_back(browser, slack.install(begin(browser, team), channel="@alice a."))

    assert SlackChannel.objects.get().channel == "alice-a."


def test_who_says_no_in_slack_is_told(signed_in: SignedIn, slack: FakeSlack, team: Team, alice: User) -> None:
    browser = signed_in(alice)
    back = slack.install(begin(browser, team)).replace("code=", "error=access_denied&was=")

    assert "it was not allowed in Slack" in come_back(browser, back)


def test_a_state_is_good_once(signed_in: SignedIn, slack: FakeSlack, team: Team, alice: User) -> None:
    browser = signed_in(alice)
    address = begin(browser, team)
    come_back(browser, slack.install(address))

    assert "or is done already" in come_back(browser, slack.install(address))
    assert len(slack.asked("oauth.v2.access")) == 1


def test_a_state_is_good_for_ten_minutes(signed_in: SignedIn, slack: FakeSlack, team: Team, alice: User) -> None:
    browser = signed_in(alice)
    with time_machine.travel(datetime(2026, 5, 4, 9, 0, tzinfo=UTC), tick=False):
        address = begin(browser, team)
    with time_machine.travel(datetime(2026, 5, 4, 9, 10, 2, tzinfo=UTC), tick=False):
        assert "more than 10 minutes ago" in come_back(browser, slack.install(address))
    assert slack.asked("oauth.v2.access") == []


def test_a_state_is_good_for_whoever_began(
    signed_in: SignedIn, slack: FakeSlack, team: Team, alice: User, charlie: User
) -> None:
    """Who follows somebody else's address back would otherwise connect their team to a foreign workspace."""
    teams.set_role(factories.make_user("dora"), team=team, role=Role.ADMIN)
    back = slack.install(begin(signed_in(alice), team))
    for other in (User.objects.get(username="dora"), charlie):
        assert "somebody else began it" in come_back(signed_in(other), back)
    assert "begun in another browser" in come_back(signed_in(alice), back)
    assert slack.asked("oauth.v2.access") == []


@pytest.mark.parametrize("state", ["", "x", "eyJ0ZWFtIjoxfQ:1abc:wrong"])
def test_a_state_that_nobody_signed_is_refused(signed_in: SignedIn, slack: FakeSlack, alice: User, state: str) -> None:
    shown = come_back(signed_in(alice), f"/settings/slack/connected?code=x&state={state}")

    assert "the address that you came back with is not complete" in shown


def test_who_is_no_admin_any_more_connects_nothing(
    signed_in: SignedIn, slack: FakeSlack, team: Team, alice: User
) -> None:
    browser = signed_in(alice)
    back = urlsplit(slack.install(begin(browser, team)))
    teams.set_role(alice, team=team, role=Role.MEMBER)

    assert browser.get(f"{back.path}?{back.query}").status_code == 403
    assert count(SlackWorkspace, Secret) == [0, 0]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"error": "invalid_code"}, "Slack no longer knows this installation"),
        ({"error": "bad_client_secret"}, "check SLACK_CLIENT_SECRET"),
        ({"error": "bad_redirect_uri"}, "redirect URLs of the Slack app"),
        ({"ok": True, "access_token": TOKEN}, "needs the scopes incoming-webhook and chat:write"),
        (
            {"ok": True, "access_token": TOKEN, "expires_in": 43200, "incoming_webhook": {"url": "https://x.invalid/"}},
            "Turn token rotation off",
        ),
    ],
)
def test_what_slack_answers_instead_of_a_token_is_a_sentence(
    signed_in: SignedIn, slack: FakeSlack, team: Team, alice: User, *, answer: dict[str, Any], sentence: str
) -> None:
    browser = signed_in(alice)
    back = slack.install(begin(browser, team))
    slack.behave(times=1, body=json.dumps({"ok": False, **answer}).encode())

    assert sentence in come_back(browser, back)
    assert count(SlackWorkspace, Secret) == [0, 0]


def test_only_admins_see_the_button_and_only_where_there_is_an_app(
    signed_in: SignedIn, slack: FakeSlack, team: Team, *, alice: User, bob: User, settings: Any
) -> None:
    settings_page = reverse("team_settings", args=[team.name])
    answer = signed_in(alice).get(settings_page)
    assert "Connect Slack" in answer.content.decode()
    origin = slack.authorize_url.partition("/oauth")[0]
    assert f"form-action 'self' {origin}" in answer["Content-Security-Policy"]
    assert "Connect Slack" not in signed_in(bob).get(settings_page).content.decode()
    assert signed_in(bob).post(reverse("team_settings_connect_slack", args=[team.name])).status_code == 403

    settings.SLACK_CLIENT_ID = ""
    answer = signed_in(alice).get(settings_page)
    assert "Connect Slack" not in answer.content.decode()
    assert origin not in answer["Content-Security-Policy"]
    assert signed_in(alice).post(reverse("team_settings_connect_slack", args=[team.name])).status_code == 404
