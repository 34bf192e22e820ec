"""Snooze: until a time, what an automation matches is written down as skipped; nothing is used up, and it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.utils import timezone

from automations import cooldowns, executions, snoozing
from automations.models import Allowance, Automation, AutomationSwitch, EventType, Execution, ReasonCode, Status
from projects import metrics, runs
from projects.models import Project, Run, User
from tests import factories

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def automation(project: Project) -> Automation:
    return factories.make_automation(project)


def fail(run: Run, *, at: datetime | None = None) -> None:
    at = at or timezone.now()
    if run.state == "failed":
        runs.start_again(run, by=factories.make_user(), at=at)
    runs.finish(run, exit_code=1, by=None, at=at)
    run.refresh_from_db()


def log_bad_losses(run: Run) -> None:
    for _ in range(3):
        metrics.append(run, metrics.parse(b'[{"loss": 2.0}]'), at=timezone.now())


def test_what_a_snoozed_automation_matches_is_skipped_with_the_reason(automation: Automation, alice: User) -> None:
    """HI2: skipped, with a reason code and a sentence; nothing waits for a worker."""
    now = timezone.now()
    snoozing.snooze(automation, until=now + HOUR, by=alice, at=now)
    fail(factories.make_run(automation.project))

    execution = Execution.objects.get()
    assert (execution.status, execution.reason_code) == (Status.SKIPPED, ReasonCode.SNOOZED)
    assert execution.result.startswith("The automation was snoozed until ")
    assert (execution.next_attempt_at, execution.finished_at is not None) == (None, True)


def test_ev11_a_snoozed_match_does_not_use_up_the_once_in_24_hours(automation: Automation, alice: User) -> None:
    """EV11: the same run fires once the snooze is over."""
    run, now = factories.make_run(automation.project), timezone.now()
    snoozing.snooze(automation, until=now + HOUR, by=alice, at=now)
    fail(run)
    snoozing.end(automation, by=alice, at=now)
    fail(run)
    fail(run)

    codes = list(Execution.objects.order_by("pk").values_list("reason_code", flat=True))
    assert codes == [ReasonCode.SNOOZED, ReasonCode.NONE]


def test_what_fired_for_a_run_before_is_still_noted_while_snoozed(automation: Automation, alice: User) -> None:
    run, now = factories.make_run(automation.project), timezone.now()
    fail(run)
    snoozing.snooze(automation, until=now + HOUR, by=alice, at=now)
    fail(run)
    fail(run)
    snoozing.end(automation, by=alice, at=now)
    fail(run)
    codes = list(Execution.objects.order_by("pk").values_list("reason_code", flat=True))
    assert codes == [ReasonCode.NONE, ReasonCode.SNOOZED]


def test_ev12_a_snoozed_match_does_not_use_up_the_limit_of_a_wide_scope(project: Project, alice: User) -> None:
    automation = factories.make_automation(project.team)
    now = timezone.now()
    snoozing.snooze(automation, until=now + HOUR, by=alice, at=now)
    fail(factories.make_run(project))
    assert Execution.objects.get().reason_code == ReasonCode.SNOOZED
    assert not Allowance.objects.exists()


def test_it_ends_by_itself(automation: Automation, alice: User) -> None:
    now = timezone.now()
    snoozing.snooze(automation, until=now + HOUR, by=alice, at=now)
    assert snoozing.is_snoozed(automation, at=now + HOUR - timedelta(seconds=1))
    assert not snoozing.is_snoozed(automation, at=now + HOUR)

    Automation.objects.update(snoozed_until=now)
    fail(factories.make_run(automation.project))
    execution = Execution.objects.get()
    executions.run(execution.pk)
    execution.refresh_from_db()
    assert execution.status == Status.FINISHED


def test_a_metric_that_stays_bad_is_noted_once_and_fires_when_the_snooze_is_over(project: Project, alice: User) -> None:
    """Logging goes on, and writes no second row; the first batch after the snooze fires."""
    automation = factories.make_automation(project, event_type=EventType.RUN_METRIC)
    run, now = factories.make_run(project), timezone.now()
    snoozing.snooze(automation, until=now + HOUR, by=alice, at=now)
    log_bad_losses(run)
    assert [row.reason_code for row in Execution.objects.all()] == [ReasonCode.SNOOZED]
    assert cooldowns.quiet([automation.pk], run=run, at=now) == {automation.pk}

    snoozing.end(automation, by=alice, at=now)
    assert cooldowns.quiet([automation.pk], run=run, at=now) == set()
    log_bad_losses(run)
    codes = list(Execution.objects.order_by("pk").values_list("reason_code", flat=True))
    assert codes == [ReasonCode.SNOOZED, ReasonCode.NONE]


def test_it_is_a_switch_beside_the_versions_with_who_and_until_when(automation: Automation, alice: User) -> None:
    version, now = automation.version, datetime(2026, 5, 4, 8, 0, tzinfo=UTC)
    snoozing.snooze(automation, until=now + HOUR, by=alice, at=now)
    snoozing.end(automation, by=alice, at=now)
    snoozing.end(automation, by=alice, at=now)

    automation.refresh_from_db()
    assert (automation.version, automation.snoozed_until) == (version, None)
    switches = AutomationSwitch.objects.order_by("pk")
    assert [switch.label for switch in switches] == ["Snoozed until 2026-05-04 09:00 UTC", "Snooze ended"]
    assert {switch.created_by for switch in switches} == {alice}


@pytest.mark.parametrize("until", [timedelta(0), timedelta(days=-1), timedelta(days=366)])
def test_a_time_that_is_over_or_far_away_is_refused(automation: Automation, alice: User, until: timedelta) -> None:
    now = timezone.now()
    with pytest.raises(ValidationError) as caught:
        snoozing.snooze(automation, until=now + until, by=alice, at=now)
    assert set(caught.value.message_dict) == {"until"}


def test_only_who_may_edit_it_snoozes_it(automation: Automation, bob: User, charlie: User) -> None:
    now = timezone.now()
    for user, refusal in ((bob, PermissionDenied), (charlie, Http404)):
        with pytest.raises(refusal):
            snoozing.snooze(automation, until=now + HOUR, by=user, at=now)
        with pytest.raises(refusal):
            snoozing.end(automation, by=user, at=now)
    automation.refresh_from_db()
    assert automation.snoozed_until is None


def test_what_was_deleted_meanwhile_cannot_be_snoozed(automation: Automation, alice: User) -> None:
    now = timezone.now()
    Automation.objects.filter(pk=automation.pk).delete()
    with pytest.raises(Http404):
        snoozing.snooze(automation, until=now + HOUR, by=alice, at=now)
