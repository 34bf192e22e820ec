"""Carrying executions out: claims, attempts, outcomes, the ladder (WH2, WH3, WH6, WH7, RE1, RE2, HI2, HI3)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from automations import claims, executions, signing, webhooks
from automations.actions import ActionError
from automations.actions import webhook as webhook_action
from automations.models import Attempt, EventType, Execution, ReasonCode, Status, Webhook
from automations.unsealing import MASK
from projects import runs
from registries import labels
from secrets_vault import secrets
from tests import factories
from tests.receiver import Receiver

pytestmark = pytest.mark.django_db

CANARY = 'canary-4f1d-ünïcode"quoted'


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with Receiver() as receiver:
        yield receiver


def failed_run(url: str, *, payload: str = "", **webhook: Any) -> Execution:
    """The execution of an automation that calls the address when a run fails."""
    hook = factories.make_webhook(url=url, **webhook)
    factories.make_automation(webhook=hook, payload=payload)
    run = factories.make_run(display_name="prod-7")
    runs.finish(run, exit_code=1, by=run.user, at=timezone.now())
    return Execution.objects.get()


def carried_out(execution: Execution, *, now: datetime | None = None) -> Execution:
    executions.run(execution.pk, now=now)
    execution.refresh_from_db()
    return execution


def test_hi2_finished_only_after_a_2xx(receiver: Receiver) -> None:
    execution = carried_out(failed_run(receiver.url))
    assert execution.status == Status.FINISHED
    assert execution.result == "The receiver answered 200 OK."
    assert execution.next_attempt_at is None
    attempt = execution.attempts.get()
    assert (attempt.number, attempt.status_code, attempt.error) == (1, 200, "")
    assert attempt.duration is not None
    assert attempt.response_body == '{"ok": true}'


def test_wh2_without_a_template_the_default_document_is_sent(receiver: Receiver) -> None:
    execution = carried_out(failed_run(receiver.url))
    (request,) = receiver.requests
    document = request.json()
    assert document["type"] == "RUN_STATE"
    assert document["run"]["name"] == "prod-7"
    assert document["run"]["state"] == "failed"
    assert document["automation"]["summary"] == "When a run fails, call webhook pager"
    assert document["execution"]["id"] == str(execution.key)
    assert json.loads(execution.payload) == document


def test_pl1_pl2_a_template_is_rendered_with_the_event(receiver: Receiver) -> None:
    payload = '{"text": "${run_name} is ${run_status}", "${event_type}": ["${project_name}", "${alias}"]}'
    carried_out(failed_run(receiver.url, payload=payload))
    assert receiver.requests[0].json() == {"text": "prod-7 is failed", "RUN_STATE": ["digits", ""]}


def test_wh3_token_and_both_signatures_are_sent(receiver: Receiver) -> None:
    token = factories.make_secret(name="TOKEN", value="t0ken")
    secret = factories.make_secret(name="SIGNING", value="s3cret")
    execution = carried_out(failed_run(receiver.url, access_token=token, secret=secret))
    (request,) = receiver.requests
    assert request.headers["Authorization"] == "Bearer t0ken"
    assert signing.verify(request.body, request.headers, secret="s3cret", now=request.at) == []
    assert request.headers["webhook-id"] == f"msg_{execution.key.hex}"


def test_wh1_extra_headers_may_hold_a_secret(receiver: Receiver) -> None:
    key = factories.make_secret(name="API_KEY", value="k3y-value")
    execution = carried_out(failed_run(receiver.url, headers={"X-Api-Key": ("key ${API_KEY}", key)}))
    assert receiver.requests[0].headers["X-Api-Key"] == "key k3y-value"
    assert execution.attempts.get().request_headers["X-Api-Key"] == f"key {MASK}"


def test_pl4_secrets_resolve_while_sending_and_are_masked_in_history(receiver: Receiver) -> None:
    token = factories.make_secret(name="TOKEN", value=CANARY)
    secret = factories.make_secret(name="SIGNING", value="signing-canary")
    receiver.behave(body=json.dumps({"you_sent": CANARY, "raw": "signing-canary"}).encode())
    payload = '{"token": "${ACCESS_TOKEN}", "secret": "${SIGNING}", "other": "${TOKEN}"}'
    execution = carried_out(failed_run(receiver.url, payload=payload, access_token=token, secret=secret))
    assert receiver.requests[0].json() == {"token": CANARY, "secret": "signing-canary", "other": ""}
    assert json.loads(execution.payload) == {"token": MASK, "secret": MASK, "other": ""}
    attempt = execution.attempts.get()
    assert attempt.request_headers["Authorization"] == MASK
    kept = json.dumps([attempt.request_headers, attempt.response_headers, attempt.response_body, execution.payload])
    assert "canary" not in kept


@pytest.mark.parametrize(
    ("behaviour", "status", "code"),
    [
        ({"status": 400}, Status.FAILED, ReasonCode.REJECTED),
        ({"status": 404}, Status.FAILED, ReasonCode.REJECTED),
        ({"status": 302, "headers": {"Location": "http://169.254.169.254/"}}, Status.FAILED, ReasonCode.REJECTED),
        ({"status": 500}, Status.PENDING, ReasonCode.NONE),
        ({"status": 429}, Status.PENDING, ReasonCode.NONE),
        ({"status": 408}, Status.PENDING, ReasonCode.NONE),
        ({"close": True}, Status.PENDING, ReasonCode.NONE),
        ({"raw": b"garbage\r\n\r\n"}, Status.PENDING, ReasonCode.NONE),
    ],
)
def test_wh7_what_is_retried_and_what_is_final(
    receiver: Receiver, behaviour: dict[str, Any], status: str, code: str
) -> None:
    receiver.behave(**behaviour)
    execution = carried_out(failed_run(receiver.url))
    assert (execution.status, execution.reason_code) == (status, code)
    assert execution.attempts.get().error
    assert execution.result


def test_an_answer_that_ends_an_execution_says_what_to_look_at(receiver: Receiver) -> None:
    receiver.behave(status=404)
    execution = carried_out(failed_run(receiver.url))
    assert execution.result == "The receiver answered 404 Not Found. Check the endpoint URL of the webhook."
    assert execution.attempts.get().error == execution.result


def test_wh7_the_ladder_is_climbed_with_the_same_webhook_id_until_it_gives_up(receiver: Receiver) -> None:
    receiver.behave(status=503)
    execution = failed_run(receiver.url)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for step in (*executions.LADDER, None):
            execution = carried_out(execution)
            if step is None:
                break
            assert execution.status == Status.PENDING
            assert execution.next_attempt_at is not None
            wait = execution.next_attempt_at - timezone.now()
            assert step * 0.8 <= wait <= step * 1.2
            carried_out(execution)  # too early: nothing happens
            clock.move_to(execution.next_attempt_at)
    assert execution.status == Status.FAILED
    assert execution.reason_code == ReasonCode.GAVE_UP
    assert "attempt 8, the last one" in execution.result
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
    assert [attempt.number for attempt in execution.attempts.all()] == list(range(1, 9))


def test_wh7_a_retry_is_what_comes_next(receiver: Receiver) -> None:
    receiver.behave(status=503)
    execution = carried_out(failed_run(receiver.url))
    assert Execution.objects.next_due() == execution.next_attempt_at


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [(None, 4, 6), (3, 4, 6), (600, 600, 600), (86_400, 3600, 3600), (-5, 4, 6)],
)
def test_wh7_retry_after_is_honoured_up_to_an_hour(asked: float | None, least: float, most: float) -> None:
    for _ in range(50):
        assert least <= executions.wait_before_retry(1, retry_after=asked).total_seconds() <= most


def test_wh7_410_pauses_the_webhook_and_later_executions_are_skipped(receiver: Receiver) -> None:
    receiver.behave(status=410)
    execution = carried_out(failed_run(receiver.url))
    assert execution.status == Status.FAILED
    assert "The webhook is paused" in execution.result
    webhook = Webhook.objects.get()
    assert webhook.paused_at is not None
    run = factories.make_run()
    runs.finish(run, exit_code=1, by=run.user, at=timezone.now())
    second = carried_out(Execution.objects.latest("pk"))
    assert (second.status, second.reason_code) == (Status.SKIPPED, ReasonCode.WEBHOOK_PAUSED)
    assert len(receiver.requests) == 1
    alice = factories.make_user()
    factories.make_team(admin=alice)
    webhooks.resume(webhook, by=alice)
    receiver.behave(status=200)
    run = factories.make_run()
    runs.finish(run, exit_code=1, by=run.user, at=timezone.now())
    assert carried_out(Execution.objects.latest("pk")).status == Status.FINISHED


def test_wh9_a_refused_address_fails_for_good_and_names_the_setting(settings: Settings) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    with Receiver() as receiver:
        execution = carried_out(failed_run(receiver.url))
        assert not receiver.requests
    assert (execution.status, execution.reason_code) == (Status.FAILED, ReasonCode.REFUSED_ADDRESS)
    assert "WEBHOOK_ALLOWED_NETWORKS" in execution.result


def test_ac1_do_nothing_is_finished_without_an_attempt() -> None:
    factories.make_automation()
    run = factories.make_run()
    runs.finish(run, exit_code=1, by=run.user, at=timezone.now())
    execution = carried_out(Execution.objects.get())
    assert execution.status == Status.FINISHED
    assert not Attempt.objects.exists()


def test_a_webhook_deleted_meanwhile_is_said_to_be(receiver: Receiver) -> None:
    execution = failed_run(receiver.url)
    assert execution.automation is not None
    execution.automation.delete()
    Webhook.objects.all().delete()
    execution = carried_out(execution)
    assert (execution.status, execution.reason_code) == (Status.FAILED, ReasonCode.NOT_SENDABLE)
    assert execution.rule["name"] == "Tell the pager"


def test_az3_an_execution_is_sent_though_its_automation_was_deleted_meanwhile(receiver: Receiver) -> None:
    execution = failed_run(receiver.url)
    assert execution.automation is not None
    execution.automation.delete()
    assert carried_out(execution).status == Status.FINISHED


def test_the_rule_is_sent_as_it_was_when_it_matched(receiver: Receiver) -> None:
    execution = failed_run(receiver.url, payload='{"version": "old"}')
    assert execution.automation is not None
    execution.automation.payload = '{"version": "new"}'
    execution.automation.save()
    carried_out(execution)
    assert receiver.requests[0].json() == {"version": "old"}


def test_se2_a_rotated_secret_is_used_at_once(receiver: Receiver) -> None:
    token = factories.make_secret(name="TOKEN", value="old-value")
    execution = failed_run(receiver.url, access_token=token)
    secrets.rotate(token, value="new-value", by=None, at=timezone.now())
    carried_out(execution)
    assert receiver.requests[0].headers["Authorization"] == "Bearer new-value"


def test_re2_the_attempt_is_written_before_the_send(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    execution = failed_run(receiver.url)

    class PowerCut(BaseException):
        """What kill -9 looks like from inside: nothing after it runs."""

    def die(*args: Any, **kwargs: Any) -> None:
        raise PowerCut

    monkeypatch.setattr("automations.http.send", die)
    with pytest.raises(PowerCut):
        executions.run(execution.pk)
    execution.refresh_from_db()
    assert execution.status == Status.RUNNING
    assert execution.attempts.get().duration is None


def test_re1_what_a_killed_worker_had_is_sent_again_with_the_same_id(receiver: Receiver) -> None:
    execution = failed_run(receiver.url)
    now = timezone.now()
    Execution.objects.filter(pk=execution.pk).update(
        status=Status.RUNNING, claimed_until=now + claims.lease(), attempt_count=1
    )
    assert carried_out(execution, now=now + claims.lease() / 2).status == Status.RUNNING
    assert Execution.objects.next_due() == now + claims.lease()
    assert carried_out(execution, now=now + claims.lease()).status == Status.FINISHED
    assert len(receiver.requests) == 1


def test_who_was_given_up_meanwhile_writes_no_outcome(receiver: Receiver) -> None:
    execution = failed_run(receiver.url)
    now = timezone.now()
    (late,) = executions.begin(claims.claim_one(execution.pk, at=now), at=now)
    assert carried_out(execution, now=now + claims.lease()).status == Status.FINISHED
    result = replace(late.carry_out(), receipt=None, error=ActionError("too late", permanent=True))
    executions.record([result], at=now)
    execution.refresh_from_db()
    assert execution.status == Status.FINISHED
    assert [attempt.error for attempt in execution.attempts.all()] == ["too late", ""]


def test_a_fault_of_our_own_is_logged_and_retried_and_says_so(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = failed_run(receiver.url)
    monkeypatch.setattr(webhook_action, "prepare", lambda *_args, **_kwargs: 1 / 0)
    execution = carried_out(execution)
    assert execution.status == Status.PENDING
    assert execution.result == executions.OWN_FAULT


@pytest.mark.django_db(transaction=True)
def test_of_ten_workers_with_the_same_task_one_sends(receiver: Receiver) -> None:
    execution = failed_run(receiver.url)

    def work(_: int) -> None:
        try:
            executions.run(execution.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(work, range(10)))
    assert len(receiver.requests) == 1
    execution.refresh_from_db()
    assert execution.status == Status.FINISHED


def test_an_alias_event_renders_its_variables(receiver: Receiver) -> None:
    """PL2, PL3."""
    payload = json.dumps(
        {
            "string": "${artifact_version_string}",
            "version": "${artifact_version}",
            "index": "${artifact_version_index}",
            "alias": "${alias}",
            "accuracy": "${artifact_metadata.accuracy}",
            "author": "${event_author}",
        }
    )
    hook = factories.make_webhook(url=receiver.url)
    factories.make_automation(event_type=EventType.ADD_ARTIFACT_ALIAS, webhook=hook, payload=payload)
    version = factories.make_version(metadata={"accuracy": 0.97})
    labels.add_alias(version, "production", by=factories.make_user("bob"), at=timezone.now())
    carried_out(Execution.objects.get())
    sent = receiver.requests[0].json()
    assert sent["string"] == "research/digits/model:production"
    assert sent["version"].startswith("wandb-artifact://_id/")
    assert (sent["index"], sent["alias"], sent["accuracy"], sent["author"]) == ("0", "production", "0.97", "bob")
