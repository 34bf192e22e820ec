"""Dialogs for the API keys of whoever is signed in."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from automations.team_settings.page import address, keys_of
from projects import keys
from projects.access import team_for
from projects.forms import NewKey
from projects.pages import Dialog, PageRequest, ask, posted


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def create(request: PageRequest, team: str) -> HttpResponse:
    """Dialog: name a key; the answer shows it, this once."""
    found = team_for(request.user, team)
    form = NewKey(posted(request))
    url = reverse("team_settings_create_key", args=[team])
    if request.method == "POST" and form.is_valid():
        _row, key = keys.create(request.user, by=request.user, name=form.cleaned_data["name"])
        extra = {"key": key, "keys": keys_of(request.user), "team": found, "listed": _shows_list(request, team)}
        return Dialog(
            title=_("Your new API key"), url=url, action="", body="automations/settings/_new_key.html", extra=extra
        ).shown(request)
    text = _("A script that holds it acts as you, %(user)s, in all your teams.") % {"user": request.user}
    return Dialog(title=_("Create an API key"), url=url, action=_("Create key"), form=form, text=text).shown(request)


@login_required
@require_http_methods(["GET", "POST"])
def revoke(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: whether a key stops working."""
    found = team_for(request.user, team)
    key = keys_of(request.user).filter(pk=pk).first()
    if key is None:
        raise Http404(_("You have no such API key."))

    def act() -> str:
        keys.revoke(key, by=request.user, at=timezone.now())
        messages.success(request, _("API key %(key)s revoked.") % {"key": key})
        return address(found, "keys")

    dialog = Dialog(
        title=_("Revoke API key %(key)s?") % {"key": key},
        url=reverse("team_settings_revoke_key", args=[team, pk]),
        action=_("Revoke key"),
        form=forms.Form(posted(request)),
        text=_("Scripts that use %(value)s are refused from now on.") % {"value": key.name or key},
        danger=True,
    )
    return ask(request, dialog, act)


def _shows_list(request: PageRequest, team: str) -> bool:
    """Whether the list of keys is on the page that the dialog is over: Home has none."""
    current = (request.htmx.current_url_abs_path or "") if request.htmx else ""
    return current.partition("#")[0].partition("?")[0] == reverse("team_settings", args=[team])
