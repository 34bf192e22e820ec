"""AC2: shadow mode does everything but send."""

from __future__ import annotations

import json
import socket

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone
from pytest_django import Settings

from automations import editing, executions
from automations.models import Automation, Cooldown, Execution, ReasonCode, Status
from automations.team_settings.page import webhooks_of
from automations.unsealing import MASK
from projects import runs
from projects.models import Project, User
from tests import factories
from tests.receiver import Receiver

pytestmark = pytest.mark.django_db
CANARY = "canary-4f1d-of-the-vault"


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Addresses that somebody tried to connect to."""
    tried: list[object] = []

    def connect(self: socket.socket, address: object) -> None:
        tried.append(address)
        raise AssertionError(f"a connection to {address} was opened")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect_ex", connect)
    return tried


def after_a_failed_run(project: Project | None = None) -> Execution:
    """What came last of a run that failed, as far as it goes by itself."""
    run = factories.make_run(project, display_name="prod-7")
    runs.finish(run, exit_code=1, by=None, at=timezone.now())
    execution = Execution.objects.latest("pk")
    executions.run(execution.pk)
    execution.refresh_from_db()
    return execution


def webhook_automation(url: str = "https://hooks.example.com/pager") -> Automation:
    secret = factories.make_secret(value=CANARY)
    webhook = factories.make_webhook(url=url, access_token=secret, headers={"X-Key": ("${TOKEN}", secret)})
    return factories.make_automation(
        webhook=webhook, shadow=True, payload='{"text": "${run_name}", "token": "${ACCESS_TOKEN}"}'
    )


def test_ac2_a_webhook_is_rendered_and_redacted_and_not_called(no_sockets: list[object]) -> None:
    webhook_automation()

    execution = after_a_failed_run()

    assert (execution.status, execution.reason_code, execution.shadow) == (Status.SKIPPED, ReasonCode.SHADOW, True)
    assert json.loads(execution.payload) == {"text": "prod-7", "token": MASK}
    assert execution.result == "Shadow mode: this would have been sent."
    assert not execution.attempts.exists()
    assert no_sockets == []


def test_ac2_a_slack_message_is_rendered_and_not_posted(no_sockets: list[object]) -> None:
    factories.make_automation(slack_channel=factories.make_slack_channel(), shadow=True, title="${run_name} failed")

    execution = after_a_failed_run()

    assert execution.shown_status == "shadow"
    assert "prod-7 failed" in execution.payload
    assert "xoxb" not in execution.payload
    assert no_sockets == []


def test_ac2_doing_nothing_is_rehearsed_as_well() -> None:
    factories.make_automation(shadow=True)

    execution = after_a_failed_run()

    assert execution.result == "Shadow mode: it would have done nothing but record this."
    assert execution.payload == ""


def test_ac2_a_payload_that_cannot_be_rendered_fails_in_shadow_mode_too() -> None:
    webhook_automation()
    Automation.objects.update(payload="not a template")

    execution = after_a_failed_run()

    assert (execution.status, execution.reason_code) == (Status.FAILED, ReasonCode.NOT_SENDABLE)
    assert execution.shown_status == Status.FAILED


def test_ac2_a_paused_webhook_does_not_end_the_rehearsal() -> None:
    automation = webhook_automation()
    assert automation.webhook is not None
    automation.webhook.paused_at = timezone.now()
    automation.webhook.save()

    assert after_a_failed_run().reason_code == ReasonCode.SHADOW


def test_ac2_made_live_the_next_event_is_sent_and_what_was_rehearsed_is_not(
    settings: Settings, alice: User, project: Project
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with Receiver() as receiver:
        automation = webhook_automation(receiver.url)
        runs.finish(factories.make_run(project), exit_code=1, by=None, at=timezone.now())
        editing.make_live(automation, by=alice)
        executions.run(Execution.objects.get().pk)
        live = after_a_failed_run()

    assert Execution.objects.earliest("pk").reason_code == ReasonCode.SHADOW
    assert (live.status, live.shadow) == (Status.FINISHED, False)
    assert len(receiver.requests) == 1


def test_ev13_making_it_live_does_not_rearm_it(alice: User, project: Project) -> None:
    automation = factories.make_automation(project, shadow=True)
    after_a_failed_run(project)

    editing.make_live(automation, by=alice)

    assert Cooldown.objects.filter(automation=automation).exists()


def test_only_who_may_edit_it_makes_it_live(project: Project, bob: User, charlie: User) -> None:
    automation = factories.make_automation(project, shadow=True)

    with pytest.raises(PermissionDenied):
        editing.make_live(automation, by=bob)
    with pytest.raises(Http404):
        editing.make_live(automation, by=charlie)
    automation.refresh_from_db()
    assert automation.shadow


def test_ac2_a_rehearsal_is_no_use_of_the_webhook(alice: User, project: Project) -> None:
    webhook_automation()
    after_a_failed_run(project)

    (webhook,) = webhooks_of(project.team, viewer=alice)
    assert webhook.last_at is None  # type: ignore[attr-defined]  # shown by the page
