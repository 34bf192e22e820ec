"""Dialogs of a team's settings that invite people, and take invitations back."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from automations.team_settings.page import address, team_to_edit
from projects import invitations
from projects.forms import NewInvitation
from projects.models import Role
from projects.pages import Dialog, PageRequest, ask, posted, put_errors


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def create(request: PageRequest, team: str) -> HttpResponse:
    """Dialog: invite somebody; the answer shows the link, this once."""
    found = team_to_edit(request, team)
    form = NewInvitation(posted(request))
    url = reverse("team_settings_invite", args=[team])
    if form.is_bound and form.is_valid():
        role, email, at = Role(form.cleaned_data["role"]), form.cleaned_data["email"], timezone.now()
        try:
            invitation, link = invitations.invite(found, role=role, by=request.user, at=at, email=email)
        except ValidationError as error:
            put_errors(form, error)
        else:
            extra = {
                "link": link,
                "mailed": invitations.mail(invitation, link),
                "invitation": invitation,
                "invitations": invitations.open_ones(found, at=at),
                "team": found,
                "may_edit": True,
            }
            body = "automations/settings/_new_invitation.html"
            return Dialog(
                title=_("Invitation to %(found)s") % {"found": found}, url=url, action="", body=body, extra=extra
            ).shown(request)
    text = _("Whoever has the link may join once, within seven days; also somebody who has no account yet.")
    return Dialog(
        title=_("Invite to %(found)s") % {"found": found}, url=url, action=_("Make invitation"), form=form, text=text
    ).shown(request)


@login_required
@require_http_methods(["GET", "POST"])
def revoke(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: whether a link leads nowhere from now on."""
    found = team_to_edit(request, team)
    at = timezone.now()
    invitation = invitations.open_ones(found, at=at).filter(pk=pk).first()
    if invitation is None:
        raise Http404(_("%(found)s has no such invitation any more.") % {"found": found})

    def act() -> str:
        invitations.revoke(invitation, by=request.user, at=at)
        messages.success(request, _("The invitation is revoked."))
        return address(found, "members")

    dialog = Dialog(
        title=_("Revoke the invitation of %(value)s?") % {"value": invitation.email or _("a link")},
        url=reverse("team_settings_revoke_invitation", args=[team, pk]),
        action=_("Revoke invitation"),
        form=forms.Form(posted(request)),
        text=_("Its link leads nowhere from now on."),
        danger=True,
    )
    return ask(request, dialog, act)
