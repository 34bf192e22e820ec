"""Carrying executions out, step by step: claimed, admitted, begun, sent, recorded; and the retry ladder (WH7).

`automations.delivering` takes these steps with many executions at once, `run` with one. Every step may be the last of
a worker that is killed: `automations.claims` gives what it had to another one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from django.db import DatabaseError, OperationalError, connection, transaction
from django.utils import timezone

from automations import breaker, claims, digests, outcomes
from automations.actions import ACTIONS, ActionError, Composed, Invocation, Receipt
from automations.models import ActionKind, Attempt, Execution, ReasonCode, Status, Webhook
from automations.outcomes import Outcome
from automations.unsealing import Keyring

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
OWN_FAULT = "The server itself failed to carry this out; its log has the details."


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one try: a receipt, or an error."""

    execution: Execution
    receipt: Receipt | None = None
    error: ActionError | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """An execution whose attempt is written down and that only has to be sent."""

    execution: Execution
    composed: Composed

    def carry_out(self) -> Result:
        """Send it. May run in any thread; does not touch the database."""
        try:
            return Result(self.execution, receipt=self.composed.send())
        except ActionError as error:
            return Result(self.execution, error=error)
        except Exception as fault:  # noqa: BLE001  a fault of ours must not look like the receiver's
            return _own_fault(self.execution, fault)


def run(pk: int, *, now: datetime | None = None) -> None:
    """Carry out one execution, if it is due and nobody else does."""
    at = now or timezone.now()
    for delivery in begin(admit(claims.claim_one(pk, at=at), at=at), at=at):
        record([delivery.carry_out()], at=timezone.now())


def admit(batch: Sequence[Execution], *, at: datetime) -> list[Execution]:
    """Those of a claimed batch that may be sent now. What must not be sent is settled here, with the reason; what must
    wait, for a breaker or for the hours and the budget of a channel, is given back (`automations.holding`)."""
    # A rehearsal disturbs nobody.
    paused = [one for one in batch if not one.shadow and one.webhook is not None and one.webhook.paused_at is not None]
    if paused:
        with transaction.atomic():
            for execution in paused:
                _skip_paused(execution, at=at)
    admitted = [execution for execution in batch if execution not in paused]
    return digests.sift(breaker.sift(admitted, at=at), at=at)


def begin(batch: Sequence[Execution], *, at: datetime) -> list[Delivery]:
    """Compose each of the batch, and write down what is about to leave before anything does (RE2). What cannot be
    composed, and what is only rehearsed, is settled here."""
    keyring = Keyring(
        webhooks=[execution.webhook for execution in batch if execution.webhook],
        channels=[execution.slack_channel for execution in batch if execution.slack_channel],
    )
    steps = [(execution, _composed(execution, keyring, at=at)) for execution in batch]
    return _all_or_each(_write_down, steps, at=at)


def record(results: Sequence[Result], *, at: datetime) -> None:
    """Write down what came of tries, in the order they ended."""
    _all_or_each(_record_all, [(result.execution, result) for result in results], at=at)


Step = TypeVar("Step")
Done = TypeVar("Done")
Steps = Sequence[tuple[Execution, Step]]


def _all_or_each(
    write: Callable[[Steps[Step], datetime], list[Done]], steps: Steps[Step], *, at: datetime
) -> list[Done]:
    """Write all in one transaction; if the database refuses one of them, each by itself, so that it holds up nobody."""
    try:
        with transaction.atomic():
            return write(steps, at)
    except OperationalError:  # it is out of reach, for all of them
        raise
    except (DatabaseError, TypeError, ValueError) as fault:
        if len(steps) == 1:
            execution = steps[0][0]
            if not Execution.objects.filter(pk=execution.pk).exists():
                return []  # it went with its project
            with transaction.atomic():
                _record_all([(execution, _own_fault(execution, fault))], at)
            return []
    return [done for step in steps for done in _all_or_each(write, [step], at=at)]


def _composed(execution: Execution, keyring: Keyring, *, at: datetime) -> Composed | Result:
    try:
        action = ACTIONS[ActionKind(execution.rule["action_kind"])]
        return action.compose(Invocation(execution, timestamp=int(at.timestamp()), keyring=keyring))
    except ActionError as error:
        return Result(execution, error=error)
    except Exception as fault:  # noqa: BLE001  nor may it leave the execution running for ever
        return _own_fault(execution, fault)


def _own_fault(execution: Execution, fault: Exception) -> Result:
    log.error("execution_broke", execution=str(execution.key), exc_info=fault)
    return Result(execution, error=ActionError(OWN_FAULT, permanent=False, code=ReasonCode.NOT_SENDABLE))


