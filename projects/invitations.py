"""Invitations to a team (TS1): a link that lets one person in, with a role, within seven days.

Whoever has the link may use it once, signed in, or by making an account: nobody makes one without an invitation. Mail
is only a way to bring it; the address need not be that of whoever joins.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from smtplib import SMTPException

import structlog
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils import formats, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from projects import audit, teams
from projects.access import Permission, may, require
from projects.audit import Deed
from projects.models import Invitation, Role, Team, TeamMember, User

log = structlog.get_logger(__name__)

VALID_FOR = timedelta(days=7)
# So many may wait in one team: more are a mistake, or mail that nobody asked for.
MOST_OPEN = 100

_MAIL = gettext_lazy(
    "%(inviter)s invites you to the team %(team)s on %(server)s.\n\n"
    "Join here, until %(until)s UTC:\n%(link)s\n\n"
    "The link lets one person in. If you did not expect it, leave it alone.\n"
)


class NotInvited(Exception):
    """The invitation cannot be used; the text says why, and what to do."""


def invite(team: Team, *, role: Role, by: User, at: datetime, email: str = "") -> tuple[Invitation, str]:
    """Make an invitation; its link is returned this once, and kept nowhere.

    Raises:
        ValidationError: the team is a personal one, the address is none, or too many wait already.
        Http404, PermissionDenied: `by` may not.
    """
    require(by, Permission.EDIT_SETTINGS, team)
    if team.is_personal:
        raise ValidationError(_("%(team)s is a personal team: nobody else can join it.") % {"team": team})
    if email:
        _check_address(email)
    if open_ones(team, at=at).count() >= MOST_OPEN:
        raise ValidationError(
            _("%(most_open)s invitations to %(team)s wait already. Revoke some first.")
            % {"most_open": MOST_OPEN, "team": team}
        )
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        invitation = Invitation.objects.create(
            team=team,
            role=role,
            email=email,
            digest=_digest(token),
            invited_by=by,
            created_at=at,
            expires_at=at + VALID_FOR,
        )
        _record(invitation, Deed.CREATED, by=by)
    return invitation, f"{settings.PUBLIC_URL}{reverse('projects:join', args=[token])}"


def mail(invitation: Invitation, link: str) -> bool:
    """Send the link to the invitation's address; whether the mail server took it. To be called after the commit."""
    if not (settings.EMAIL_CONFIGURED and invitation.email):
        return False
    with translation.override(invitation.team.language):
        subject = _("Join the team %(team)s") % {"team": invitation.team}
        text = str(_MAIL) % {
            "inviter": invitation.invited_by,
            "team": invitation.team,
            "server": settings.PUBLIC_URL,
            "until": formats.date_format(invitation.expires_at, "DATETIME_FORMAT"),
            "link": link,
        }
    try:
        EmailMessage(subject, text, to=[invitation.email]).send()
    except (SMTPException, OSError, ValueError) as problem:  # the last one: a name that no host can have
        log.warning("invitation_not_mailed", invitation=invitation.pk, problem=type(problem).__name__)
        return False
    return True


def open_ones(team: Team, *, at: datetime) -> QuerySet[Invitation]:
    """The team's invitations that may still be accepted, newest first."""
    return Invitation.objects.open_at(at).filter(team=team).select_related("invited_by")


def revoke(invitation: Invitation, *, by: User, at: datetime) -> None:
    """Let the link lead nowhere.

    Raises:
        Http404, PermissionDenied: `by` may not; or it was used, revoked or over meanwhile.
    """
    require(by, Permission.EDIT_SETTINGS, invitation.team)
    with transaction.atomic():
        if not Invitation.objects.open_at(at).filter(pk=invitation.pk).update(revoked_at=at):
            raise Http404(_("This invitation was used or revoked meanwhile, or its time is over."))
        _record(invitation, Deed.REVOKED, by=by)


def with_token(token: str, *, at: datetime) -> Invitation:
    """The invitation a link is of.

    Raises:
        Http404: of none.
        NotInvited: of one that cannot be used any more.
    """
    found = Invitation.objects.select_related("team__organization", "invited_by").filter(digest=_digest(token)).first()
    if found is None:
        raise Http404(_("There is no such invitation. Ask for the whole link again."))
    _check_open(found, at=at)
    return found


def accept(invitation: Invitation, *, by: User, at: datetime) -> TeamMember:
    """Join the team; whoever is in it already stays what they are, and the invitation stays for somebody else.

    Raises:
        NotInvited: it cannot be used any more.
        ValidationError: `by` is a member already.
    """
    with transaction.atomic():
        held = Invitation.objects.select_for_update().get(pk=invitation.pk)
        _check_open(held, at=at)
        if TeamMember.objects.filter(team=held.team, user=by).exists():
            raise ValidationError(_("You are in %(team)s already.") % {"team": held.team})
        held.accepted_at, held.accepted_by = at, by
        held.save(update_fields=["accepted_at", "accepted_by"])
        _record(held, Deed.ACCEPTED, by=by)
        return teams.set_role(by, team=held.team, role=Role(held.role), by=by)


def accept_as_new(invitation: Invitation, *, username: str, password: str, at: datetime) -> User:
    """Make an account, and join the team with it: both or neither.

    Raises:
        NotInvited: it cannot be used any more.
        ValidationError: by field.
    """
    user = User(username=username, email=invitation.email)
    user.set_password(password)
    problems = {}
    try:
        validate_password(password, user)
    except ValidationError as error:
        problems["password"] = error.messages
    try:
        user.full_clean()
    except ValidationError as error:
        problems |= error.message_dict
    if problems:
        raise ValidationError(problems)
    try:
        with transaction.atomic():
            user.save()
            accept(invitation, by=user, at=at)
    except IntegrityError:
        # Somebody took the name between the look and the write: looking again says so.
        User(username=username, password=user.password).full_clean()
        raise
    return user


def _check_open(invitation: Invitation, *, at: datetime) -> None:
    """Raises NotInvited, if it is not. An invitation is worth what whoever made it may do."""
    if invitation.accepted_at is not None:
        raise NotInvited(_("This invitation was used already: it lets one person in. Ask for another one."))
    if invitation.revoked_at is not None:
        raise NotInvited(_("This invitation was revoked. Ask for another one."))
    if invitation.expires_at <= at:
        raise NotInvited(_("This invitation is too old: it was good for seven days. Ask for another one."))
    host = invitation.invited_by
    if host is None or not host.is_active or not may(host, Permission.EDIT_SETTINGS, invitation.team):
        raise NotInvited(
            _("Whoever invited you may not do so any more. Ask an admin of the team for another invitation.")
        )


def _check_address(email: str) -> None:
    try:
        Invitation._meta.get_field("email").clean(email, None)
    except ValidationError as error:
        raise ValidationError({"email": error.messages}) from error


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _record(invitation: Invitation, deed: Deed, *, by: User) -> None:
    inviter = invitation.invited_by.username if invitation.invited_by else ""
    audit.record(
        audit.INVITATION,
        deed,
        name=str(invitation),
        pk=invitation.pk,
        by=by,
        team=invitation.team,
        after={"role": invitation.role, "invited_by": inviter},
    )
