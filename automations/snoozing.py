"""Snoozing an automation: until a time, what it matches is written down and nothing is sent.

A snooze ends by itself. It is a switch beside the versions of the rule, and uses up nothing: what is skipped meanwhile
leaves the once in 24 hours (EV11) and the limits of wide scopes (EV12) as they were, so that the next match after the
snooze fires.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from automations import auditing
from automations.access import require_edit
from automations.models import Automation, AutomationSwitch
from projects.audit import Deed
from projects.models import User

LONGEST = timedelta(days=365)


def snooze(automation: Automation, *, until: datetime, by: User, at: datetime) -> Automation:
    """Skip what the automation matches until then; a snooze under way is replaced.

    Raises:
        ValidationError: for `until`: it is over already, or too far away.
        Http404, PermissionDenied: the user may not; or it was deleted meanwhile.
    """
    require_edit(by, automation.scope)
    if until <= at:
        raise ValidationError({"until": _("This time is over already. Choose one to come.")})
    if until > at + LONGEST:
        raise ValidationError({"until": _("An automation can be snoozed for a year at most; disable it instead.")})
    return _set(automation, until, by=by)


def end(automation: Automation, *, by: User, at: datetime) -> Automation:
    """Let it fire again now; nothing happens to one that is not snoozed.

    Raises:
        Http404, PermissionDenied: the user may not; or it was deleted meanwhile.
    """
    require_edit(by, automation.scope)
    return _set(automation, None, by=by) if is_snoozed(automation, at=at) else automation


def is_snoozed(automation: Automation, *, at: datetime) -> bool:
    """Whether what it matches at this time is skipped."""
    return automation.snoozed_until is not None and automation.snoozed_until > at


def reason(until: datetime) -> str:
    """Why an execution was skipped, as a sentence."""
    return (
        f"The automation was snoozed until {timezone.localtime(until):%Y-%m-%d %H:%M %Z}. It fires for the next match"
        " after that."
    )


def quiet_key(key: str) -> str:
    """Under which key of `Cooldown` a match is noted while its automation is snoozed: once in a day for each run and
    state, as firing is, and apart from it."""
    return hashlib.sha256(f"snoozed:{key}".encode()).hexdigest()[:16]


def _set(automation: Automation, until: datetime | None, *, by: User) -> Automation:
    with transaction.atomic():
        held = Automation.objects.select_for_update().filter(pk=automation.pk).first()
        if held is None:
            raise Http404(_("There is no automation %(pk)s any more.") % {"pk": automation.pk})
        # The rule is the same: neither its version nor the time of its last change moves.
        Automation.objects.filter(pk=held.pk).update(snoozed_until=until)
        AutomationSwitch.objects.create(
            automation=held,
            version=held.version,
            field="snoozed",
            value=until is not None,
            until=until,
            created_by=by,
        )
        deed = Deed.WOKEN if until is None else Deed.SNOOZED
        auditing.record_automation(held, deed, by=by, after={"snoozed_until": until})
    automation.snoozed_until = until
    return automation
