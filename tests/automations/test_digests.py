"""Quiet hours and noise budgets of Slack channels: what waits, the digest that comes, and that all of it adds up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from automations import claims, digests, executions, pending
from automations.endpoints import Endpoints
from automations.executions import LADDER
from automations.models import ChannelPost, Digest, Execution, ReasonCode, SlackChannel, Status
from automations.slack import limits
from automations.slack.limits import Limits
from projects.models import Team, User
from tests import factories
from tests.slack import FakeSlack

pytestmark = pytest.mark.django_db
BEGIN = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)  # a Monday
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NIGHT = Limits(quiet_from=time(22), quiet_until=time(7), quiet_zone="UTC", quiet_days=range(7))


@pytest.fixture
def slack(settings: Settings) -> Iterator[FakeSlack]:
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with FakeSlack() as slack:
        settings.SLACK_API_URL = slack.api_url
        yield slack


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(BEGIN, tick=False) as traveller:
        yield traveller


@pytest.fixture
def channel(slack: FakeSlack, team: Team) -> SlackChannel:
    return factories.make_slack_channel(team)


def allow(channel: SlackChannel, asked: Limits) -> None:
    limits.set_limits(channel, asked, by=factories.make_user("alice"), at=timezone.now())


def match(channel: SlackChannel, *, name: str = "Tell us", severity: str = "INFO") -> Execution:
    """One more message for the channel."""
    automation = channel.automations.filter(name=name).first() or factories.make_automation(
        name=name, slack_channel=channel, severity=severity
    )
    rule = {"name": name, "event_type": "RUN_STATE", "action_kind": "NOTIFICATION", "severity": severity}
    return factories.make_execution(automation, status=Status.PENDING, rule=rule)


def work() -> None:
    """Carry out what is due, one after another, as a worker that was just started would."""
    while due := Execution.objects.due(timezone.now()).order_by("next_attempt_at", "pk").first():
        executions.run(due.pk, now=timezone.now())


def texts(slack: FakeSlack) -> list[str]:
    return [message["text"] for message in slack.messages]


def statuses() -> dict[str, int]:
    counted: dict[str, int] = {}
    for status in Execution.objects.values_list("status", flat=True):
        counted[status] = counted.get(status, 0) + 1
    return counted


def test_a_channel_without_limits_gets_everything_at_once(
    channel: SlackChannel, slack: FakeSlack, clock: time_machine.Traveller
) -> None:
    for _ in range(5):
        match(channel)
    work()
    assert len(slack.messages) == 5
    assert not ChannelPost.objects.exists()


def test_what_is_too_much_for_the_hour_comes_in_one_digest(
    channel: SlackChannel, slack: FakeSlack, clock: time_machine.Traveller
) -> None:
    allow(channel, Limits(hourly_budget=3))
    for index in range(10):
        match(channel, name=f"Automation {index % 2}", severity="ERROR" if index % 2 else "INFO")
    work()
    assert len(slack.messages) == 3
    held = Execution.objects.filter(status=Status.PENDING)
    assert {one.reason_code for one in held} == {ReasonCode.NOISE_BUDGET}
    assert {one.next_attempt_at for one in held} == {BEGIN + HOUR}

    clock.shift(HOUR - timedelta(seconds=1))
    work()
    assert len(slack.messages) == 3
    clock.shift(timedelta(seconds=1))
    work()
    assert len(slack.messages) == 4
    digest = Digest.objects.get()
    assert "7 messages in one" in texts(slack)[-1]
    shown = json.dumps(slack.messages[-1])
    assert "Automation 1: 4 ERROR" in shown
    assert "Automation 0: 3 INFO" in shown
    assert digest.get_absolute_url() in shown
    assert statuses() == {Status.FINISHED: 10}
    told = Execution.objects.filter(digest=digest)
    assert {one.result for one in told} == {"Delivered in a digest of 7."}
    assert told.count() == 7


def test_a_digest_of_one_is_the_message_itself(
    channel: SlackChannel, slack: FakeSlack, clock: time_machine.Traveller
) -> None:
    allow(channel, Limits(hourly_budget=1))
    for name in ("First", "Second"):
        match(channel, name=name)
    work()
    clock.shift(HOUR)
    work()
    assert "Second" in texts(slack)[1]
    assert "in one" not in texts(slack)[1]


def test_ui6_a_digest_is_in_the_language_of_the_channels_team(
    channel: SlackChannel, slack: FakeSlack, clock: time_machine.Traveller
) -> None:
    channel.team.language = "ja"
    channel.team.save()
    allow(channel, Limits(hourly_budget=1))
    for _ in range(3):
        match(channel, name="見張り")
    work()
    clock.shift(HOUR)
    work()

    sent = texts(slack)[-1]
    assert "2 件のメッセージ" in sent
    assert "チャンネルの上限は 1 時間に 1 件です。" in sent
    assert "2 件すべてを開く" in json.dumps(slack.messages[-1], ensure_ascii=False)
    assert "messages" not in sent


def test_nothing_newer_overtakes_what_waits(
    channel: SlackChannel, slack: FakeSlack, clock: time_machine.Traveller
) -> None:
    """While a digest is open, all else joins it; afterwards there is room again."""
    allow(channel, Limits(hourly_budget=2))
    for _ in range(3):
        match(channel)
    work()
    clock.shift(HOUR - MINUTE)
    match(channel)
    work()
    assert len(slack.messages) == 2
    clock.shift(MINUTE)
    work()
    assert "2 messages in one" in texts(slack)[-1]
    match(channel, name="Afterwards")
    work()
    assert "Afterwards" in texts(slack)[-1]


def test_quiet_hours_hold_messages_for_one_digest_at_their_end(
    channel: SlackChannel, slack: FakeSlack, clock: time_machine.Traveller
) -> None:
    allow(channel, NIGHT)
    clock.move_to(BEGIN.replace(hour=23))
    for _ in range(2):
        match(channel)
    work()
    clock.shift(4 * HOUR)
    match(channel, severity="WARN")
    work()
    assert slack.messages == []
    assert {one.reason_code for one in Execution.objects.all()} == {ReasonCode.QUIET_HOURS}
    clock.move_to(datetime(2026, 5, 5, 7, 0, tzinfo=UTC))
    work()
    assert len(slack.messages) == 1
    assert "WARN: 3 messages in one" in texts(slack)[0]
    assert statuses() == {Status.FINISHED: 3}


@pytest.mark.parametrize("passes", [True, False])
def test_errors_pass_quiet_hours_if_the_channel_says_so(
    channel: SlackChannel, slack: FakeSlack, clock: time_machine.Traveller, passes: bool
) -> None:
    allow(
        channel, Limits(**{name: getattr(NIGHT, name) for name in limits.FIELDS} | {"errors_pass_quiet_hours": passes})
    )
    clock.move_to(BEGIN.replace(hour=23))
    match(channel)
    work()
    match(channel, name="Bad", severity="ERROR")
    work()
    assert len(slack.messages) == (1 if passes else 0)


def test_what_becomes_of_the_carrier_becomes_of_all(
    channel: SlackChannel, slack: FakeSlack, clock: time_machine.Traveller
) -> None:
    """Slack is down for a while: the ladder tries the digest again. Then the channel is archived: all of it failed."""
    allow(channel, Limits(hourly_budget=1))
    for _ in range(4):
        match(channel)
    work()
    clock.shift(HOUR)
    slack.behave(times=1, status=503)
    work()
    assert statuses() == {Status.FINISHED: 1, Status.PENDING: 3}
    assert all(
        one.next_attempt_at and one.next_attempt_at > timezone.now()
        for one in Execution.objects.exclude(status=Status.FINISHED)
    )
    slack.archived.add(channel.channel_id)
    clock.shift(MINUTE)
    work()
    assert statuses() == {Status.FINISHED: 1, Status.FAILED: 3}
    assert {one.reason_code for one in Execution.objects.filter(status=Status.FAILED)} == {
        ReasonCode.INTEGRATION_BROKEN
    }


def test_hi2_when_the_carrier_is_given_up_the_others_say_so_too(
    channel: SlackChannel, slack: FakeSlack, clock: time_machine.Traveller
) -> None:
    allow(channel, Limits(hourly_budget=1))
    for _ in range(4):
        match(channel)
    work()
    Execution.objects.filter(digest__isnull=False, waits_for_digest=False).update(attempt_count=len(LADDER))
    slack.behave(times=1, status=503)
    clock.shift(HOUR)
    work()
    assert statuses() == {Status.FINISHED: 1, Status.FAILED: 3}
    assert {one.reason_code for one in Execution.objects.filter(status=Status.FAILED)} == {ReasonCode.GAVE_UP}


def test_a_carrier_that_is_cancelled_hands_over(
    channel: SlackChannel, slack: FakeSlack, clock: time_machine.Traveller, alice: User
) -> None:
    allow(channel, Limits(hourly_budget=1))
    for _ in range(4):
        match(channel)
    work()
    carrier = Execution.objects.get(digest__isnull=False, waits_for_digest=False)
    pending.cancel(carrier, by=alice, at=timezone.now())
    clock.shift(HOUR)
    assert digests.appoint_carriers(at=timezone.now()) == 1
    assert digests.appoint_carriers(at=timezone.now()) == 0
    work()
    assert "2 messages in one" in texts(slack)[-1]
    assert statuses() == {Status.FINISHED: 3, Status.SKIPPED: 1}


def test_what_waits_for_a_digest_cannot_be_hurried(
    channel: SlackChannel, slack: FakeSlack, clock: time_machine.Traveller, alice: User
) -> None:
    allow(channel, Limits(hourly_budget=1))
    for _ in range(2):
        match(channel)
    work()
    with pytest.raises(pending.NotWaiting, match="digest"):
        pending.try_now(Execution.objects.get(digest__isnull=False), by=alice, at=timezone.now())


def test_limits_that_are_lifted_let_go_what_waits(
    channel: SlackChannel, slack: FakeSlack, clock: time_machine.Traveller
) -> None:
    allow(channel, Limits(hourly_budget=1))
    for _ in range(4):
        match(channel)
    work()
    allow(channel, Limits())
    work()
    assert statuses() == {Status.FINISHED: 4}
    assert len(slack.messages) == 2


def test_a_new_budget_counts_what_came_before_it(
    channel: SlackChannel, slack: FakeSlack, clock: time_machine.Traveller
) -> None:
    for _ in range(3):
        match(channel)
    work()
    clock.shift(MINUTE)
    allow(channel, Limits(hourly_budget=3))
    match(channel)
    work()
    assert len(slack.messages) == 3


def test_a_message_that_slack_surely_did_not_take_costs_nothing(
    channel: SlackChannel, slack: FakeSlack, clock: time_machine.Traveller
) -> None:
    allow(channel, Limits(hourly_budget=1))
    match(channel)
    slack.behave(times=1, status=503)
    work()
    assert not ChannelPost.objects.exists()
    clock.shift(MINUTE)
    work()
    assert statuses() == {Status.FINISHED: 1}
    assert digests.spent(channel, at=timezone.now()) == 1


moves = st.one_of(
    st.tuples(st.just("match"), st.integers(1, 6)),
    st.tuples(st.just("later"), st.sampled_from([1, 7, 20, 45, 61])),
    st.tuples(st.just("killed"), st.sampled_from(["before the send", "after the send"])),
    st.tuples(st.just("refused"), st.integers(1, 2)),
)


@given(budget=st.integers(1, 4), script=st.lists(moves, min_size=1, max_size=8))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_budget_is_never_exceeded_and_nothing_is_lost(
    slack: FakeSlack, team: Team, budget: int, script: list[tuple[str, Any]]
) -> None:
    """Bursts, two workers that take turns, workers killed before and after a send, Slack that refuses: in no hour more
    than the budget arrives, and in the end each execution was told of."""
    Execution.objects.all().delete()
    Digest.objects.all().delete()
    slack.requests.clear()
    channel = SlackChannel.objects.first() or factories.make_slack_channel(team)
    with time_machine.travel(BEGIN, tick=False) as clock:
        allow(channel, Limits())
        allow(channel, Limits(hourly_budget=budget))
        taken: list[datetime] = []
        for what, how in script:
            if what == "match":
                for _ in range(how):
                    match(channel)
            elif what == "later":
                clock.shift(how * MINUTE)
            elif what == "refused":
                slack.behave(times=how, status=503)
            _two_workers(taken, slack, kill=how if what == "killed" else "")
        for _ in range(60):
            clock.shift(31 * MINUTE)
            _two_workers(taken, slack)
    assert set(Execution.objects.values_list("status", flat=True)) <= {Status.FINISHED}
    assert not Execution.objects.filter(waits_for_digest=True).exists()
    for moment in taken:
        within = [other for other in taken if moment - HOUR < other <= moment]
        assert len(within) <= budget


def _two_workers(taken: list[datetime], slack: FakeSlack, *, kill: str = "") -> None:
    """Two workers claim before either sends. Notes when Slack took something."""
    for _ in range(20):
        now = timezone.now()
        batches = [claims.claim(Endpoints().room(now=0), at=now) for _ in range(2)]
        admitted = [executions.admit(batch, at=now) for batch in batches]
        if not any(batches):
            return
        for batch in admitted:
            for delivery in executions.begin(batch, at=now):
                if kill == "before the send":
                    continue
                result = delivery.carry_out()
                if result.error is None:
                    taken.append(now)
                if kill != "after the send":
                    executions.record([result], at=now)
