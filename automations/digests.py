"""Quiet hours and the noise budget of Slack channels: what has to wait, and the one message that comes in its place.

A channel with a budget of N is given at most N messages in any hour, digests among them. What is too much, or comes in
quiet hours, joins the channel's open digest; while a budget's digest is open, all else joins it, so that nothing newer
overtakes. A digest that is due is closed and sent by its first execution, its carrier, which the ladder tries again
like any other; what becomes of the carrier becomes of all. So nothing is dropped, and whoever is killed leaves rows
that say what is still to be done.

Decisions about a channel are made under a lock of its row. `ChannelPost` remembers what it was given: written before a
send, so that whatever may have arrived counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Count, Exists, OuterRef

from automations import claims, wake
from automations.actions.base import ActionError
from automations.holding import by_pk, hold
from automations.models import ChannelPost, Digest, Execution, HeldFor, ReasonCode, Severity, SlackChannel, Status
from automations.models.execution import ExecutionQuerySet
from automations.models.holding import hours_of

if TYPE_CHECKING:
    from projects.models import Team

HOUR = timedelta(hours=1)
HELD = {
    HeldFor.NOISE_BUDGET: "Held: the channel has had its messages for this hour. It comes in a digest.",
    HeldFor.QUIET_HOURS: "Held: the channel has quiet hours. It comes in a digest when they are over.",
}


def sift(batch: Sequence[Execution], *, at: datetime) -> list[Execution]:
    """Those of a claimed batch that may be posted now; the others join a digest. Asks nothing where no channel of the
    batch is limited."""
    mine: dict[int, list[Execution]] = defaultdict(list)
    for execution in by_pk(batch):
        channel = execution.slack_channel
        if channel is not None and not execution.shadow and (channel.is_limited or execution.digest_id):
            mine[channel.pk].append(execution)
    held = _held_of(mine, at=at) if mine else set()
    return [execution for execution in batch if execution.pk not in held]


@transaction.atomic
def _held_of(mine: Mapping[int, Sequence[Execution]], *, at: datetime) -> set[int]:
    held: set[int] = set()
    for channel in SlackChannel.objects.filter(pk__in=mine).order_by("pk").select_for_update(no_key=True):
        desk = _Desk(channel, at=at)
        claimed = [execution.pk for execution in mine[channel.pk]]
        # Held, so that none goes with its project before it is written down that it was posted.
        there = Execution.objects.filter(pk__in=claimed).order_by("pk").select_for_update(no_key=True)
        standing = set(there.values_list("pk", flat=True))
        for execution in mine[channel.pk]:
            if execution.pk in standing:
                desk.take(execution)
        held |= desk.write() | (set(claimed) - standing)
    return held


def note(execution: Execution, error: ActionError | None, *, at: datetime, retry_at: datetime | None = None) -> None:
    """Write down what came of a message for the budget, and for those it was a digest of; in the transaction that
    records it. `retry_at` is when it is tried again, if it is."""
    channel = execution.slack_channel
    if channel is not None and channel.hourly_budget is not None and not execution.shadow:
        posts = ChannelPost.objects.filter(execution=execution.pk)
        if error is None:
            posts.filter(pk=posts.order_by("-pk").values("pk")[:1]).update(at=at)
        elif error.permanent or error.receipt is not None or error.code == ReasonCode.NOT_SENDABLE:
            # It surely did not arrive.
            posts.filter(pk=posts.order_by("-pk").values("pk")[:1]).delete()
    if execution.digest_id is None:
        return
    waiting = members_of(execution.digest_id)
    if retry_at is not None:
        waiting.update(next_attempt_at=retry_at)
        return
    Digest.objects.filter(pk=execution.digest_id).update(finished_at=at)
    outcome = (
        {"status": Status.FINISHED, "reason_code": ReasonCode.NONE, "result": delivered(count(execution.digest_id))}
        if error is None
        else {
            "status": Status.FAILED,
            "reason_code": error.code if error.permanent else ReasonCode.GAVE_UP,
            "result": error.message,
        }
    )
    waiting.update(finished_at=at, next_attempt_at=None, waits_for_digest=False, **outcome)


def delivered(count: int) -> str:
    """How it ended for those that came in a digest."""
    return f"Delivered in a digest of {count:,}."


def members_of(digest: int) -> ExecutionQuerySet:
    """Executions that wait for the carrier of their digest."""
    return Execution.objects.filter(digest=digest, status=Status.PENDING, waits_for_digest=True)


def count(digest: int) -> int:
    """How many executions the digest stands for; what was cancelled meanwhile is not among them."""
    return Execution.objects.filter(digest=digest).exclude(status=Status.SKIPPED).count()


def reconsider(channel: SlackChannel, *, at: datetime) -> None:
    """Its limits were changed: look now whether its open digest still has to wait."""
    for digest in Digest.objects.filter(channel=channel, finished_at=None):
        carriers = Execution.objects.filter(digest=digest, waits_for_digest=False, status=Status.PENDING)
        if carriers.update(next_attempt_at=at):
            wake.announce_due()


def appoint_carriers(*, at: datetime) -> int:
    """Give digests whose carrier was cancelled another one. Returns how many those were."""
    carrier = Execution.objects.filter(
        digest=OuterRef("digest"), waits_for_digest=False, status__in=[Status.PENDING, Status.RUNNING]
    )
    orphans = Execution.objects.filter(~Exists(carrier), status=Status.PENDING, waits_for_digest=True)
    first = dict(orphans.order_by("-pk").values_list("digest", "pk"))
    return Execution.objects.filter(pk__in=first.values()).update(waits_for_digest=False, next_attempt_at=at)


@dataclass(slots=True)
class _Desk:
    """Where it is decided what a channel gets; its row is locked meanwhile."""

    channel: SlackChannel
    at: datetime
    open: Digest | None = None
    quiet_until: datetime | None = None
    posts: list[datetime] = field(default_factory=list)
    held: dict[tuple[int, bool], list[Execution]] = field(default_factory=lambda: defaultdict(list))
    digests: dict[int, Digest] = field(default_factory=dict)

    def __init__(self, channel: SlackChannel, *, at: datetime) -> None:
        self.channel, self.at = channel, at
        self.open = Digest.objects.filter(channel=channel, closed_at=None).first()
        self.quiet_until = hours_of(channel, at)
        self.held, self.digests = defaultdict(list), {}
        given = ChannelPost.objects.filter(channel=channel)
        given.filter(at__lte=at - HOUR).delete()
        self.posts = list(given.order_by("at").values_list("at", flat=True))

    def take(self, execution: Execution) -> None:
        """Let it through, or have it wait."""
        if execution.digest_id is not None:
            self._send_digest(execution)
            return
        passes = self.channel.errors_pass_quiet_hours and execution.rule.get("severity") == Severity.ERROR
        reason = self._reason_to_wait(passes_quiet_hours=passes)
        if reason is None:
            self._post(execution)
        else:
            self._join(execution, reason)

    def write(self) -> set[int]:
        """Write down what waits. Returns the keys of those."""
        for (pk, carries), executions in self.held.items():
            digest = self.digests[pk]
            hold(
                executions,
                code=digest.reason,
                result=HELD[HeldFor(digest.reason)],
                due=digest.due_at,
                digest=digest,
                waits_for_digest=not carries,
            )
        return {execution.pk for executions in self.held.values() for execution in executions}

    def _reason_to_wait(self, *, passes_quiet_hours: bool) -> HeldFor | None:
        if self.open is not None and not (passes_quiet_hours and self.open.reason == HeldFor.QUIET_HOURS):
            return HeldFor(self.open.reason)
        if self.quiet_until is not None and not passes_quiet_hours:
            return HeldFor.QUIET_HOURS
        return HeldFor.NOISE_BUDGET if self._free_at() > self.at else None

    def _join(self, execution: Execution, reason: HeldFor) -> None:
        carries = self.open is None
        if self.open is None:
            self.open = Digest.objects.create(
                channel=self.channel, reason=reason, opened_at=self.at, due_at=self._due(reason)
            )
        self._wait(execution, self.open, carries=carries)

    def _send_digest(self, carrier: Execution) -> None:
        digest = carrier.digest
        assert digest is not None  # who carries one has one
        when = self._when_it_may_be_sent()
        if when > self.at:
            digest.due_at = when
            Digest.objects.filter(pk=digest.pk).update(due_at=when)
            members_of(digest.pk).update(next_attempt_at=when)
            self._wait(carrier, digest, carries=True)
            return
        Digest.objects.filter(pk=digest.pk, closed_at=None).update(closed_at=self.at)
        if self.open is not None and self.open.pk == digest.pk:
            self.open = None
        members_of(digest.pk).update(next_attempt_at=self.at + claims.lease())
        self._post(carrier)

    def _wait(self, execution: Execution, digest: Digest, *, carries: bool) -> None:
        self.digests[digest.pk] = digest
        self.held[digest.pk, carries].append(execution)

    def _post(self, execution: Execution) -> None:
        if self.channel.hourly_budget is not None:
            ChannelPost.objects.create(channel=self.channel, execution=execution, at=self.at)
            self.posts.append(self.at)

    def _due(self, reason: HeldFor) -> datetime:
        if reason == HeldFor.QUIET_HOURS and self.quiet_until is not None:
            return self.quiet_until
        # One digest an hour: those that follow each other closely would be noise again.
        last = Digest.objects.filter(channel=self.channel, closed_at__gt=self.at - HOUR).order_by("-closed_at").first()
        after_the_last = last.closed_at + HOUR if last is not None and last.closed_at is not None else self.at
        due = max(self._free_at(), after_the_last)
        return hours_of(self.channel, due) or due

    def _when_it_may_be_sent(self) -> datetime:
        free = self._free_at()
        return hours_of(self.channel, free) or free

    def _free_at(self) -> datetime:
        """When the channel takes one more message: in the hour until then it got fewer than its budget."""
        budget = self.channel.hourly_budget
        if budget is None or len(self.posts) < budget:
            return self.at
        return max(sorted(self.posts)[len(self.posts) - budget] + HOUR, self.at)


def spent(channel: SlackChannel, *, at: datetime) -> int:
    """How many messages the channel was given within the last hour, as far as its budget knows."""
    return ChannelPost.objects.filter(channel=channel, at__gt=at - HOUR).count()


def spent_by(team: Team, *, at: datetime) -> dict[int, int]:
    """The same of all the team's channels that were given any, by their keys."""
    posts = ChannelPost.objects.filter(channel__team=team, at__gt=at - HOUR).order_by()
    return dict(posts.values_list("channel").annotate(count=Count("pk")))


def remember(channel: SlackChannel, *, at: datetime) -> None:
    """A channel gets a budget: what it was given within the last hour counts."""
    known = ChannelPost.objects.filter(channel=channel).values("execution")
    recent = Execution.objects.filter(slack_channel=channel, status=Status.FINISHED, finished_at__gt=at - HOUR)
    posted = recent.filter(attempts__isnull=False).exclude(pk__in=known).distinct()
    ChannelPost.objects.bulk_create(
        ChannelPost(channel=channel, execution_id=pk, at=finished_at)
        for pk, finished_at in posted.values_list("pk", "finished_at")
        if finished_at is not None
    )
