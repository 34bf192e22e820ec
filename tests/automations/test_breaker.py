"""WH8: the breaker of an endpoint, against a naive model of it and step by step."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from automations import breaker, claims, executions, webhooks
from automations.endpoints import Endpoints
from automations.models import Attempt, Execution, Notice, NoticeKind, ReasonCode, Status, Webhook
from projects.models import Team, User
from tests import factories
from tests.automations.naive_breaker import Model, Waiting
from tests.receiver import Receiver

pytestmark = pytest.mark.django_db
BEGIN = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """No retry becomes due by itself, however busy the machine."""
    with time_machine.travel(BEGIN, tick=False) as traveller:
        yield traveller


@pytest.fixture
def webhook(receiver: Receiver, team: Team) -> Webhook:
    """Old enough for its breaker to open."""
    webhook = factories.make_webhook(team, url=receiver.url)
    Webhook.objects.update(created_at=BEGIN - breaker.NO_SUCCESS_FOR)
    return webhook


def match(webhook: Webhook) -> Execution:
    """One more execution that is to be sent there."""
    automation = webhook.automations.first() or factories.make_automation(webhook=webhook)
    rule = {"name": automation.name, "event_type": "RUN_STATE", "action_kind": "GENERIC_WEBHOOK", "payload": "{}"}
    return factories.make_execution(automation, status=Status.PENDING, rule=rule)


def work() -> list[int]:
    """Carry out what is due, one after another, as a worker that was just started would. Returns what was sent."""
    sent = []
    while due := Execution.objects.due(timezone.now()).order_by("next_attempt_at", "pk").first():
        before = due.attempts.count()
        executions.run(due.pk, now=timezone.now())
        if due.attempts.count() > before:
            sent.append(due.pk)
    return sent


def open_it(webhook: Webhook, receiver: Receiver) -> list[Execution]:
    """Ten failures in a row; nothing ever succeeded."""
    receiver.behave(status=503)
    failed = [match(webhook) for _ in range(breaker.FAILURES)]
    work()
    webhook.refresh_from_db()
    assert webhook.breaker_opened_at is not None
    return failed


def test_wh8_ten_failures_and_no_success_for_fifteen_minutes_open_it(
    webhook: Webhook, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    match(webhook)
    work()
    receiver.behave(status=503)
    clock.shift(14 * MINUTE)
    for _ in range(breaker.FAILURES):
        match(webhook)
    work()
    webhook.refresh_from_db()
    # It took something less than fifteen minutes ago: bad as it looks, it is too early to say.
    assert (webhook.failures_in_a_row, webhook.breaker_opened_at) == (breaker.FAILURES, None)

    clock.shift(MINUTE)
    last = match(webhook)
    work()
    webhook.refresh_from_db()
    assert webhook.breaker_opened_at == timezone.now()
    assert webhook.next_probe_at == timezone.now() + breaker.PROBE_EVERY
    last.refresh_from_db()
    assert (last.status, last.reason_code, last.next_attempt_at) == (
        Status.PENDING,
        ReasonCode.BREAKER_OPEN,
        webhook.next_probe_at,
    )


def test_wh8_where_nothing_ever_succeeded_the_fifteen_minutes_count_from_when_it_was_made(
    webhook: Webhook, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    Webhook.objects.update(created_at=BEGIN)
    receiver.behave(status=503)
    clock.shift(14 * MINUTE)
    for _ in range(breaker.FAILURES):
        match(webhook)
    work()
    webhook.refresh_from_db()
    assert (webhook.failures_in_a_row, webhook.breaker_opened_at) == (breaker.FAILURES, None)
    clock.shift(MINUTE)
    match(webhook)
    work()
    webhook.refresh_from_db()
    assert webhook.breaker_opened_at == timezone.now()


def test_wh8_what_comes_while_it_is_open_is_held_and_not_tried(
    webhook: Webhook, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    open_it(webhook, receiver)
    held = match(webhook)
    assert work() == []
    held.refresh_from_db()
    assert (held.status, held.reason_code, held.attempt_count) == (Status.PENDING, ReasonCode.BREAKER_OPEN, 0)
    assert held.result == breaker.HELD
    assert not held.attempts.exists()


def test_wh8_every_five_minutes_the_oldest_is_sent_and_a_success_drains_the_others_in_order(
    webhook: Webhook, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    failed = open_it(webhook, receiver)
    others = [match(webhook) for _ in range(3)]
    clock.shift(MINUTE)
    assert work() == []
    clock.shift(breaker.PROBE_EVERY - MINUTE)
    assert work() == [failed[0].pk]
    clock.shift(breaker.PROBE_EVERY - MINUTE)
    assert work() == []
    clock.shift(MINUTE)
    receiver.behave(status=200)
    assert work() == [execution.pk for execution in [*failed, *others]]
    webhook.refresh_from_db()
    assert (webhook.breaker_opened_at, webhook.next_probe_at, webhook.failures_in_a_row) == (None, None, 0)
    assert set(Execution.objects.values_list("status", flat=True)) == {Status.FINISHED}


def test_wh7_a_probe_takes_no_step_of_the_ladder(
    webhook: Webhook, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    """However long the outage: what the breaker probes with is not given up for it."""
    oldest = open_it(webhook, receiver)[0]
    clock.shift(MINUTE)
    work()
    for _ in range(20):
        clock.shift(breaker.PROBE_EVERY)
        work()
    oldest.refresh_from_db()
    assert (oldest.status, oldest.attempt_count, oldest.probe_count) == (Status.PENDING, 21, 20)
    assert Attempt.objects.filter(execution=oldest).count() == 21


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_another_4xx_neither_counts_nor_ends_the_counting(webhook: Webhook, receiver: Receiver, status: int) -> None:
    receiver.behave(status=503)
    for _ in range(breaker.FAILURES - 1):
        match(webhook)
    work()
    receiver.behave(status=status)
    match(webhook)
    work()
    webhook.refresh_from_db()
    assert (webhook.failures_in_a_row, webhook.breaker_opened_at) == (breaker.FAILURES - 1, None)


def test_no_answer_at_all_counts(webhook: Webhook, receiver: Receiver) -> None:
    Webhook.objects.update(url="http://127.0.0.1:9/nobody-listens")
    for _ in range(breaker.FAILURES):
        match(webhook)
    work()
    webhook.refresh_from_db()
    assert webhook.breaker_opened_at is not None


def test_skips_and_faults_of_our_own_count_nothing(webhook: Webhook, receiver: Receiver) -> None:
    """A guard that refuses the address, a template that cannot be rendered, a paused webhook: none says anything of the
    endpoint."""
    for payload in ("{", "{}"):
        execution = match(webhook)
        Execution.objects.filter(pk=execution.pk).update(rule=execution.rule | {"payload": payload})
        Webhook.objects.update(url="http://10.0.0.1/private")
        work()
    Webhook.objects.update(paused_at=timezone.now())
    match(webhook)
    work()
    webhook.refresh_from_db()
    assert webhook.failures_in_a_row == 0
    assert set(Execution.objects.values_list("status", flat=True)) == {Status.FAILED, Status.SKIPPED}


def test_wh8_the_admins_are_told_when_it_opens_and_when_it_closes(
    webhook: Webhook, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    open_it(webhook, receiver)
    notice = Notice.objects.get(webhook=webhook)
    assert (notice.kind, notice.is_open) == (NoticeKind.BREAKER_OPEN, True)
    assert "10 tries in a row failed" in notice.sentence
    receiver.behave(status=200)
    clock.shift(breaker.PROBE_EVERY)
    work()
    notice.refresh_from_db()
    assert not notice.is_open


def test_410_closes_it_and_what_is_held_is_skipped_as_paused(
    webhook: Webhook, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    open_it(webhook, receiver)
    receiver.behave(status=410)
    clock.shift(breaker.PROBE_EVERY)
    work()
    webhook.refresh_from_db()
    assert (webhook.paused_at is None, webhook.breaker_opened_at) == (False, None)
    found = set(Execution.objects.values_list("status", "reason_code"))
    assert found == {(Status.FAILED, ReasonCode.WEBHOOK_PAUSED), (Status.SKIPPED, ReasonCode.WEBHOOK_PAUSED)}


def test_an_admin_tries_at_once(
    webhook: Webhook, receiver: Receiver, clock: time_machine.Traveller, alice: User, bob: User
) -> None:
    failed = open_it(webhook, receiver)
    clock.shift(MINUTE)
    work()
    for user, refusal in ((bob, PermissionDenied), (factories.make_user("charlie"), Http404)):
        with pytest.raises(refusal):
            breaker.try_now(webhook, by=user, at=timezone.now())
    breaker.try_now(webhook, by=alice, at=timezone.now())
    assert work() == [failed[0].pk]
    assert work() == []


def test_an_admin_closes_it_and_everything_goes_out(
    webhook: Webhook, receiver: Receiver, clock: time_machine.Traveller, alice: User, bob: User
) -> None:
    failed = open_it(webhook, receiver)
    held = match(webhook)
    work()
    with pytest.raises(PermissionDenied):
        breaker.close(webhook, by=bob, at=timezone.now())
    receiver.behave(status=200)
    assert breaker.close(webhook, by=alice, at=timezone.now()) == 2  # the one that opened it, and the one after
    assert work() == [failed[-1].pk, held.pk]
    assert breaker.close(webhook, by=alice, at=timezone.now()) == 0


def test_a_webhook_that_is_changed_is_probed_at_once(
    webhook: Webhook, receiver: Receiver, clock: time_machine.Traveller, alice: User
) -> None:
    open_it(webhook, receiver)
    receiver.behave(status=200)
    webhooks.update(
        webhook,
        by=alice,
        name=webhook.name,
        url=f"{receiver.url}/v2",
        access_token=None,
        secret=None,
        signature_encoding="base64",
        headers={},
    )
    assert work()
    webhook.refresh_from_db()
    assert webhook.breaker_opened_at is None


def test_two_workers_at_once_send_one_probe(
    webhook: Webhook, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    """Whoever is second finds the time of the probe moved on."""
    open_it(webhook, receiver)
    for _ in range(3):
        match(webhook)
    work()
    clock.shift(breaker.PROBE_EVERY)
    now = timezone.now()
    batches = [claims.claim(Endpoints().room(now=0), at=now) for _ in range(2)]
    admitted = [execution for batch in batches for execution in executions.admit(batch, at=now)]
    assert len(admitted) == 1


moments = st.sampled_from([timedelta(0), timedelta(seconds=30), MINUTE, 5 * MINUTE, 16 * MINUTE, timedelta(hours=3)])
steps = st.lists(st.tuples(st.integers(0, 4), moments, st.booleans()), min_size=1, max_size=12)


@given(steps=steps)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_wh8_whatever_happens_it_does_what_the_naive_model_does(
    receiver: Receiver, steps: list[tuple[int, timedelta, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every step begins with an empty memory, as after a restart: all that counts is in the database."""
    monkeypatch.setattr(executions, "JITTER", 0)
    Execution.objects.all().delete()
    webhook = Webhook.objects.first() or factories.make_webhook()
    Webhook.objects.update(
        url=receiver.url,
        created_at=BEGIN,
        failures_in_a_row=0,
        breaker_opened_at=None,
        next_probe_at=None,
        last_success_at=None,
        failing_since=None,
    )
    model = Model(last_success=BEGIN)
    with time_machine.travel(BEGIN, tick=False) as clock:
        for count, later, answers in steps:
            clock.shift(later)
            receiver.behave(status=200 if answers else 503)
            for _ in range(count):
                model.waiting[match(webhook).pk] = Waiting(timezone.now())
            assert work() == model.work(timezone.now(), answers=answers)
            webhook.refresh_from_db()
            assert (webhook.breaker_opened_at, webhook.next_probe_at) == (model.opened, model.probe)
            found = {
                row.pk: (row.status, row.next_attempt_at, row.reason_code == ReasonCode.BREAKER_OPEN)
                for row in Execution.objects.all()
            }
            expected = {
                pk: (one.status, one.due if one.status == Status.PENDING else None, one.held)
                for pk, one in model.waiting.items()
            }
            assert found == expected


def test_a_probe_that_fails_while_somebody_closes_the_breaker_stands_on_the_first_step(
    webhook: Webhook, receiver: Receiver, clock: time_machine.Traveller, alice: User
) -> None:
    """WH7: its first attempt was no step of the ladder, and now there is no breaker to wait for."""
    Webhook.objects.update(breaker_opened_at=BEGIN, next_probe_at=BEGIN)
    receiver.behave(status=503)
    execution = match(webhook)
    now = timezone.now()
    (delivery,) = executions.begin(executions.admit(claims.claim_one(execution.pk, at=now), at=now), at=now)
    breaker.close(webhook, by=alice, at=now)
    executions.record([delivery.carry_out()], at=now)
    execution.refresh_from_db()
    assert execution.reason_code == ReasonCode.NONE
    assert execution.next_attempt_at is not None
    assert execution.next_attempt_at - now < timedelta(seconds=7)
