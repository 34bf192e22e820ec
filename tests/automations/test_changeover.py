"""Signing with two values while receivers change over, and asking them whether they have (SE2, SE3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from automations import changeover, signing, unsealing, uses, webhooks
from automations.changeover import Verdict
from automations.models import Webhook
from projects.models import Project, Team, User
from secrets_vault import secrets
from secrets_vault.models import OldValue, Secret
from tests import factories
from tests.receiver import Received, Receiver

pytestmark = pytest.mark.django_db
OLD, NEW = "canary-old-value", "canary-new-value"


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def secret(team: Team) -> Secret:
    """A signing secret that was rotated now, the old value of which signs for an hour more."""
    made = factories.make_secret(team, "SIGNING", OLD)
    return secrets.rotate(made, value=NEW, by=None, at=timezone.now(), overlap=timedelta(hours=1))


@pytest.fixture
def webhook(team: Team, secret: Secret, receiver: Receiver) -> Webhook:
    return factories.make_webhook(team, receiver.url, secret=secret)


def signers(received: Received) -> list[str]:
    """By which of the two values the message is signed, as receivers check it."""
    return [value for value in (OLD, NEW) if not _standard_problems(received, value)]


def _standard_problems(received: Received, value: str) -> list[str]:
    now = int(received.headers["webhook-timestamp"])
    found = signing.verify(received.body, received.headers, secret=value, now=now)
    return [problem for problem in found if problem.startswith("webhook-signature")]


def test_se2_while_it_lasts_both_values_sign_and_receivers_may_check_either(
    webhook: Webhook, receiver: Receiver, alice: User
) -> None:
    webhooks.test(webhook, payload="{}", by=alice)
    received = receiver.requests[0]
    assert signers(received) == [OLD, NEW]
    assert received.headers["X-Wandb-Signature"] == signing.wandb_signature(received.body, secret=NEW)


def test_se2_when_its_time_is_over_the_old_value_does_not_sign_even_if_nothing_deleted_it(
    webhook: Webhook, receiver: Receiver, alice: User
) -> None:
    OldValue.objects.update(kept_at=timezone.now() - timedelta(hours=2), ends_at=timezone.now() - timedelta(seconds=1))
    webhooks.test(webhook, payload="{}", by=alice)
    assert signers(receiver.requests[0]) == [NEW]


def test_se2_names_resolve_to_the_new_value_alone_and_both_are_masked(webhook: Webhook, secret: Secret) -> None:
    credentials = unsealing.unseal(webhook)
    assert credentials.variables == {"SIGNING": NEW}
    assert credentials.redact(f"{OLD} {NEW}") == f"{unsealing.MASK} {unsealing.MASK}"
    assert OLD not in repr(credentials)


def test_a_receiver_that_takes_the_new_value_alone_has_changed_over(
    webhook: Webhook, receiver: Receiver, alice: User
) -> None:
    finding = changeover.try_out(webhook, by=alice)
    assert (finding.verdict, finding.sentence) == (Verdict.ACCEPTED, "Takes the new value alone: it answered 200 OK.")
    assert [signers(one) for one in receiver.requests] == [[NEW]]


def test_a_receiver_that_refuses_the_new_value_alone_still_needs_the_old_one(
    webhook: Webhook, receiver: Receiver, alice: User
) -> None:
    receiver.behave(status=401, times=1)
    finding = changeover.try_out(webhook, by=alice)
    assert finding.verdict == Verdict.NEEDS_OLD
    assert "401 Unauthorized to the new alone and 200 OK to both" in finding.sentence
    assert [signers(one) for one in receiver.requests] == [[NEW], [OLD, NEW]]


def test_a_receiver_that_refuses_everything_is_said_to(webhook: Webhook, receiver: Receiver, alice: User) -> None:
    receiver.behave(status=403)
    assert changeover.try_out(webhook, by=alice).sentence == "Refused even both signatures: 403 Forbidden"
    secrets.end_old_value(Secret.objects.get(), by=alice)
    assert changeover.try_out(webhook, by=alice).sentence == "Refused the new value: 403 Forbidden"


def test_only_admins_try_receivers(webhook: Webhook, bob: User) -> None:
    with pytest.raises(PermissionDenied):
        changeover.try_out(webhook, by=bob)


def test_se3_the_use_map_names_integrations_ways_automations_and_payloads(
    webhook: Webhook, secret: Secret, project: Project, team: Team, alice: User
) -> None:
    webhook.headers.create(name="X-Key", value="${SIGNING}", secret=secret)
    factories.make_automation(project, name="Names it", webhook=webhook, payload='{"key": "${SIGNING}"}')
    factories.make_automation(project, name="Signs", webhook=webhook, payload='{"key": "${OTHER}"}')
    factories.make_webhook(team, name="without")

    (use,) = uses.uses_of(secret, reader=alice)
    assert (use.kind, use.name, use.ways) == ("webhook", "pager", ["signing secret", "header X-Key"])
    assert [(one.automation.name, one.in_payload) for one in use.automations] == [("Names it", True), ("Signs", False)]
    assert use.sentence == "webhook pager (signing secret, header X-Key), used by 2 automations"


def test_se3_a_slack_channel_and_its_workspace_are_uses_of_their_token(team: Team, alice: User) -> None:
    channel = factories.make_slack_channel(team)
    assert [use.kind for use in uses.uses_of(channel.credential, reader=alice)] == ["Slack channel", "Slack workspace"]


def test_az1_members_are_not_told_of_automations_of_teams_they_cannot_see(
    webhook: Webhook, secret: Secret, alice: User, bob: User
) -> None:
    """AC3: admins of the webhook's team see who uses it."""
    hidden = factories.make_project(factories.make_team("hidden-team", admin=alice), "hidden-project")
    factories.make_automation(hidden, name="Hidden", webhook=webhook)

    assert [[one.automation.name for one in use.automations] for use in uses.uses_of(secret, reader=alice)] == [
        ["Hidden"]
    ]
    (use,) = uses.uses_of(secret, reader=bob)
    assert (use.name, use.automations) == ("pager", [])


