"""EV13: an automation that has fired for a run may fire for it again before its 24 hours are over, because somebody
said so. Nothing else re-arms it: not disabling, not editing, not making it live."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from automations import auditing
from automations.access import require_edit
from automations.models import Automation, Cooldown
from projects.audit import Deed
from projects.models import Run, User


def rearm(automation: Automation, *, by: User, at: datetime, run: Run | None = None) -> int:
    """Let it fire again for all runs it fired for, or for one of them. Returns for how many that changes something.

    Raises:
        Http404, PermissionDenied: the user may not.
    """
    require_edit(by, automation.scope)
    quiet = Cooldown.objects.filter(automation=automation)
    if run is not None:
        quiet = quiet.filter(run=run)
    with transaction.atomic():
        # The automation first, as matching does, which holds it before it looks at what is quiet.
        Automation.objects.filter(pk=automation.pk).update(rearmed_at=at, rearmed_by=by)
        runs = quiet.values("run").distinct().count()
        quiet.delete()
        auditing.record_automation(automation, Deed.REARMED, by=by)
    automation.rearmed_at, automation.rearmed_by = at, by
    return runs
