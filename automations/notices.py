"""Telling admins that a webhook, a Slack channel or an automation fails, and that it works again.

About one thing there is one open notice, whatever happens to it: it grows graver (from failing to paused, say) and is
closed by the recovery. What fails again soon after opens the same notice again, and nobody is told twice.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import F

from automations.models import Automation, Execution, Notice, NoticeKind, NoticeReading, SlackChannel, Webhook
from automations.models.notice import NoticeQuerySet

if TYPE_CHECKING:
    from projects.models import Organization, Team, User
    from registries.models import Registry

Subject = Webhook | SlackChannel | Automation

# What fails again within this time after it recovered was never really well.
SHORT_RECOVERY = timedelta(hours=1)
# What works again before is not mailed: a try that failed is mostly followed by one that does not.
SHORT_FAILURE = timedelta(minutes=2)
# What a success says nothing about: an admin, or the breaker itself, has to end it.
ENDED_BY_SUCCESS = (NoticeKind.FAILING, NoticeKind.BROKEN)
FIELDS: dict[type[Subject], str] = {Webhook: "webhook", SlackChannel: "slack_channel", Automation: "automation"}


# What a list shows beside the notices themselves.
SHOWN = (
    "team",
    "registry__organization",
    "organization",
    "webhook",
    "slack_channel",
    "automation__webhook",
    "automation__slack_channel",
)


def tell(
    kind: NoticeKind, subject: Subject, *, sentence: str, at: datetime, execution: Execution | None = None
) -> bool:
    """Tell the admins, unless they are told as much already. Says whether that is news to them.

    To be called in the transaction that makes it true, after a write to the subject's row: whoever else has something
    to tell about it waits for that row. Should somebody not wait, the unique constraint keeps the second notice out.
    """
    about = Notice.objects.filter(**{FIELDS[type(subject)]: subject})
    latest = about.order_by("-pk").only("kind", "closed_at", "closed_by").first()
    if latest is not None and latest.is_open:
        return _grow(latest, kind, sentence=sentence, at=at, execution=execution)
    if latest is not None and _was_short(latest, at=at):
        graver = kind.gravity > NoticeKind(latest.kind).gravity
        # A mail that it works again, not sent yet, is none any more.
        changed = {"changed_at": at, "mail_due_at": at} if graver else {"mail_due_at": None}
        about.filter(pk=latest.pk, closed_at__isnull=False).update(
            kind=kind, sentence=sentence, closed_at=None, closed_because="", times=F("times") + 1, **changed
        )
        return graver
    notice = Notice(
        kind=kind,
        sentence=sentence,
        execution=execution,
        opened_at=at,
        changed_at=at,
        mail_due_at=at + (SHORT_FAILURE if kind is NoticeKind.FAILING else timedelta(0)),
        **{FIELDS[type(subject)]: subject, **_place_of(subject)},
    )
    Notice.objects.bulk_create([notice], ignore_conflicts=True)
    return True


def recovered(subject: Subject, *, because: str, at: datetime, by: User | None = None) -> int:
    """Close what is told of it, as far as a success, or a change of its settings `by` somebody, ends that."""
    return _close(subject, ENDED_BY_SUCCESS, because=because, at=at, by=by)


def resumed(webhook: Webhook, *, by: User, at: datetime) -> int:
    """Close what is told of a webhook that was paused: an admin lets it be called again."""
    return _close(webhook, (*ENDED_BY_SUCCESS, NoticeKind.PAUSED), because=f"{by} resumed it.", at=at, by=by)


def breaker_opened(webhook: Webhook, *, because: str, at: datetime, execution: Execution | None = None) -> bool:
    """Tell the admins that what was to be sent to the endpoint is held; `because` says why and until when."""
    return tell(NoticeKind.BREAKER_OPEN, webhook, sentence=because, at=at, execution=execution)


def breaker_closed(webhook: Webhook, *, because: str, at: datetime, by: User | None = None) -> int:
    """Tell them that what was held goes out, because a probe succeeded or `by` somebody's decision."""
    return _close(webhook, (*ENDED_BY_SUCCESS, NoticeKind.BREAKER_OPEN), because=because, at=at, by=by)


def listed(user: User) -> NoticeQuerySet:
    """The notices for the user with what a list shows, those first that are `unread`, then the newest."""
    return Notice.objects.visible_to(user).select_related(*SHOWN).unread_first(user)


def mark_read(rows: NoticeQuerySet, *, by: User, at: datetime) -> int:
    """Note that the user has read these notices. Says how many were news to them."""
    unread = list(rows.visible_to(by).unread_by(by).order_by().values_list("pk", flat=True))
    NoticeReading.objects.bulk_create(
        [NoticeReading(notice_id=pk, user=by, read_at=at) for pk in unread],
        update_conflicts=True,
        unique_fields=["notice", "user"],
        update_fields=["read_at"],
    )
    return len(unread)


def _grow(notice: Notice, kind: NoticeKind, *, sentence: str, at: datetime, execution: Execution | None = None) -> bool:
    if kind.gravity <= NoticeKind(notice.kind).gravity:
        return False
    milder = [other for other in NoticeKind if other.gravity < kind.gravity]
    begun = {"execution": execution} if execution is not None else {}
    grown = Notice.objects.filter(pk=notice.pk, closed_at=None, kind__in=milder).update(
        kind=kind, sentence=sentence, changed_at=at, mail_due_at=at, **begun
    )
    return bool(grown)


def _was_short(closed: Notice, *, at: datetime) -> bool:
    """Whether it recovered a moment ago only, and by itself: who put something right wants to know how that went."""
    return closed.closed_at is not None and closed.closed_by_id is None and at - closed.closed_at < SHORT_RECOVERY


def _close(subject: Subject, kinds: tuple[NoticeKind, ...], *, because: str, at: datetime, by: User | None) -> int:
    about = Notice.objects.filter(**{FIELDS[type(subject)]: subject}, closed_at=None, kind__in=kinds)
    return about.update(closed_at=at, changed_at=at, mail_due_at=at, closed_because=because, closed_by=by)


def _place_of(subject: Subject) -> dict[str, Team | Registry | Organization]:
    """Whose admins are told: those of the team an integration belongs to, or of what an automation covers."""
    if not isinstance(subject, Automation):
        return {"team": subject.team}
    collection = subject.collection
    project = collection.project if collection else subject.project
    registry = collection.registry if collection else subject.registry
    if project is not None:
        return {"team": project.team}
    if registry is not None:
        return {"registry": registry}
    return {subject.scope_kind.value: subject.scope}  # type: ignore[dict-item]  # a team or an organization
