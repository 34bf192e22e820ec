"""What waits for its next attempt: tried at once, or cancelled, because somebody said so."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from automations import breaker, wake
from automations.access import require_redeliver
from automations.models import Execution, ReasonCode, Status
from projects.models import User


class NotWaiting(Exception):
    """The execution waits for nothing that could be hurried or called off."""

    def __init__(self, execution: Execution) -> None:
        status = Status(execution.status)
        sentences = {
            Status.RUNNING: _(
                "It is being sent right now, and what is on its way cannot be called back. Wait for the answer."
            ),
            Status.PENDING: _(
                "It comes in a digest of its Slack channel. Change the channel's limits to have it sooner."
            ),
        }
        over = _("It is over already: %(status)s.") % {"status": status.label}
        super().__init__(sentences.get(status, over))


def try_now(execution: Execution, *, by: User, at: datetime) -> None:
    """Have a worker carry it out now instead of when it is due.

    Raises:
        Http404, PermissionDenied: the user may not.
        NotWaiting: it is over, or under way.
    """
    require_redeliver(by, execution.home)
    with transaction.atomic():
        if not _waiting(execution).filter(digest=None).update(next_attempt_at=at):
            _refuse(execution)
        if execution.webhook is not None:
            breaker.let_one_through(execution.webhook, at=at)
        wake.announce_due()


def cancel(execution: Execution, *, by: User, at: datetime) -> None:
    """Never carry it out (again): it is Skipped.

    Raises:
        Http404, PermissionDenied: the user may not.
        NotWaiting: it is over, or under way.
    """
    require_redeliver(by, execution.home)
    with transaction.atomic():
        if not cancel_all(_waiting(execution), by=by, at=at):
            _refuse(execution)


def cancel_all(executions: QuerySet[Execution], *, by: User, at: datetime) -> int:
    """Cancel those of them that wait; returns how many. Whether the user may is for the caller to ask."""
    return executions.filter(status=Status.PENDING).update(
        status=Status.SKIPPED,
        reason_code=ReasonCode.CANCELLED,
        result=f"Cancelled by {by.username}.",
        cancelled_by=by,
        finished_at=at,
        next_attempt_at=None,
    )


def _waiting(execution: Execution) -> QuerySet[Execution]:
    # Asked in the UPDATE itself: a worker may take it at any moment.
    return Execution.objects.filter(pk=execution.pk, status=Status.PENDING)


def _refuse(execution: Execution) -> None:
    execution.refresh_from_db(fields=["status"])
    raise NotWaiting(execution)
