"""Slack workspaces of a team: one token, which Slack names and all channels share (SL1)."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.http import Http404
from django.utils import timezone

from automations.models import SlackChannel, SlackWorkspace
from automations.slack import channels, workspaces
from automations.unsealing import unseal_channel
from projects.models import Team, User
from secrets_vault import secrets
from secrets_vault.models import Secret
from tests import factories
from tests.slack import CHANNEL, SCOPES, TOKEN, FakeSlack

pytestmark = pytest.mark.django_db
NEWER = "xoxb-newer-token"


def connect(team: Team, by: User, token: str = TOKEN) -> SlackWorkspace:
    return workspaces.connect(team, by=by, token=token, at=timezone.now())


def test_slack_says_which_workspace_a_token_is_of(slack: FakeSlack, team: Team, alice: User) -> None:
    found = connect(team, alice, f" {TOKEN}\n")

    assert (found.name, found.workspace_id, found.bot_name) == ("Acme", "T0001", "automations")
    assert (found.credential.name, found.credential.value) == ("SLACK_BOT_ACME", TOKEN)


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        ("", "begins with xoxb-"),
        ("hunter2", "begins with xoxb-"),
        (f"{TOKEN}\r\nX: y", "begins with xoxb-"),
        ("xoxb-revoked", "Slack does not know the bot token"),
    ],
)
def test_a_token_that_does_not_work_is_refused(
    slack: FakeSlack, team: Team, alice: User, token: str, sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        connect(team, alice, token)

    assert not Secret.objects.exists()


@pytest.mark.parametrize(
    ("behaviour", "sentence"),
    [
        (
            {"status": 429, "headers": {"Retry-After": "30"}, "body": b'{"ok":false}'},
            "no more questions for 30 seconds",
        ),
        ({"status": 503, "body": b""}, "Slack answered 503"),
        ({"body": b"<html>"}, "cannot be read"),
        ({"body": b"[" * 20_000}, "cannot be read"),
        ({"body": b'{"ok": false, "error": "something_new"}'}, "Slack refused: something_new"),
        ({"body": b'{"ok": true}'}, "does not say which workspace"),
        ({"close": True}, "closed the connection"),
    ],
)
def test_an_answer_that_is_none_is_a_sentence(
    slack: FakeSlack, team: Team, alice: User, behaviour: Any, sentence: str
) -> None:
    slack.behave(times=1, **behaviour)
    with pytest.raises(ValidationError, match=sentence):
        connect(team, alice)


def test_a_token_that_slack_sends_back_is_not_shown(slack: FakeSlack, team: Team, alice: User) -> None:
    slack.behave(times=1, body=f'{{"ok": false, "error": "no {TOKEN}"}}'.encode())
    with pytest.raises(ValidationError) as refused:
        connect(team, alice)

    assert TOKEN not in str(refused.value)


def test_wh9_the_guard_stands_before_questions_as_well(
    slack: FakeSlack, team: Team, alice: User, settings: Any
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    with pytest.raises(ValidationError, match="WEBHOOK_ALLOWED_NETWORKS"):
        connect(team, alice)

    assert slack.requests == []


def test_connecting_again_replaces_the_token_of_all_channels(slack: FakeSlack, team: Team, alice: User) -> None:
    first = connect(team, alice)
    posted = channels.add_by_bot(first, by=alice, channel="ml-alerts", channel_id=CHANNEL)
    SlackChannel.objects.update(last_error="The bot token was revoked.", failing_since=timezone.now())
    slack.tokens, slack.workspace = {NEWER: SCOPES}, "Acme Research"
    again = connect(team, alice, NEWER)

    assert (again.pk, again.name, Secret.objects.count()) == (first.pk, "Acme Research", 1)
    posted.refresh_from_db()
    assert unseal_channel(posted).access_token == NEWER
    assert (posted.workspace, posted.failing_since) == ("Acme Research", None)


def test_a_token_of_another_workspace_does_not_replace(slack: FakeSlack, team: Team, alice: User) -> None:
    found = connect(team, alice)
    slack.workspace, slack.workspace_id = "Globex", "T0002"
    with pytest.raises(ValidationError, match="This token is of Globex, and not of Acme"):
        workspaces.rotate(found, by=alice, token=TOKEN, at=timezone.now())

    other = connect(team, alice)
    assert (other.pk != found.pk, team.slack_workspaces.count()) == (True, 2)


def test_two_teams_connect_to_one_workspace_each_with_a_token(slack: FakeSlack, team: Team, alice: User) -> None:
    ours, theirs = connect(team, alice), connect(factories.make_team("elsewhere", admin=alice), alice)

    assert ours.credential_id != theirs.credential_id


def test_a_workspace_that_was_never_asked_about_learns_its_name(slack: FakeSlack, team: Team, alice: User) -> None:
    found = factories.make_slack_workspace(team, name="as somebody typed it")
    for _ in range(2):
        assert workspaces.channels_listed(found).complete

    assert (found.name, found.workspace_id) == ("Acme", "T0001")
    assert len(slack.asked("auth.test")) == 1


def test_only_admins_connect(slack: FakeSlack, team: Team, alice: User, bob: User, charlie: User) -> None:
    found = connect(team, alice)
    for user, problem in ((bob, PermissionDenied), (charlie, Http404)):
        with pytest.raises(problem):
            connect(team, user)
        with pytest.raises(problem):
            workspaces.rotate(found, by=user, token=TOKEN, at=timezone.now())
        with pytest.raises(problem):
            workspaces.disconnect(found, by=user)
        with pytest.raises(problem):
            channels.add_by_bot(found, by=user, channel="x", channel_id=CHANNEL)


def test_se3_a_workspace_with_channels_stays(team: Team, alice: User) -> None:
    channel = factories.make_slack_channel(team)
    assert channel.connection is not None
    with pytest.raises(workspaces.WorkspaceInUse, match=r"Acme is used by #ml-alerts\. Delete those channels first"):
        workspaces.disconnect(channel.connection, by=alice)
    with pytest.raises(secrets.SecretInUse):
        secrets.delete(channel.credential, by=None)


def test_disconnecting_deletes_the_token(team: Team, alice: User) -> None:
    workspaces.disconnect(factories.make_slack_workspace(team), by=alice)

    assert not Secret.objects.exists()


def test_a_channel_is_not_added_to_a_workspace_that_is_gone(team: Team, alice: User) -> None:
    found = factories.make_slack_workspace(team)
    SlackWorkspace.objects.all().delete()
    with pytest.raises(Http404):
        channels.add_by_bot(found, by=alice, channel="x", channel_id=CHANNEL)


# --- what was kept before there were workspaces -------------------------------------------------------------


def channel_of_old(team: Team, name: str, token: str = TOKEN) -> SlackChannel:
    channel = factories.make_slack_channel(team, name, credential=token)
    workspace = channel.connection
    SlackChannel.objects.update(connection=None)
    assert workspace is not None
    workspace.delete()
    return channel


def migrate() -> None:
    import_module("automations.migrations.0013_one_token_per_slack_workspace").share_tokens(apps, None)


def test_channels_with_the_same_token_come_to_share_it(team: Team, alice: User) -> None:
    one, two, three = (channel_of_old(team, name) for name in ("one", "two", "three"))
    other = channel_of_old(team, "other", "xoxb-of-globex")
    foreign = channel_of_old(factories.make_team("elsewhere"), "one")
    factories.make_webhook(team, access_token=three.credential)
    migrate()

    for channel in (one, two, three, other, foreign):
        channel.refresh_from_db()
    assert one.connection == two.connection == three.connection
    assert one.credential == two.credential == three.credential
    assert len({channel.connection_id for channel in (one, other, foreign)}) == 3
    assert unseal_channel(other).access_token == "xoxb-of-globex"
    # three tokens that are in use, and the copy that a webhook sends
    assert Secret.objects.count() == 4


def test_a_token_that_cannot_be_opened_is_left_as_it_is(team: Team, settings: Any) -> None:
    sealed, other = channel_of_old(team, "sealed"), channel_of_old(team, "other")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE secrets_vault_secret SET value = %s WHERE id = %s",
            [b"sealed with a key that is gone", sealed.credential_id],
        )
    migrate()

    sealed.refresh_from_db()
    other.refresh_from_db()
    assert sealed.connection != other.connection
    assert Secret.objects.count() == 2
