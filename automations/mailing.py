"""Notices by e-mail, where the operator set it up: to those who may read the notice and did not switch that off.

A task looks each minute for notices that changed. What it writes down first (`NoticeMail`) is the promise of one mail
for each step of a notice and person; a killed worker leaves its claim behind, which runs out. A mail that was handed
over in that moment goes out twice, with the same Message-ID, by which many mailboxes drop the second.
"""

from __future__ import annotations

import smtplib
import time
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from automations import disclosure, notices, retelling
from automations.models import Notice, NoticeMail
from projects.models import OrganizationMember, Role, TeamMember, User
from registries.models import RegistryMember, RegistryTeam

log = structlog.get_logger(__name__)

# Waits between tries of one mail; after the last one it is given up.
LADDER = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=3))
# A claim holds longer than a mail server may take.
LEASE = timedelta(minutes=3)
# Seconds of one run, well below the time after which the queue gives a task up.
LONGEST = 30.0
# What could not be mailed for a day is no news: e-mail may have been set up only now.
NEWS_FOR = timedelta(days=1)
AT_ONCE = 100
CLOSED = "closed"


def switch(user: User, *, on: bool) -> None:
    """Whether the user wants notices by e-mail, too."""
    user.notices_by_email = on
    User.objects.filter(pk=user.pk).update(notices_by_email=on)


def send_due(*, at: datetime) -> int:
    """Write down who gets which mail, and send what is due. Says how many were sent."""
    if not settings.EMAIL_CONFIGURED:
        return 0
    for pk in Notice.objects.filter(mail_due_at__lte=at).order_by("mail_due_at").values_list("pk", flat=True)[:AT_ONCE]:
        _promise(pk, at=at)
    began, sent = time.monotonic(), 0
    due = NoticeMail.objects.filter(due_at__lte=at).order_by("due_at").values_list("pk", flat=True)
    for pk in due[:AT_ONCE]:
        passed = time.monotonic() - began
        if passed >= LONGEST:
            break
        sent += _send(pk, at=at + timedelta(seconds=passed))
    return sent


def audience(notice: Notice) -> QuerySet[User]:
    """Everybody who is told: the other way round than `Notice.objects.visible_to`."""
    if notice.team_id is not None:
        admins = Q(pk__in=TeamMember.objects.filter(team=notice.team_id, role=Role.ADMIN).values("user"))
    else:
        organization = notice.organization_id or (notice.registry.organization_id if notice.registry else None)
        admins = Q(pk__in=OrganizationMember.objects.filter(organization=organization, role=Role.ADMIN).values("user"))
    if notice.registry_id is not None:
        teams = RegistryTeam.objects.filter(registry=notice.registry_id, role=Role.ADMIN).values("team")
        in_teams = TeamMember.objects.filter(team__in=teams).exclude(role=Role.VIEW_ONLY)
        own = RegistryMember.objects.filter(registry=notice.registry_id, role=Role.ADMIN)
        admins |= Q(pk__in=own.values("user")) | Q(pk__in=in_teams.values("user"))
    return User.objects.filter(admins, is_active=True)


def _promise(pk: int, *, at: datetime) -> None:
    """One row for each who is to get a mail about the notice as it is now."""
    with transaction.atomic():
        notice = (
            Notice.objects.select_for_update(of=("self",))
            .select_related("registry")
            .filter(pk=pk, mail_due_at__lte=at)
            .first()
        )
        if notice is None:
            return  # another worker was faster, or it has changed
        assert notice.mail_due_at is not None
        if at - notice.mail_due_at < NEWS_FOR:
            said = notice.kind if notice.is_open else CLOSED
            mails = [NoticeMail(notice=notice, user=user, said=said, due_at=at) for user in _recipients(notice)]
            NoticeMail.objects.bulk_create(mails, ignore_conflicts=True)
        Notice.objects.filter(pk=pk).update(mail_due_at=None)


def _recipients(notice: Notice) -> QuerySet[User]:
    people = audience(notice).filter(notices_by_email=True).exclude(email="")
    if notice.is_open:
        return people
    # Who heard nothing of the failure is not told that it is over.
    return people.filter(pk__in=NoticeMail.objects.filter(notice=notice).values("user"))


def _send(pk: int, *, at: datetime) -> bool:
    claimed = NoticeMail.objects.filter(pk=pk, due_at__lte=at).update(due_at=at + LEASE, attempts=F("attempts") + 1)
    if not claimed:
        return False
    mail = NoticeMail.objects.select_related("user").get(pk=pk)
    notice = notices.listed(mail.user).filter(pk=mail.notice_id).first()
    if notice is None or not mail.user.email or not mail.user.notices_by_email:
        # They lost the right to know, or do not want to any more (AZ1).
        NoticeMail.objects.filter(pk=pk).delete()
        return False
    disclosure.prepare_notices([notice], reader=mail.user)
    try:
        message_of(notice, mail).send()
    except (smtplib.SMTPException, OSError, ValueError) as error:  # the last one: an address that is none
        _try_again(mail, error, at=at)
        return False
    NoticeMail.objects.filter(pk=pk).update(sent_at=at, due_at=None)
    return True


def _try_again(mail: NoticeMail, error: Exception, *, at: datetime) -> None:
    due = at + LADDER[mail.attempts - 1] if mail.attempts <= len(LADDER) else None
    NoticeMail.objects.filter(pk=mail.pk).update(due_at=due)
    log.warning(
        "notice_not_mailed", mail=mail.pk, attempt=mail.attempts, problem=type(error).__name__, given_up=due is None
    )


def message_of(notice: Notice, mail: NoticeMail) -> EmailMessage:
    """What is mailed: plain text, short, with the way to the page; of a notice made fit for its reader."""
    with translation.override(notice.team.language if notice.team else settings.LANGUAGE_CODE):
        subject, text = _told(notice, closed=mail.said == CLOSED)
    host = urlsplit(settings.PUBLIC_URL).hostname
    return EmailMessage(
        " ".join(subject.split()),
        text,
        to=[mail.user.email],
        headers={
            "Message-ID": f"<notice-{notice.pk}-{mail.said}-{mail.user_id}@{host}>",
            "Auto-Submitted": "auto-generated",
        },
    )


def _told(notice: Notice, *, closed: bool) -> tuple[str, str]:
    """Subject and text, in the language at hand."""
    told: dict[str, object] = {"kind": notice.subject_kind, "name": notice.subject, "place": notice.place}
    what = _("%(kind)s %(name)s of %(place)s") % told
    said = _("works again") if closed else notice.get_kind_display()
    sentence = retelling.told(notice.closed_because if closed else notice.sentence)
    lines = [f"{what}: {sentence}", ""]
    if notice.execution is not None:
        address = f"{settings.PUBLIC_URL}{notice.execution.get_absolute_url()}"
        lines.append(_("What happened: %(address)s") % {"address": address})
    lines += [
        _("All notices: %(address)s") % {"address": f"{settings.PUBLIC_URL}/notices/"},
        "",
        _("You are told as an admin of %(place)s. The page of notices has a switch for these mails.") % told,
    ]
    return _("%(what)s %(said)s") % {"what": what, "said": said}, "\n".join(lines)
