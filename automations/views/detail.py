"""One automation: what it is, how it fares, and the buttons that change it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from automations import diagnosis, disclosure, editing, history, limits, rearming, sentences, snoozing
from automations.access import automation_for, may_edit
from automations.models import Automation
from automations.triggers import trigger_for
from automations.views.places import Place, place_of

if TYPE_CHECKING:
    from django.http import HttpRequest

    from projects.models import User

LATEST = 25


@login_required
@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """The automation, with its latest executions that the user may see."""
    automation = automation_for(request.user, pk)
    place = place_of(request.user, automation.scope)
    found = history.executions_in(automation, reader=request.user)[: LATEST + 1]
    executions = disclosure.prepare(found, reader=request.user)
    target_shown = disclosure.may_see_target(request.user, automation.target)
    figures_shown = disclosure.may_see_figures(request.user, automation)
    context: dict[str, Any] = {
        **place.frame,
        "automation": automation,
        "place": place,
        "editable": may_edit(request.user, automation.scope),
        "snoozed": snoozing.is_snoozed(automation, at=timezone.now()),
        "when": sentences.when_clause(automation.event_type, automation.condition, automation.filter),
        "do": sentences.do_clause(automation.action_kind, automation.target, hidden=not target_shown),
        "target_shown": target_shown,
        "figures_shown": figures_shown,
        "last_error": disclosure.last_error(automation, target_hidden=not target_shown),
        "rate_limit": limits.published(automation),
        "problem": diagnosis.problem_of(automation),
        "trigger": trigger_for(automation.event_type),
        "stored": _stored(automation),
        "executions": executions[:LATEST],
        "more_url": _history_url(automation, place) if len(executions) > LATEST else "",
        "waiting": any(not execution.is_over for execution in executions),
        "surplus": history.surplus_of(automation, now=timezone.now()) if figures_shown else 0,
    }
    return render(request, "automations/detail/page.html", context)


@login_required
@require_POST
def enable(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch the automation on."""
    return _switch(request, pk, enabled=True)


@login_required
@require_POST
def disable(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch the automation off."""
    return _switch(request, pk, enabled=False)


@login_required
@require_POST
def make_live(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the automation out of shadow mode."""
    automation = editing.make_live(automation_for(request.user, pk), by=cast("User", request.user))
    messages.success(
        request, _("Automation “%(name)s” is live. What matches from now on is sent.") % {"name": automation.name}
    )
    return back(request, automation)


@login_required
@require_POST
def rearm(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the automation fire again for runs it fired for."""
    automation = automation_for(request.user, pk)
    runs = rearming.rearm(automation, by=cast("User", request.user), at=timezone.now())
    told = _("Automation “%(name)s” may fire again for every run, as it could already.")
    if runs:
        told = ngettext(
            "Automation “%(name)s” may fire again for %(runs)s run.",
            "Automation “%(name)s” may fire again for %(runs)s runs.",
            runs,
        )
    messages.success(request, told % {"name": automation.name, "runs": f"{runs:,}"})
    return back(request, automation)


@login_required
@require_POST
def duplicate(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a disabled copy, and open it."""
    automation = automation_for(request.user, pk)
    try:
        copy = editing.duplicate(automation, by=cast("User", request.user))
    except ValidationError as error:
        messages.error(
            request,
            _("“%(name)s” cannot be duplicated. %(messages)s")
            % {"name": automation.name, "messages": " ".join(error.messages)},
        )
        return back(request, automation)
    messages.success(request, _("“%(name)s” created. It is disabled until you enable it.") % {"name": copy.name})
    return redirect(copy)


@login_required
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete the automation; its history stays."""
    automation = automation_for(request.user, pk)
    place = place_of(request.user, automation.scope)
    name = automation.name
    editing.delete(automation, by=cast("User", request.user))
    messages.success(request, _("Automation “%(name)s” deleted. What it did stays in the history.") % {"name": name})
    return redirect(place.automations_url)


def _switch(request: HttpRequest, pk: int, *, enabled: bool) -> HttpResponse:
    automation = automation_for(request.user, pk)
    editing.set_enabled(automation, enabled, by=cast("User", request.user))
    told = _("Automation “%(name)s” disabled. It sees no events until you enable it.")
    if enabled:
        told = _("Automation “%(name)s” enabled. It starts with the next event.")
    messages.success(request, told % {"name": automation.name})
    return back(request, automation)


def back(request: HttpRequest, automation: Automation) -> HttpResponse:
    """To the page whose button was pressed, which says so itself."""
    address = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure()):
        return HttpResponseRedirect(address)  # `redirect` would look for a page of this name first
    return redirect(automation)


def _stored(automation: Automation) -> str:
    stored = {
        "event_type": automation.event_type,
        "filter": automation.filter,
        "condition": automation.condition,
    }
    return json.dumps(stored, indent=2, ensure_ascii=False)


def _history_url(automation: Automation, place: Place) -> str:
    return f"{place.history_url}?automation={automation.pk}" if place.history_url else ""
