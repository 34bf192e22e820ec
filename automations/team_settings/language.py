"""Dialog of a team's settings that says in which language its messages are written."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from automations.team_settings.page import address, team_to_edit
from projects import teams
from projects.conflicts import Guard
from projects.forms import TeamLanguage
from projects.models import Team
from projects.pages import Dialog, PageRequest, ask, posted


@login_required
@require_http_methods(["GET", "POST"])
def choose(request: PageRequest, team: str) -> HttpResponse:
    """Dialog: the language of e-mails and Slack messages."""
    found = team_to_edit(request, team)
    rows = Team.objects.filter(pk=found.pk)
    form = TeamLanguage(posted(request), initial={"language": found.language})

    def act() -> str:
        teams.set_language(found, form.cleaned_data["language"], by=request.user)
        messages.success(request, _("Messages of %(team)s are in the chosen language now.") % {"team": found})
        return address(found, "language")

    dialog = Dialog(
        title=_("Language of %(team)s") % {"team": found},
        url=reverse("team_settings_language", args=[team]),
        action=_("Save language"),
        form=form,
        guard=Guard(rows, saved=lambda: {"language": rows.get().language}),
    )
    return ask(request, dialog, act)
