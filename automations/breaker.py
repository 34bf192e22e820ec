"""The breaker of an endpoint (WH8): where nothing has arrived for a while, nothing more is thrown at it.

It opens after ten failures in a row, if nothing succeeded for fifteen minutes; where nothing ever did, for as long as
there is the webhook. While it is open, what goes to the webhook is held. Every five minutes the oldest of it is sent
for real; the first success closes the breaker, and what was held goes out in its order. A failure counts if it is the
endpoint's: no answer, 408, 425, 429 or 5xx. Whoever answers with another 4xx is there, and has something against this
one message: that neither counts nor ends the counting.

All of it is in columns of the webhook, changed by conditional statements in the transaction of the outcome or of the
claim: however many workers there are and whenever they are killed, one of them opens it, closes it, or sends the probe.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from automations import auditing, notices, wake
from automations.actions.base import ActionError
from automations.holding import by_pk, hold
from automations.models import Execution, ReasonCode, Status, Webhook
from automations.models.execution import ExecutionQuerySet
from projects.access import Permission, require
from projects.audit import Deed
from projects.models import User

log = structlog.get_logger(__name__)

FAILURES = 10
NO_SUCCESS_FOR = timedelta(minutes=15)
PROBE_EVERY = timedelta(minutes=5)
HELD = "Held: the webhook's breaker is open. It goes out when a probe succeeds."


def sift(batch: Sequence[Execution], *, at: datetime) -> list[Execution]:
    """Those of a claimed batch that may be sent; what goes to a webhook with an open breaker is held, but for a probe.

    Asks nothing where no breaker is open.
    """
    doubtful = {
        execution.webhook.pk
        for execution in batch
        if execution.webhook and execution.webhook.breaker_opened_at is not None and not execution.shadow
    }
    return _sift(batch, doubtful, at=at) if doubtful else list(batch)


@transaction.atomic
def _sift(batch: Sequence[Execution], doubtful: set[int], *, at: datetime) -> list[Execution]:
    # Held, so that none closes in between and leaves behind what is held just now.
    rows = Webhook.objects.filter(pk__in=doubtful, breaker_opened_at__isnull=False).order_by("pk")
    held: set[int] = set()
    for webhook in rows.select_for_update(no_key=True):
        waiting = by_pk([one for one in batch if one.webhook_id == webhook.pk and not one.shadow])
        if webhook.next_probe_at is None or webhook.next_probe_at <= at:
            _probe(webhook, waiting.pop(0), at=at)
        assert webhook.next_probe_at is not None  # open breakers have one
        hold(waiting, code=ReasonCode.BREAKER_OPEN, result=HELD, due=webhook.next_probe_at)
        held |= {execution.pk for execution in waiting}
    return [execution for execution in batch if execution.pk not in held]


def note(execution: Execution, error: ActionError | None, *, at: datetime) -> datetime | None:
    """Count what came of a send, in the transaction that records it. Returns when the webhook is probed next, if its
    breaker is open: until then what failed is held, too.

    To be called after `outcomes.note`, which knows when something last succeeded.
    """
    webhook = execution.webhook
    if webhook is None or execution.shadow:
        return None
    if error is None:
        _succeeded(webhook, at=at)
        return None
    if error.code == ReasonCode.WEBHOOK_PAUSED:
        # Who wants no more calls need not be probed. What is held becomes due, and is skipped.
        _end(webhook, at=at)
        return None
    if is_of_the_endpoint(error):
        Webhook.objects.filter(pk=webhook.pk).update(failures_in_a_row=F("failures_in_a_row") + 1)
        _open(webhook, execution, error, at=at)
    return Webhook.objects.filter(pk=webhook.pk).values_list("next_probe_at", flat=True).first()


def is_of_the_endpoint(error: ActionError) -> bool:
    """Whether it counts: there was no answer, or one that says to come again."""
    return not error.permanent and not error.code


def try_now(webhook: Webhook, *, by: User, at: datetime) -> Webhook:
    """Have the oldest of what is held sent now, instead of waiting for the next probe.

    Raises:
        Http404, PermissionDenied: the user may not; or it was deleted meanwhile.
    """
    require(by, Permission.EDIT_SETTINGS, webhook.team)
    with transaction.atomic():
        held = _locked(webhook)
        if held.breaker_opened_at is not None:
            probe_soon(held, at=at)
            auditing.record_webhook(held, Deed.PROBED, by=by)
    webhook.next_probe_at = held.next_probe_at
    return webhook


def close(webhook: Webhook, *, by: User, at: datetime) -> int:
    """Send what is held now, all of it, whatever became of the endpoint. Returns how many that are.

    Raises:
        Http404, PermissionDenied: the user may not; or it was deleted meanwhile.
    """
    require(by, Permission.EDIT_SETTINGS, webhook.team)
    with transaction.atomic():
        held = _locked(webhook)
        released = _end(held, at=at)
        if released is not None:
            notices.breaker_closed(held, because=f"{by} closed the breaker.", at=at, by=by)
            auditing.record_webhook(held, Deed.BREAKER_CLOSED, by=by)
    webhook.breaker_opened_at = webhook.next_probe_at = None
    return released or 0


def probe_soon(webhook: Webhook, *, at: datetime) -> None:
    """Somebody changed the webhook, or asks: if its breaker is open, the next probe is due."""
    if Webhook.objects.filter(pk=webhook.pk, breaker_opened_at__isnull=False).update(next_probe_at=at):
        webhook.next_probe_at = at
        oldest = _held(webhook).order_by("pk").values("pk")[:1]
        _held(webhook).filter(pk__in=oldest).update(next_attempt_at=at)
        wake.announce_due()


def let_one_through(webhook: Webhook, *, at: datetime) -> None:
    """What is due now may be the next probe: somebody wants it to be tried."""
    Webhook.objects.filter(pk=webhook.pk, breaker_opened_at__isnull=False).update(next_probe_at=at)


def held_count(webhook: Webhook) -> int:
    """How much waits for the breaker to close."""
    return _held(webhook).count()


def _probe(webhook: Webhook, probe: Execution, *, at: datetime) -> None:
    """Let this one through, and nothing else for the next minutes. It stands on its ladder where it stood."""
    due = at + PROBE_EVERY
    Webhook.objects.filter(pk=webhook.pk).update(next_probe_at=due)
    webhook.next_probe_at = due
    Execution.objects.filter(pk=probe.pk).update(probe_count=F("probe_count") + 1)
    probe.probe_count += 1
    # Also what this worker had no room for must not come up before the next probe.
    _held(webhook).filter(next_attempt_at__lt=due).update(next_attempt_at=due)


def _open(webhook: Webhook, execution: Execution, error: ActionError, *, at: datetime) -> None:
    silent = Webhook.objects.alias(since=Coalesce("last_success_at", "created_at")).filter(
        since__lte=at - NO_SUCCESS_FOR
    )
    closed = silent.filter(pk=webhook.pk, breaker_opened_at=None, paused_at=None)
    if not closed.filter(failures_in_a_row__gte=FAILURES).update(breaker_opened_at=at, next_probe_at=at + PROBE_EVERY):
        return
    log.warning("breaker_opened", webhook=webhook.pk)
    known = Webhook.objects.select_related("team").get(pk=webhook.pk)
    because = (
        f"Its breaker is open since {timezone.localtime(at):%H:%M %Z}: {known.failures_in_a_row:,} tries in a row"
        f" failed, and none succeeded for {NO_SUCCESS_FOR.seconds // 60} minutes. What goes there is held, and probed"
        f" every {PROBE_EVERY.seconds // 60} minutes. The last error: {error.message}"
    )
    notices.breaker_opened(known, because=because, at=at, execution=execution)


def _succeeded(webhook: Webhook, *, at: datetime) -> None:
    troubled = Q(failures_in_a_row__gt=0) | Q(breaker_opened_at__isnull=False)
    if not Webhook.objects.filter(troubled, pk=webhook.pk).exists():
        return  # nearly always
    Webhook.objects.filter(pk=webhook.pk).update(failures_in_a_row=0)
    released = _end(webhook, at=at)
    if released is not None:
        log.info("breaker_closed", webhook=webhook.pk, released=released)
        known = Webhook.objects.select_related("team").get(pk=webhook.pk)
        because = "A probe succeeded."
        if released:
            because = f"A probe succeeded. {released:,} held execution{' goes' if released == 1 else 's go'} out."
        notices.breaker_closed(known, because=because, at=at)


def _end(webhook: Webhook, *, at: datetime) -> int | None:
    """Close the breaker, and let go what it held, in its order. Returns how many that are; None if it was closed."""
    is_open = Webhook.objects.filter(pk=webhook.pk, breaker_opened_at__isnull=False)
    if not is_open.update(breaker_opened_at=None, next_probe_at=None, failures_in_a_row=0):
        return None
    released = _held(webhook).update(next_attempt_at=at, reason_code=ReasonCode.NONE, result="")
    wake.announce_due()
    return released


def _held(webhook: Webhook) -> ExecutionQuerySet:
    return Execution.objects.filter(webhook=webhook.pk, status=Status.PENDING, reason_code=ReasonCode.BREAKER_OPEN)


def _locked(webhook: Webhook) -> Webhook:
    found = Webhook.objects.select_related("team").select_for_update(of=("self",)).filter(pk=webhook.pk).first()
    if found is None:
        raise Http404(_("There is no webhook “%(name)s” any more.") % {"name": webhook.name})
    return found