# --- pages ------------------------------------------------------------------------------------------------


@pytest.fixture
def admin(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def address(name: str, secret: Secret, *more: int) -> str:
    return reverse(f"team_settings_{name}", args=[secret.team.name, secret.pk, *more])


def test_a_secret_is_rotated_with_an_overlap_its_receivers_tried_and_the_old_value_ended(
    admin: Client, team: Team, receiver: Receiver
) -> None:
    secret = factories.make_secret(team, "SIGNING", OLD)
    first, second = (factories.make_webhook(team, receiver.url, name=name, secret=secret) for name in ("a", "b"))
    admin.post(address("rotate_secret", secret), {"value": NEW, "overlap": "24", "version": "1"})
    assert "the old value still signs" in admin.get(reverse("team_settings", args=[team.name])).content.decode()

    offered = admin.get(address("try_receivers", secret)).content.decode()
    assert offered.index("not tried yet") > 0
    assert not receiver.requests, "nothing is sent by looking"
    answer = admin.post(address("try_receiver", secret, first.pk)).content.decode()
    assert "Accepted" in answer
    assert address("try_receiver", secret, second.pk) in answer, "the next one is tried by itself"
    receiver.behave(status=401)
    assert "Refused" in admin.post(address("try_receiver", secret, second.pk)).content.decode()

    admin.post(address("end_old_value", secret), {"version": "2"})
    assert not OldValue.objects.exists()


def test_the_second_of_two_admins_is_told_and_nothing_typed_is_shown(admin: Client, team: Team) -> None:
    secret = factories.make_secret(team, value=OLD)
    secrets.rotate(secret, value=NEW, by=None, at=timezone.now())
    answer = admin.post(address("rotate_secret", secret), {"value": "typed-by-alice", "overlap": "0", "version": "1"})
    assert answer.status_code == 422
    assert "Somebody else rotated TOKEN meanwhile" in answer.content.decode()
    assert "typed-by-alice" not in answer.content.decode()


def test_the_dialog_of_uses_is_for_all_members(webhook: Webhook, secret: Secret, bob: User, charlie: User) -> None:
    client = Client()
    client.force_login(bob)
    assert "Webhook pager" in client.get(address("secret_uses", secret)).content.decode()
    assert client.get(address("try_receivers", secret)).status_code == 403
    client.force_login(charlie)
    assert client.get(address("secret_uses", secret)).status_code == 404


# --- REST -------------------------------------------------------------------------------------------------


def test_rotation_and_its_end_over_rest(api: Callable[[User | None], APIClient], webhook: Webhook, alice: User) -> None:
    client, base = api(alice), "/api/teams/research/"
    answer = client.put(f"{base}secrets/SIGNING/", {"value": "third-value", "overlap_hours": 2, "version": 2})
    assert answer.json()["version"] == 3
    assert answer.json()["old_value_until"]
    assert "third-value" not in answer.content.decode()
    assert client.get(f"{base}secrets/").json()["results"][0]["old_value_until"]
    assert client.get(f"{base}secrets/SIGNING/uses/").json()[0]["ways"] == ["signing secret"]
    assert client.post(f"{base}webhooks/pager/try-new-value/").json()["verdict"] == "accepted"

    assert client.put(f"{base}secrets/SIGNING/", {"value": "fourth-value", "version": 2}).status_code == 409
    assert client.put(f"{base}secrets/SIGNING/", {"value": "fourth-value", "overlap_hours": 169}).status_code == 400
    assert client.post(f"{base}secrets/SIGNING/end-old-value/", {"version": 3}).json()["old_value_until"] is None


def test_sc2_a_taken_name_is_a_conflict_for_secrets_and_webhooks_too(
    api: Callable[[User | None], APIClient], webhook: Webhook, alice: User
) -> None:
    """SC2: as it is for automations."""
    client, base = api(alice), "/api/teams/research/"
    assert client.post(f"{base}secrets/", {"name": "SIGNING", "value": "a-value"}).status_code == 409
    assert client.post(f"{base}webhooks/", {"name": "pager", "url": "https://hooks.example.com/"}).status_code == 409
    both = client.post(f"{base}webhooks/", {"name": "pager", "url": "nonsense"})
    assert both.status_code == 400, "another name alone would not do"
