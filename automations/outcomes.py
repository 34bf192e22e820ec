"""What the outcome of a send says about what was used for it: the webhook or Slack channel, and the automation.

Each carries how it fares in columns of its own (`models.health.WithHealth`), written in the transaction that records
the outcome; and its admins are told of the first failure after a success, and of the recovery.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import DateTimeField, F, Q, Value
from django.db.models.functions import Coalesce

from automations import notices
from automations.actions.base import ActionError
from automations.models import Automation, Execution, NoticeKind, ReasonCode, SlackChannel, Webhook
from automations.notices import Subject

if TYPE_CHECKING:
    from projects.models import User

# A success after a success is written down this often only: healthy endpoints take thousands of messages.
SUCCESSES_APART = timedelta(seconds=10)
LONGEST_ERROR = 500
# Answers about what was sent, not about where it was sent to.
ABOUT_THE_PAYLOAD = frozenset({400, 409, 413, 415, 422})
# Receivers may ask for patience; only one that never takes anything fails.
ASKS_TO_WAIT = frozenset({425, 429})
PATIENCE = 2
# The order in which rows are written, so that two workers never wait for each other; deletions go the same way.
WRITTEN_IN_ORDER: tuple[type[Subject], ...] = (Automation, Webhook, SlackChannel)

# What is read along to know whose admins are told.
WITH_PLACE: dict[type[Subject], tuple[str, ...]] = {
    Automation: (
        "organization",
        "team",
        "project__team",
        "registry",
        "collection__project__team",
        "collection__registry",
    ),
    Webhook: ("team",),
    SlackChannel: ("team",),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a try to carry an execution out ended; `error` is None if it was sent."""

    execution: Execution
    error: ActionError | None
    at: datetime


def note(outcomes: Iterable[Outcome]) -> None:
    """Write down what these outcomes, in the order they happened, say about what they used.

    To be called first in the transaction that records them: whoever deletes an automation or a webhook takes the same
    way from there to the executions.
    """
    said: dict[tuple[int, int], tuple[Subject, list[Outcome]]] = {}
    for outcome in outcomes:
        if _only_asks_to_wait(outcome):
            continue
        for subject in _concerned(outcome):
            key = WRITTEN_IN_ORDER.index(type(subject)), subject.pk
            said.setdefault(key, (subject, []))[1].append(outcome)
    for _, (subject, its) in sorted(said.items(), key=lambda item: item[0]):
        _write(subject, its)


def note_test(subject: Webhook | SlackChannel, error: ActionError | None, *, at: datetime) -> None:
    """The same of a test that an admin made. They see themselves what came of it, so nobody else is told."""
    if error is None:
        _succeeded(subject, at=at)
    elif not is_of_the_payload(error, subject):
        _write_failure(subject, error, since=at, at=at)


def forgive(subject: Webhook | SlackChannel, *, by: User, at: datetime) -> None:
    """Somebody changed it, so that what is known of its failures no longer holds."""
    subject.failing_since = None
    type(subject).objects.filter(pk=subject.pk).update(failing_since=None)
    notices.recovered(subject, because=f"{by} changed it.", by=by, at=at)


def is_of_the_payload(error: ActionError, target: Webhook | SlackChannel | None) -> bool:
    """Whether what went wrong is the automation's own doing: another automation could be sent the same way."""
    if error.code != ReasonCode.REJECTED:
        return error.code == ReasonCode.NOT_SENDABLE
    # Slack has words for what is wrong with a channel or a token; what else it refuses is the message.
    return isinstance(target, SlackChannel) or _status(error) in ABOUT_THE_PAYLOAD


def _concerned(outcome: Outcome) -> list[Subject]:
    execution = outcome.execution
    if execution.shadow:  # nothing was used
        return []
    target = _target(execution)
    concerned: list[Subject] = [Automation(pk=execution.automation_id)] if execution.automation_id else []
    if target is not None and (outcome.error is None or not is_of_the_payload(outcome.error, target)):
        concerned.append(target)
    return concerned


def _target(execution: Execution) -> Webhook | SlackChannel | None:
    return execution.webhook or execution.slack_channel


def _write(subject: Subject, outcomes: Sequence[Outcome]) -> None:
    failures = [outcome for outcome in outcomes if outcome.error is not None]
    successes = [outcome for outcome in outcomes if outcome.error is None]
    ends_well = outcomes[-1].error is None
    if successes and not ends_well:
        _succeeded(subject, at=successes[-1].at)
    if failures:
        _failed(subject, failures)
    if successes and ends_well:
        _succeeded(subject, at=successes[-1].at)


def _succeeded(subject: Subject, *, at: datetime) -> None:
    rows = type(subject).objects.filter(pk=subject.pk)
    news = Q(failing_since__isnull=False) | Q(last_success_at=None) | Q(last_success_at__lt=at - SUCCESSES_APART)
    if rows.filter(news).update(last_success_at=at, failing_since=None):
        notices.recovered(subject, because="It works again.", at=at)


def _failed(subject: Subject, failures: Sequence[Outcome]) -> None:
    first, last = failures[0], failures[-1]
    worst = next((outcome for outcome in failures if _is_for_admins(outcome)), first)
    assert last.error is not None  # these are failures
    assert worst.error is not None
    if not _write_failure(subject, last.error, since=first.at, at=last.at):
        return  # it was deleted meanwhile
    # What fails because of its webhook is told once, of the webhook.
    target = _target(worst.execution)
    if isinstance(subject, Automation) and target and not is_of_the_payload(worst.error, target):
        return
    known = type(subject).objects.select_related(*WITH_PLACE[type(subject)]).get(pk=subject.pk)
    notices.tell(_kind(worst), known, sentence=worst.error.message, at=worst.at, execution=worst.execution)


def _write_failure(subject: Subject, error: ActionError, *, since: datetime, at: datetime) -> bool:
    begun = Coalesce(F("failing_since"), Value(since, output_field=DateTimeField()))
    rows = type(subject).objects.filter(pk=subject.pk)
    return bool(rows.update(last_failure_at=at, last_error=error.message[:LONGEST_ERROR], failing_since=begun))


def _kind(failure: Outcome) -> NoticeKind:
    if failure.error is not None and failure.error.code == ReasonCode.WEBHOOK_PAUSED:
        return NoticeKind.PAUSED
    return NoticeKind.BROKEN if _is_for_admins(failure) else NoticeKind.FAILING


def _is_for_admins(outcome: Outcome) -> bool:
    """Whether nothing arrives before somebody puts something right."""
    error = outcome.error
    return error is not None and (error.permanent or error.code == ReasonCode.INTEGRATION_BROKEN)


def _only_asks_to_wait(outcome: Outcome) -> bool:
    status = _status(outcome.error) if outcome.error else None
    return status in ASKS_TO_WAIT and outcome.execution.attempt_count <= PATIENCE


def _status(error: ActionError) -> int | None:
    return error.receipt.status_code if error.receipt else None
