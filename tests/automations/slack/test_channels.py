"""Slack channels of a team: added, changed, tested and deleted, with their credentials sealed (SL1, SE1, SE3)."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import serializers
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils import timezone

from automations.models import SlackChannel, SlackKind, SlackWorkspace
from automations.slack import channels
from automations.unsealing import unseal_channel
from automations.webhooks import IntegrationInUse
from projects.models import Project, Team, User
from secrets_vault import secrets
from secrets_vault.models import Secret
from tests import factories
from tests.slack import CHANNEL, TOKEN, FakeSlack

pytestmark = pytest.mark.django_db


def by_bot(team: Team, by: User, **fields: Any) -> SlackChannel:
    workspace = team.slack_workspaces.first() or factories.make_slack_workspace(team)
    return channels.add_by_bot(workspace, by=by, **{"channel": "#ml-alerts", "channel_id": CHANNEL, **fields})


def by_webhook(team: Team, by: User, **fields: Any) -> SlackChannel:
    defaults = {"workspace": "Acme", "channel": "#ml-alerts", "webhook_url": "https://hooks.invalid/services/x"}
    return channels.add_by_webhook(team, by=by, **{**defaults, **fields})


def test_a_bots_channel_shares_the_token_of_its_workspace(team: Team, alice: User) -> None:
    found, other = by_bot(team, alice), by_bot(team, alice, channel="releases", channel_id="C0000000002")

    assert (str(found), found.kind, found.channel_id) == ("#ml-alerts", SlackKind.BOT, CHANNEL)
    assert found.credential == other.credential == team.slack_workspaces.get().credential
    assert (found.workspace, Secret.objects.count()) == ("Acme", 1)
    assert unseal_channel(found).access_token == TOKEN
    rows = serializers.serialize("json", [*SlackChannel.objects.all()])
    assert TOKEN not in rows


def test_an_incoming_webhook_is_added(slack: FakeSlack, team: Team, alice: User) -> None:
    found = by_webhook(team, alice, channel="本番-alerts", webhook_url=slack.hook_url)

    assert (found.kind, found.channel_id, found.credential.name) == (SlackKind.WEBHOOK, "", "SLACK_ALERTS")
    assert unseal_channel(found).access_token == slack.hook_url
    assert "wonderfulsecret" not in repr(unseal_channel(found))


@pytest.mark.parametrize(
    ("add", "fields", "field"),
    [
        (by_bot, {"channel": ""}, "channel"),
        (by_bot, {"channel": "two words"}, "channel"),
        (by_bot, {"channel": "x" * 81}, "channel"),
        (by_bot, {"channel": "taken"}, "channel"),
        (by_bot, {"channel_id": ""}, "channel_id"),
        (by_bot, {"channel_id": "#ml-alerts"}, "channel_id"),
        (by_webhook, {"channel": "taken"}, "channel"),
        (by_webhook, {"workspace": " "}, "workspace"),
        (by_webhook, {"webhook_url": ""}, "webhook_url"),
        (by_webhook, {"webhook_url": "http://169.254.169.254/"}, "webhook_url"),
        (by_webhook, {"webhook_url": "ftp://example.com/"}, "webhook_url"),
    ],
)
def test_what_cannot_work_is_refused_at_its_field(team: Team, alice: User, add: Any, fields: Any, field: str) -> None:
    by_bot(team, alice, channel="taken")
    with pytest.raises(ValidationError) as refused:
        add(team, alice, **fields)

    assert field in refused.value.message_dict
    assert SlackChannel.objects.count() == Secret.objects.count() == 1


def test_a_bot_without_a_channel_id_cannot_be_stored(team: Team) -> None:
    channel = factories.make_slack_channel(team)
    with pytest.raises(IntegrityError), transaction.atomic():
        SlackChannel.objects.filter(pk=channel.pk).update(channel_id="")


def test_only_admins_change_channels(team: Team, alice: User, bob: User, charlie: User) -> None:
    found = by_bot(team, alice)
    for user, problem in ((bob, PermissionDenied), (charlie, Http404)):
        with pytest.raises(problem):
            by_bot(team, user, channel="other")
        with pytest.raises(problem):
            channels.update(found, by=user, channel="x")
        with pytest.raises(problem):
            channels.delete(found, by=user)
        with pytest.raises(problem):
            channels.test(found, by=user, at=timezone.now())


def test_a_change_keeps_the_address_unless_a_new_one_is_given(team: Team, alice: User) -> None:
    found = by_webhook(team, alice)
    SlackChannel.objects.update(last_error="It was removed.", failing_since=timezone.now())
    found.refresh_from_db()
    channels.update(found, by=alice, workspace="Acme", channel="renamed")
    assert unseal_channel(found).access_token == "https://hooks.invalid/services/x"

    channels.update(found, by=alice, workspace="Acme", channel="renamed", webhook_url="https://hooks.invalid/y")
    found.refresh_from_db()
    assert (found.channel, found.failing_since) == ("renamed", None)
    assert unseal_channel(found).access_token == "https://hooks.invalid/y"
    assert Secret.objects.count() == 1


def test_a_bots_channel_does_not_become_an_incoming_webhook(team: Team, alice: User) -> None:
    found = by_bot(team, alice)
    with pytest.raises(ValidationError, match="reached by a bot token"):
        channels.update(found, by=alice, channel="c", channel_id=CHANNEL, webhook_url="https://x.example/")


def test_the_name_of_a_connected_workspace_is_slacks(team: Team, alice: User) -> None:
    found = by_bot(team, alice)
    changed = channels.update(found, by=alice, workspace="Globex", channel="renamed", channel_id="C0000000002")

    assert (changed.workspace, changed.channel, changed.channel_id) == ("Acme", "renamed", "C0000000002")


def test_deleting_a_channel_deletes_the_address_of_its_webhook(team: Team, alice: User) -> None:
    channels.delete(by_webhook(team, alice), by=alice)

    assert not SlackChannel.objects.exists()
    assert not Secret.objects.exists()


def test_the_token_goes_with_the_last_channel_of_the_workspace(team: Team, alice: User) -> None:
    first, last = by_bot(team, alice), by_bot(team, alice, channel="releases", channel_id="C0000000002")
    channels.delete(first, by=alice)
    assert unseal_channel(last).access_token == TOKEN

    channels.delete(last, by=alice)
    assert not SlackWorkspace.objects.exists()
    assert not Secret.objects.exists()


def test_a_credential_that_a_webhook_uses_stays(team: Team, alice: User) -> None:
    found = by_bot(team, alice)
    factories.make_webhook(team, access_token=found.credential)
    channels.delete(found, by=alice)

    assert Secret.objects.exists()


def test_se3_a_channel_in_use_is_not_deleted(project: Project, alice: User) -> None:
    found = by_bot(project.team, alice)
    factories.make_automation(project, slack_channel=found, name="Tell the team")

    with pytest.raises(IntegrationInUse, match="#ml-alerts is used by Tell the team"):
        channels.delete(found, by=alice)
    with pytest.raises(secrets.SecretInUse, match="is used by #ml-alerts, Acme"):
        secrets.delete(found.credential, by=None)


def test_a_test_message_is_posted_along_the_real_path(slack: FakeSlack, team: Team, alice: User) -> None:
    answer = channels.test(by_bot(team, alice), by=alice, at=timezone.now())

    assert (answer.succeeded, answer.sentence) == (True, "Slack took the message for #ml-alerts.")
    assert "A test from Team settings" in slack.messages[0]["text"]


def test_a_test_that_fails_says_why_and_is_noted(slack: FakeSlack, team: Team, alice: User) -> None:
    slack.archived.add(CHANNEL)
    found = by_bot(team, alice)
    answer = channels.test(found, by=alice, at=timezone.now())

    assert (answer.succeeded, answer.sentence) == (False, "The channel is archived. Choose another one.")
    found.refresh_from_db()
    assert found.last_error == answer.sentence
    slack.archived.clear()
    channels.test(found, by=alice, at=timezone.now())
    found.refresh_from_db()
    assert found.failing_since is None


def test_two_channels_of_one_name_have_secrets_of_their_own(team: Team, alice: User) -> None:
    by_webhook(team, alice, channel="alerts")
    by_webhook(team, alice, channel="ALERTS")

    assert set(Secret.objects.values_list("name", flat=True)) == {"SLACK_ALERTS", "SLACK_ALERTS_2"}
