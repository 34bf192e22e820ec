"""The page an invitation leads to: join a team, signed in or with an account made for it."""

from __future__ import annotations

from typing import cast

from django import forms
from django.contrib import messages
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from projects import invitations
from projects.forms import NewAccount
from projects.invitations import NotInvited
from projects.models import Invitation, Team, User
from projects.pages import posted, put_errors

BACKEND = "django.contrib.auth.backends.ModelBackend"


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Asks whoever is signed in whether to join; others sign in first, or make an account here."""
    try:
        invitation = invitations.with_token(token, at=timezone.now())
        if request.user.is_authenticated:
            return _as_member(request, invitation)
        return _as_newcomer(request, invitation)
    except NotInvited as error:
        return render(request, "projects/join_over.html", {"reason": str(error)}, status=410)


def _as_member(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    form = forms.Form(posted(request))
    if form.is_bound and form.is_valid():
        try:
            invitations.accept(invitation, by=cast("User", request.user), at=timezone.now())
        except ValidationError as error:
            put_errors(form, error)
        else:
            return _welcome(request, invitation.team)
    return _page(request, invitation, form)


def _as_newcomer(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    form = NewAccount(posted(request))
    if form.is_bound and form.is_valid():
        name, password = form.cleaned_data["username"], form.cleaned_data["password"]
        try:
            user = invitations.accept_as_new(invitation, username=name, password=password, at=timezone.now())
        except ValidationError as error:
            put_errors(form, error)
        else:
            login(request, user, backend=BACKEND)
            return _welcome(request, invitation.team)
    return _page(request, invitation, form)


def _welcome(request: HttpRequest, team: Team) -> HttpResponse:
    messages.success(request, _("You are in %(team)s now.") % {"team": team})
    return HttpResponseRedirect(team.get_absolute_url())


def _page(request: HttpRequest, invitation: Invitation, form: forms.Form) -> HttpResponse:
    context = {"invitation": invitation, "form": form}
    return render(request, "projects/join.html", context, status=422 if form.errors else 200)
