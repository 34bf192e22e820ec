"""Which worker carries out which execution.

Workers may be many, and may be killed at any moment: whoever wants to work on executions first takes them by a
conditional UPDATE, for as long as a send can last. A lease that ran out means that its worker is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Model, Q, QuerySet, prefetch_related_objects

from automations.endpoints import Endpoint, Room
from automations.models import Digest, Execution, SlackChannel, Status
from automations.models.execution import ExecutionQuerySet
from registries.models import Collection


def lease() -> timedelta:
    """How long a claim holds: longer than it takes to compose a batch and send it."""
    return timedelta(seconds=settings.WEBHOOK_TOTAL_TIMEOUT + 15)


def claim(room: Room, *, at: datetime) -> list[Execution]:
    """Take what is due and there is room for, in the order it became due. No two workers get the same.

    Endpoints that have no room are left out, so that what waits for them neither holds a lease nor hides what waits
    for others.
    """
    if room.slots <= 0 or not _is_anything_due(at):
        return []
    claimed: list[int] = []
    with transaction.atomic():
        while room.slots > 0:
            rows = list(
                _reachable(Execution.objects.due(at), room)
                .order_by("next_attempt_at", "pk")
                # On PostgreSQL, what another worker is just taking is passed over; SQLite has one writer at a time.
                .select_for_update(skip_locked=True)
                .values_list("pk", "webhook", "slack_channel")[: room.slots]
            )
            taken = [pk for pk, *goes_to in rows if room.take(_endpoint(*goes_to))]
            _take(Execution.objects.filter(pk__in=taken), at=at)
            claimed += taken
            if len(taken) == len(rows):
                break
    return _loaded(claimed)


def claim_one(pk: int, *, at: datetime) -> list[Execution]:
    """Take this execution, if it is due and nobody else has it: a batch of one or none."""
    return _loaded([pk]) if _take(Execution.objects.due(at).filter(pk=pk), at=at) else []


def _is_anything_due(at: datetime) -> bool:
    """As `Execution.objects.due` has it: asked at every ring, mostly in vain, and before anything is locked."""
    moment = connection.ops.adapt_datetimefield_value(at)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM automations_execution"
            " WHERE status = 'pending' AND next_attempt_at <= %s AND NOT waits_for_digest)"
            " OR EXISTS (SELECT 1 FROM automations_execution WHERE status = 'running' AND claimed_until <= %s)",
            [moment, moment],
        )
        return bool(cursor.fetchone()[0])


def _take(executions: ExecutionQuerySet, *, at: datetime) -> int:
    return executions.update(
        status=Status.RUNNING, claimed_until=at + lease(), started_at=at, attempt_count=F("attempt_count") + 1
    )


def _reachable(executions: ExecutionQuerySet, room: Room) -> ExecutionQuerySet:
    full = list(room.full())
    webhooks = [endpoint.webhook for endpoint in full if endpoint.webhook]
    channels = [endpoint.slack_channel for endpoint in full if endpoint.slack_channel]
    if webhooks:
        executions = executions.exclude(webhook__in=webhooks)
    if channels:
        executions = executions.exclude(slack_channel__in=channels)
    if not room.is_closed_to_strangers():
        return executions
    known = [endpoint for endpoint in room.known() if endpoint not in full]
    return executions.filter(
        Q(webhook=None, slack_channel=None)
        | Q(webhook__in=[endpoint.webhook for endpoint in known if endpoint.webhook])
        | Q(slack_channel__in=[endpoint.slack_channel for endpoint in known if endpoint.slack_channel])
    )


def _endpoint(webhook: int | None, slack_channel: int | None) -> Endpoint | None:
    return Endpoint(webhook, slack_channel) if webhook or slack_channel else None


def _loaded(pks: list[int]) -> list[Execution]:
    """The executions with all that composing needs, in this order."""
    if not pks:
        return []
    found = (
        Execution.objects.filter(pk__in=pks)
        .select_related("event__actor", "event__run__project__team", "webhook")
        .order_by()
        .in_bulk()
    )
    executions = list(found.values())
    # What few have: joined, it would make the statement for all of them twice as dear to put together.
    _attach(
        "collection",
        [execution.event for execution in executions],
        Collection.objects.select_related("project__team", "registry__organization"),
    )
    _attach("slack_channel", executions, SlackChannel.objects.select_related("team"))
    _attach("digest", executions, Digest.objects.all())
    prefetch_related_objects([execution.webhook for execution in executions if execution.webhook], "headers")
    # With its project, what was just claimed may be gone.
    return [found[pk] for pk in pks if pk in found]


def _attach(field: str, holders: Sequence[Model], there_are: QuerySet[Any]) -> None:
    """Read what the field of these objects refers to, if any refers to something."""
    wanted = {pk for holder in holders if (pk := getattr(holder, f"{field}_id"))}
    if wanted:
        found = there_are.in_bulk(wanted)
        for holder in holders:
            if getattr(holder, f"{field}_id") in found:
                setattr(holder, field, found[getattr(holder, f"{field}_id")])
