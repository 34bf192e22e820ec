"""Dialogs of a team's settings that change its service accounts and their keys."""

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

from automations.team_settings.members import ask_role
from automations.team_settings.page import address, team_to_edit
from projects import service_accounts
from projects.forms import NewKey, NewServiceAccount
from projects.models import Role
from projects.pages import Dialog, PageRequest, ask, posted


@login_required
@require_http_methods(["GET", "POST"])
def create(request: PageRequest, team: str) -> HttpResponse:
    """Dialog: an account that is nobody's."""
    found = team_to_edit(request, team)
    form = NewServiceAccount(posted(request))

    def act() -> str:
        role = Role(form.cleaned_data["role"])
        made = service_accounts.create(found, form.cleaned_data["username"], role=role, by=request.user)
        messages.success(request, _("Service account %(user)s created. Give it a key.") % {"user": made.user})
        return address(found, "service-accounts")

    return ask(
        request,
        Dialog(
            title=_("Create a service account"),
            url=reverse("team_settings_create_service_account", args=[team]),
            action=_("Create service account"),
            form=form,
            text=_("Scripts that hold its keys go on when people leave the team."),
        ),
        act,
    )


@login_required
@require_http_methods(["GET", "POST"])
def change_role(request: PageRequest, team: str, name: str) -> HttpResponse:
    """Dialog: what an account may do."""
    found = team_to_edit(request, team)
    account = service_accounts.named(found, name)
    url = reverse("team_settings_service_role", args=[team, name])
    return ask_role(request, account, url=url, after=lambda: address(found, "service-accounts"))


@login_required
@require_http_methods(["GET", "POST"])
def close(request: PageRequest, team: str, name: str) -> HttpResponse:
    """Dialog: whether an account ends, with all its keys."""
    found = team_to_edit(request, team)
    account = service_accounts.named(found, name)

    def act() -> str:
        service_accounts.close(account.user, by=request.user, at=timezone.now())
        messages.success(request, _("Service account %(user)s closed.") % {"user": account.user})
        return address(found, "service-accounts")

    dialog = Dialog(
        title=_("Close service account %(user)s?") % {"user": account.user},
        url=reverse("team_settings_close_service_account", args=[team, name]),
        action=_("Close account"),
        form=forms.Form(posted(request)),
        text=_(
            "Scripts that use its keys are refused from now on. What they logged stays; the name is not used again."
        ),
        danger=True,
    )
    return ask(request, dialog, act)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def create_key(request: PageRequest, team: str, name: str) -> HttpResponse:
    """Dialog: name a key; the answer shows it, this once."""
    found = team_to_edit(request, team)
    account = service_accounts.named(found, name)
    form = NewKey(posted(request))
    url = reverse("team_settings_create_service_key", args=[team, name])
    if request.method == "POST" and form.is_valid():
        _row, key = service_accounts.create_key(account.user, by=request.user, name=form.cleaned_data["name"])
        extra = {"key": key, "accounts": service_accounts.of_team(found), "team": found, "may_edit": True}
        body = "automations/settings/_new_service_key.html"
        title = _("New API key of %(user)s") % {"user": account.user}
        return Dialog(title=title, url=url, action="", body=body, extra=extra).shown(request)
    text = _("A script that holds it acts as %(user)s, %(lower)s of %(found)s.") % {
        "user": account.user,
        "lower": account.get_role_display().lower(),
        "found": found,
    }
    title = _("Create an API key of %(user)s") % {"user": account.user}
    return Dialog(title=title, url=url, action=_("Create key"), form=form, text=text).shown(request)


@login_required
@require_http_methods(["GET", "POST"])
def revoke_key(request: PageRequest, team: str, name: str, pk: int) -> HttpResponse:
    """Dialog: whether a key stops working."""
    found = team_to_edit(request, team)
    account = service_accounts.named(found, name).user
    key = account.api_keys.filter(revoked_at=None, pk=pk).first()
    if key is None:
        raise Http404(_("%(account)s has no such API key.") % {"account": account})

    def act() -> str:
        service_accounts.revoke_key(key, by=request.user, at=timezone.now())
        messages.success(request, _("API key %(key)s of %(account)s revoked.") % {"key": key, "account": account})
        return address(found, "service-accounts")

    dialog = Dialog(
        title=_("Revoke API key %(key)s of %(account)s?") % {"key": key, "account": account},
        url=reverse("team_settings_revoke_service_key", args=[team, name, pk]),
        action=_("Revoke key"),
        form=forms.Form(posted(request)),
        text=_("Scripts that use %(value)s are refused from now on.") % {"value": key.name or key},
        danger=True,
    )
    return ask(request, dialog, act)