def _write_down(steps: Steps[Composed | Result], at: datetime) -> list[Delivery]:
    deliveries: list[Delivery] = []
    _record_all([(execution, one) for execution, one in steps if isinstance(one, Result)], timezone.now())
    for execution, composed in steps:
        if isinstance(composed, Result):
            continue
        if execution.shadow:
            _rehearsed(execution, composed, at=timezone.now())
        else:
            deliveries.append(Delivery(execution, composed))
    leaving = [(one.execution, one.composed.sending) for one in deliveries if one.composed.sending]
    Attempt.objects.bulk_create(
        Attempt(
            execution=execution,
            number=execution.attempt_count,
            started_at=at,
            url=sending.url,
            request_headers=dict(sending.headers),
        )
        for execution, sending in leaving
    )
    with connection.cursor() as cursor:
        # One statement, however many; the ORM would make a CASE of all the payloads.
        cursor.executemany(
            "UPDATE automations_execution SET payload = %s WHERE id = %s",
            [(sending.payload, execution.pk) for execution, sending in leaving],
        )
    return deliveries


def _rehearsed(execution: Execution, composed: Composed, *, at: datetime) -> None:
    """Keep what would have been sent (AC2)."""
    sent, recorded = (
        "Shadow mode: this would have been sent.",
        "Shadow mode: it would have done nothing but record this.",
    )
    _settle(
        execution,
        status=Status.SKIPPED,
        reason_code=ReasonCode.SHADOW,
        result=sent if composed.sending else recorded,
        payload=composed.sending.payload if composed.sending else "",
        finished_at=at,
        next_attempt_at=None,
    )


def _record_all(steps: Steps[Result], at: datetime) -> list[None]:
    outcomes.note(Outcome(result.execution, result.error, at) for _, result in steps)
    # Breakers count in rows of webhooks: in one order for everybody, so that no two workers wait for each other.
    for _, result in sorted(steps, key=lambda step: step[0].webhook_id or 0):
        _record(result, at=at)
    return []


def _record(result: Result, *, at: datetime) -> None:
    """Write down what came of one try: its attempt, and what happens next."""
    execution, error = result.execution, result.error
    _finish_attempt(result)
    probe_at, retry_at = breaker.note(execution, error, at=at), None
    if error is not None and error.code == ReasonCode.WEBHOOK_PAUSED and execution.webhook is not None:
        Webhook.objects.filter(pk=execution.webhook.pk, paused_at=None).update(
            paused_at=at, paused_reason=error.message[:255]
        )
    if error is None:
        assert result.receipt is not None  # a result has one of both
        settled = _finish(execution, result.receipt, at=at)
    elif error.permanent or _rung(execution) > len(LADDER):
        settled = _fail(execution, error, at=at)
    else:
        retry_at = probe_at or at + wait_before_retry(_rung(execution), retry_after=error.retry_after)
        settled = _retry(execution, error, due=retry_at, held=probe_at is not None)
    if settled:
        digests.note(execution, error, at=at, retry_at=retry_at)


def _finish_attempt(result: Result) -> None:
    execution, error = result.execution, result.error
    receipt = error.receipt if error else result.receipt
    duration = error.duration if error else receipt.duration if receipt else None
    Attempt.objects.filter(execution=execution, number=execution.attempt_count).update(
        duration=duration,
        error=error.message if error else "",
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


def _rung(execution: Execution) -> int:
    """The number of its last attempt, as the ladder counts: probes of an open breaker are no step. The breaker may
    have been closed while its first attempt was one."""
    return max(execution.attempt_count - execution.probe_count, 1)


def _finish(execution: Execution, receipt: Receipt, *, at: datetime) -> bool:
    stands_for = digests.count(execution.digest_id) if execution.digest_id else 1
    return _settle(
        execution,
        status=Status.FINISHED,
        reason_code=ReasonCode.NONE,
        result=digests.delivered(stands_for) if stands_for > 1 else receipt.result,
        finished_at=at,
        next_attempt_at=None,
    )


def _fail(execution: Execution, error: ActionError, *, at: datetime) -> bool:
    code = error.code if error.permanent else ReasonCode.GAVE_UP
    given_up = "" if error.permanent else f" That was attempt {execution.attempt_count}, the last one."
    return _settle(
        execution,
        status=Status.FAILED,
        reason_code=code,
        result=f"{error.message}{given_up}",
        finished_at=at,
        next_attempt_at=None,
    )


def _retry(execution: Execution, error: ActionError, *, due: datetime, held: bool) -> bool:
    code, result = (ReasonCode.BREAKER_OPEN, breaker.HELD) if held else (ReasonCode.NONE, error.message)
    return _settle(execution, status=Status.PENDING, reason_code=code, result=result, next_attempt_at=due)


def wait_before_retry(attempt: int, *, retry_after: float | None = None) -> timedelta:
    """How long to wait after the attempt of this number (from 1): the ladder's step, or longer if the receiver asked
    for it, up to an hour."""
    step = LADDER[attempt - 1]
    wait = step * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  spreads retries; nothing secret
    asked = min(timedelta(seconds=max(retry_after or 0, 0)), LONGEST_RETRY_AFTER)
    return max(wait, asked)


def _skip_paused(execution: Execution, *, at: datetime) -> None:
    webhook = execution.webhook
    assert webhook is not None  # the caller looked
    _settle(
        execution,
        status=Status.SKIPPED,
        reason_code=ReasonCode.WEBHOOK_PAUSED,
        result=f"Webhook {webhook.name} is paused: {webhook.paused_reason}",
        finished_at=at,
        next_attempt_at=None,
    )
