"""Carrying executions out: claim, attempt, outcome, and the retry ladder (WH7).

Workers may be many, and may be killed at any moment: whoever wants to work on an execution first takes it by a
conditional UPDATE, for as long as a send can last. A lease that ran out means that its worker is gone.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from automations import queueing
from automations.actions import ACTIONS, ActionError, Invocation, Receipt, Sending
from automations.models import ActionKind, Attempt, Execution, ReasonCode, Status, Webhook
from automations.slack import channels

log = structlog.get_logger(__name__)

# Waits between attempts, each ± 20 %; after the last one the execution fails.
LADDER = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
)
JITTER = 0.2
LONGEST_RETRY_AFTER = timedelta(hours=1)
# How long something may be due before the sweep takes its place in the queue for lost.
GRACE = timedelta(seconds=20)
OWN_FAULT = "The server itself failed to carry this out; its log has the details."


def run(pk: int, *, now: datetime | None = None) -> None:
    """Carry out one execution, if it is due and nobody else does."""
    at = now or timezone.now()
    execution = _claim(pk, at=at)
    if execution is None:
        return
    if execution.shadow:
        _rehearse(execution)
    elif execution.webhook is not None and execution.webhook.paused_at is not None:
        _skip_paused(execution, at=at)
    else:
        _perform(execution, at=at)


def _perform(execution: Execution, *, at: datetime) -> None:
    action = ACTIONS[ActionKind(execution.rule["action_kind"])]
    invocation = Invocation(
        execution=execution,
        timestamp=int(at.timestamp()),
        about_to_send=lambda sending: _begin_attempt(execution, sending, at=at),
    )
    try:
        receipt = action.perform(invocation)
    except ActionError as error:
        _record_error(execution, error)
    except Exception:
        # A fault of ours must not look like the receiver's, nor leave the execution running for ever.
        log.exception("execution_broke", execution=str(execution.key))
        _record_error(execution, ActionError(OWN_FAULT, permanent=False, code=ReasonCode.NOT_SENDABLE))
    else:
        _succeed(execution, receipt)


def _rehearse(execution: Execution) -> None:
    """Do everything but send, and keep what would have been sent (AC2)."""
    try:
        payload = ACTIONS[ActionKind(execution.rule["action_kind"])].rehearse(execution)
    except ActionError as error:
        _record_error(execution, error)
        return
    except Exception:
        log.exception("execution_broke", execution=str(execution.key))
        _record_error(execution, ActionError(OWN_FAULT, permanent=False, code=ReasonCode.NOT_SENDABLE))
        return
    what = "this would have been sent" if payload else "it would have done nothing but record this"
    _settle(
        execution,
        status=Status.SKIPPED,
        reason_code=ReasonCode.SHADOW,
        result=f"Shadow mode: {what}.",
        payload=payload,
        finished_at=timezone.now(),
        next_attempt_at=None,
    )


def requeue_overdue(*, at: datetime, grace: timedelta = GRACE) -> int:
    """Queue what is due for longer than `grace` and apparently nobody's; a second task for the same execution does no
    harm."""
    # There are no due times in Redis: there the sweep is what brings retries back, without delay.
    cutoff = at - grace if queueing.queue_is_in_database() else at
    overdue = Execution.objects.filter(status=Status.PENDING, next_attempt_at__lte=cutoff)
    # A queue that is as long as what is overdue has lost nothing: it is behind, and more of the same would not help.
    lost = grace == timedelta(0) or queueing.waiting() < overdue.count()
    return requeue_abandoned(at=at) + (_requeue(overdue) if lost else 0)


def requeue_abandoned(*, at: datetime) -> int:
    """Queue what was claimed by workers that are gone. Never more than there were workers, so cheap to do often."""
    return _requeue(Execution.objects.filter(status=Status.RUNNING, claimed_until__lte=at))


def _requeue(found: QuerySet[Execution]) -> int:
    pks = list(found.order_by("pk").values_list("pk", flat=True)[:1000])
    with transaction.atomic():
        for pk in pks:
            queueing.enqueue_execution(pk)
    return len(pks)


def lease() -> timedelta:
    """How long a claim holds: longer than a send can last."""
    return timedelta(seconds=settings.WEBHOOK_TOTAL_TIMEOUT + 15)


def _claim(pk: int, *, at: datetime) -> Execution | None:
    claimed = (
        Execution.objects.due(at)
        .filter(pk=pk)
        .update(
            status=Status.RUNNING,
            claimed_until=at + lease(),
            started_at=at,
            attempt_count=F("attempt_count") + 1,
        )
    )
    if not claimed:
        return None
    return (
        Execution.objects.select_related(
            "event__actor",
            "event__run__project__team",
            "event__collection__project__team",
            "event__collection__registry__organization",
            "webhook",
            "slack_channel",
        )
        .prefetch_related("webhook__headers")
        .get(pk=pk)
    )


def _begin_attempt(execution: Execution, sending: Sending, *, at: datetime) -> None:
    with transaction.atomic():
        Attempt.objects.create(
            execution=execution,
            number=execution.attempt_count,
            started_at=at,
            url=sending.url,
            request_headers=dict(sending.headers),
        )
        Execution.objects.filter(pk=execution.pk).update(payload=sending.payload)


def _finish_attempt(execution: Execution, *, receipt: Receipt | None, error: str, duration: float | None) -> None:
    Attempt.objects.filter(execution=execution, number=execution.attempt_count).update(
        duration=duration,
        error=error,
        status_code=receipt.status_code if receipt else None,
        response_headers=dict(receipt.headers) if receipt else {},
        response_body=receipt.body if receipt else "",
    )


def _settle(execution: Execution, **changes: object) -> bool:
    """Write the outcome, unless the lease ran out and somebody else took over."""
    return bool(
        Execution.objects.filter(pk=execution.pk, status=Status.RUNNING, attempt_count=execution.attempt_count).update(
            claimed_until=None, **changes
        )
    )


def _succeed(execution: Execution, receipt: Receipt) -> None:
    with transaction.atomic():
        _finish_attempt(execution, receipt=receipt, error="", duration=receipt.duration)
        _settle(
            execution,
            status=Status.FINISHED,
            reason_code=ReasonCode.NONE,
            result=receipt.result,
            finished_at=timezone.now(),
            next_attempt_at=None,
        )
        if execution.slack_channel is not None:
            channels.note_outcome(execution.slack_channel, None, at=timezone.now())


def _record_error(execution: Execution, error: ActionError) -> None:
    now = timezone.now()
    with transaction.atomic():
        _finish_attempt(execution, receipt=error.receipt, error=error.message, duration=error.duration)
        if error.code == ReasonCode.WEBHOOK_PAUSED and execution.webhook is not None:
            Webhook.objects.filter(pk=execution.webhook.pk, paused_at=None).update(
                paused_at=now, paused_reason=error.message[:255]
            )
        if execution.slack_channel is not None:
            channels.note_outcome(execution.slack_channel, error, at=now)
        if error.permanent or execution.attempt_count > len(LADDER):
            _fail(execution, error, at=now)
        else:
            _retry(execution, error, at=now)


def _fail(execution: Execution, error: ActionError, *, at: datetime) -> None:
    code = error.code if error.permanent else ReasonCode.GAVE_UP
    given_up = "" if error.permanent else f" That was attempt {execution.attempt_count}, the last one."
    _settle(
        execution,
        status=Status.FAILED,
        reason_code=code,
        result=f"{error.message}{given_up}",
        finished_at=at,
        next_attempt_at=None,
    )


def _retry(execution: Execution, error: ActionError, *, at: datetime) -> None:
    due = at + wait_before_retry(execution.attempt_count, retry_after=error.retry_after)
    if _settle(execution, status=Status.PENDING, result=error.message, next_attempt_at=due):
        queueing.enqueue_execution_at(execution.pk, due=due)


def wait_before_retry(attempt: int, *, retry_after: float | None = None) -> timedelta:
    """How long to wait after the attempt of this number (from 1): the ladder's step, or longer if the receiver asked
    for it, up to an hour."""
    step = LADDER[attempt - 1]
    wait = step * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  spreads retries; nothing secret
    asked = min(timedelta(seconds=max(retry_after or 0, 0)), LONGEST_RETRY_AFTER)
    return max(wait, asked)


def _skip_paused(execution: Execution, *, at: datetime) -> None:
    assert execution.webhook is not None  # the caller looked
    _settle(
        execution,
        status=Status.SKIPPED,
        reason_code=ReasonCode.WEBHOOK_PAUSED,
        result=f"Webhook {execution.webhook.name} is paused: {execution.webhook.paused_reason}",
        finished_at=at,
        next_attempt_at=None,
    )
