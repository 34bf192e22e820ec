"""What outcomes say about webhooks, Slack channels and automations: how they fare, and whose admins are told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from automations import executions, outcomes, webhooks
from automations.actions.base import ActionError, Receipt
from automations.models import Automation, Execution, Health, Notice, NoticeKind, ReasonCode, SlackChannel, Webhook
from automations.outcomes import Outcome
from projects import runs
from projects.models import Project, User
from tests import factories
from tests.receiver import Receiver

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def answered(status: int, *, permanent: bool = False, code: str = "") -> ActionError:
    said = f"The receiver answered {status}."
    return ActionError(said, permanent=permanent, code=code, receipt=Receipt(result="", status_code=status))


DOWN = answered(503)
TIMED_OUT = ActionError("The receiver did not answer within 15 seconds.", permanent=False)
REJECTED = answered(400, permanent=True, code=ReasonCode.REJECTED)
FORBIDDEN = answered(403, permanent=True, code=ReasonCode.REJECTED)
GONE = answered(410, permanent=True, code=ReasonCode.WEBHOOK_PAUSED)
REFUSED = ActionError("The address is private.", permanent=True, code=ReasonCode.REFUSED_ADDRESS)
UNRENDERED = ActionError("It could not be rendered.", permanent=True, code=ReasonCode.NOT_SENDABLE)


@pytest.fixture
def execution(project: Project) -> Execution:
    webhook = factories.make_webhook(project.team)
    automation = factories.make_automation(project, webhook=webhook)
    return factories.make_execution(automation, factories.make_event(factories.make_run(project)))


def note(execution: Execution, *ends: ActionError | None, at: datetime = NOON, apart: int = 60) -> None:
    """One outcome after the other, that many seconds apart."""
    for number, error in enumerate(ends):
        with transaction.atomic():
            outcomes.note([Outcome(execution, error, at + timedelta(seconds=number * apart))])


def fares(row: Webhook | SlackChannel | Automation) -> tuple[Health, datetime | None]:
    row.refresh_from_db()
    return row.health, row.failing_since


def webhook_of(execution: Execution) -> Webhook:
    assert execution.webhook is not None
    return execution.webhook


def test_what_nothing_was_sent_to_was_never_used(execution: Execution) -> None:
    assert webhook_of(execution).health is Health.NEVER_USED
    assert Automation.objects.get().health is Health.NEVER_USED


def test_a_success_is_written_down_at_webhook_and_automation(execution: Execution) -> None:
    note(execution, None)
    for row in (webhook_of(execution), Automation.objects.get()):
        assert fares(row) == (Health.HEALTHY, None)
        assert row.last_success_at == NOON
    assert not Notice.objects.exists()


def test_it_fails_since_the_first_failure_after_a_success(execution: Execution) -> None:
    note(execution, None, DOWN, TIMED_OUT)
    for row in (webhook_of(execution), Automation.objects.get()):
        assert fares(row) == (Health.FAILING, NOON + timedelta(minutes=1))
        assert row.last_failure_at == NOON + timedelta(minutes=2)
        assert row.last_error == "The receiver did not answer within 15 seconds."


def test_admins_are_told_of_the_first_failure_once_and_of_the_recovery(execution: Execution) -> None:
    note(execution, None, DOWN, DOWN, TIMED_OUT)
    notice = Notice.objects.get()
    assert (notice.kind, notice.sentence) == (NoticeKind.FAILING, "The receiver answered 503.")
    assert (notice.webhook, notice.team, notice.execution) == (execution.webhook, execution.webhook.team, execution)  # type: ignore[union-attr]
    assert (notice.opened_at, notice.is_open) == (NOON + timedelta(minutes=1), True)

    note(execution, None, at=NOON + timedelta(hours=1))
    notice.refresh_from_db()
    assert (notice.closed_at, notice.closed_because) == (NOON + timedelta(hours=1), "It works again.")
    assert fares(webhook_of(execution)) == (Health.HEALTHY, None)
    assert webhook_of(execution).last_error == "The receiver did not answer within 15 seconds."


def test_outcomes_that_come_together_count_in_their_order(execution: Execution) -> None:
    at = [NOON + timedelta(seconds=number) for number in range(4)]
    outcomes.note([Outcome(execution, None, at[0]), Outcome(execution, DOWN, at[1]), Outcome(execution, DOWN, at[2])])
    assert fares(webhook_of(execution)) == (Health.FAILING, at[1])
    outcomes.note([Outcome(execution, DOWN, at[2]), Outcome(execution, None, at[3])])
    assert fares(webhook_of(execution)) == (Health.HEALTHY, None)
    assert Notice.objects.get().closed_at == at[3]


def test_what_recovers_and_fails_again_and_again_is_told_once(execution: Execution) -> None:
    note(execution, *[DOWN, None] * 10)
    assert Notice.objects.get().times == 10


def test_what_fails_again_long_after_a_recovery_is_told_again(execution: Execution) -> None:
    note(execution, DOWN, None, DOWN, apart=4000)
    assert [notice.is_open for notice in Notice.objects.all()] == [True, False]


def test_what_an_admin_changed_and_still_fails_is_told_again(execution: Execution, alice: User) -> None:
    note(execution, DOWN)
    hook = webhook_of(execution)
    webhooks.update(
        hook,
        by=alice,
        name=hook.name,
        url="https://hooks.example.com/v2",
        access_token=None,
        secret=None,
        signature_encoding="base64",
        headers={},
    )
    assert fares(hook)[0] is Health.HEALTHY
    first = Notice.objects.get()
    assert (first.closed_because, first.closed_by) == ("alice changed it.", alice)
    note(execution, DOWN, at=timezone.now())
    assert Notice.objects.count() == 2


@pytest.mark.parametrize(
    ("error", "kind"),
    [(FORBIDDEN, NoticeKind.BROKEN), (REFUSED, NoticeKind.BROKEN), (GONE, NoticeKind.PAUSED)],
)
def test_a_failing_webhook_that_comes_to_need_an_admin_is_news(
    execution: Execution, error: ActionError, kind: NoticeKind
) -> None:
    note(execution, DOWN, error, error)
    notice = Notice.objects.get()
    assert (notice.kind, notice.sentence) == (kind, error.message)
    assert notice.changed_at == NOON + timedelta(minutes=1)


def test_a_paused_webhook_stays_told_until_an_admin_resumes_it(execution: Execution, alice: User) -> None:
    note(execution, GONE, None)
    assert Notice.objects.get().is_open
    webhooks.resume(webhook_of(execution), by=alice)
    assert Notice.objects.get().closed_because == "alice resumed it."


@pytest.mark.parametrize("error", [REJECTED, UNRENDERED])
def test_a_fault_of_the_payload_is_the_automations_alone(execution: Execution, error: ActionError) -> None:
    note(execution, error)
    assert webhook_of(execution).health is Health.NEVER_USED
    assert fares(Automation.objects.get()) == (Health.FAILING, NOON)
    notice = Notice.objects.get()
    assert (notice.automation, notice.webhook, notice.kind) == (execution.automation, None, NoticeKind.BROKEN)


def test_who_asks_to_wait_does_not_fail_unless_it_goes_on(execution: Execution) -> None:
    execution.attempt_count = 2
    note(execution, answered(429))
    assert webhook_of(execution).health is Health.NEVER_USED
    execution.attempt_count = 3
    note(execution, answered(429))
    assert fares(webhook_of(execution))[0] is Health.FAILING


def test_a_rehearsal_says_nothing(execution: Execution) -> None:
    execution.shadow = True
    note(execution, UNRENDERED, None)
    assert Automation.objects.get().health is Health.NEVER_USED


def test_the_admins_of_what_an_automation_covers_are_told_of_its_faults(project: Project, alice: User) -> None:
    registry = factories.make_registry(project.team.organization, admin=alice)
    places = {
        "team": [project, project.team],
        "registry": [registry, factories.make_collection(registry)],
        "organization": [project.team.organization],
    }
    event = factories.make_event(factories.make_run(project))
    for place, scopes in places.items():
        for scope in scopes:
            kind = "LINK_MODEL" if place == "registry" else "RUN_STATE"
            automation = factories.make_automation(scope, kind, name=f"on {scope}")
            note(factories.make_execution(automation, event), UNRENDERED)
            notice = Notice.objects.get(automation=automation)
            assert getattr(notice, f"{place}_id") is not None


def test_of_what_was_deleted_meanwhile_nothing_is_told(execution: Execution) -> None:
    Automation.objects.all().delete()
    Webhook.objects.all().delete()
    note(execution, DOWN, None)
    assert not Notice.objects.exists()


def test_an_endpoint_that_works_costs_one_statement_for_each_thing(execution: Execution) -> None:
    note(execution, None)
    with CaptureQueriesContext(connection) as found:
        outcomes.note([Outcome(execution, None, NOON + timedelta(seconds=number)) for number in range(5)])
    assert len(found) == 2
    webhook_of(execution).refresh_from_db()
    assert webhook_of(execution).last_success_at == NOON


@pytest.mark.django_db(transaction=True)
def test_many_workers_that_meet_the_same_failure_tell_it_once(execution: Execution) -> None:
    def work(number: int) -> None:
        try:
            note(execution, DOWN, FORBIDDEN, at=NOON + timedelta(seconds=number))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(16)))
    assert Notice.objects.get().kind == NoticeKind.BROKEN
    assert fares(webhook_of(execution))[0] is Health.FAILING


def test_a_real_receiver_that_fails_and_recovers_is_told_along_the_whole_way(
    settings: Settings, project: Project
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with Receiver() as receiver:
        receiver.behave(status=503)
        factories.make_automation(project, webhook=factories.make_webhook(project.team, url=receiver.url))
        run = factories.make_run(project)
        runs.finish(run, exit_code=1, by=run.user, at=timezone.now())
        execution = Execution.objects.get()
        executions.run(execution.pk)
        notice = Notice.objects.get()
        assert (notice.kind, notice.execution) == (NoticeKind.FAILING, execution)
        assert fares(Webhook.objects.get())[0] is Health.FAILING

        receiver.behave(status=200)
        executions.run(execution.pk, now=timezone.now() + timedelta(minutes=1))
    assert not Notice.objects.get().is_open
    assert fares(Webhook.objects.get()) == (Health.HEALTHY, None)
