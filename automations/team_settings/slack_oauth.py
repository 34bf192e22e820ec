"""“Connect Slack”: to Slack, which asks whether to install the operator's app, and back."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from automations.slack import oauth
from automations.team_settings.page import address, team_to_edit
from projects.pages import PageRequest, leave


@login_required
@require_POST
def begin(request: PageRequest, team: str) -> HttpResponse:
    """Button: go to Slack."""
    return leave(request, oauth.begin(team_to_edit(request, team), by=request.user, session=request.session))


@login_required
@require_safe
def finish(request: PageRequest) -> HttpResponse:
    """Where Slack sends people back to, with a code or with what went wrong."""
    given = {name: request.GET.get(name, "") for name in ("state", "code", "error")}
    try:
        connected = oauth.finish(**given, by=request.user, session=request.session, at=timezone.now())
    except oauth.NotConnected as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(address(error.team, "slack") if error.team else "/")
    if connected.channel is not None:
        messages.success(
            request,
            _("Connected to %(workspace)s: automations may post to %(channel)s.")
            % {"workspace": connected.workspace, "channel": connected.channel},
        )
    else:
        messages.warning(
            request,
            _("Connected to %(workspace)s, without a channel. %(note)s")
            % {"workspace": connected.workspace, "note": connected.note},
        )
    return HttpResponseRedirect(address(connected.workspace.team, "slack"))
