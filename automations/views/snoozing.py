"""Snoozing an automation, and ending that."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from automations import snoozing
from automations.access import automation_for, require_edit
from automations.forms.snooze import SnoozeForm
from automations.views.detail import back
from projects.pages import Dialog, PageRequest, ask, posted


@login_required
@require_http_methods(["GET", "POST"])
def snooze(request: PageRequest, pk: int) -> HttpResponse:
    """Dialog: until when what it matches is skipped."""
    automation = automation_for(request.user, pk)
    require_edit(request.user, automation.scope)
    now = timezone.now()
    form = SnoozeForm(posted(request), at=now)

    def act() -> str:
        snoozing.snooze(automation, until=form.chosen, by=request.user, at=now)
        until = f"{timezone.localtime(automation.snoozed_until):%Y-%m-%d %H:%M}"
        messages.success(
            request, _("Automation “%(name)s” is snoozed until %(until)s.") % {"name": automation.name, "until": until}
        )
        # Back to the list or page it was opened from.
        return request.htmx.current_url_abs_path or automation.get_absolute_url()

    dialog = Dialog(
        title=_("Snooze “%(name)s”") % {"name": automation.name},
        url=reverse("automations:snooze", args=[pk]),
        action=_("Snooze"),
        form=form,
        text=_("Until then what it matches is written down as skipped, and nothing is sent. It ends by itself."),
    )
    return ask(request, dialog, act)


@login_required
@require_POST
def end(request: PageRequest, pk: int) -> HttpResponse:
    """Button on a snoozed automation."""
    automation = automation_for(request.user, pk)
    snoozing.end(automation, by=request.user, at=timezone.now())
    messages.success(
        request,
        _("Automation “%(name)s” is awake. What matches from now on is carried out.") % {"name": automation.name},
    )
    return back(request, automation)
