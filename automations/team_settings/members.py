"""Dialogs of a team's settings that change its members."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from automations.team_settings.page import address, team_to_edit
from projects import members
from projects.conflicts import Guard
from projects.forms import MemberRole, NewMember
from projects.models import Role, Team, TeamMember
from projects.pages import Dialog, PageRequest, ask, posted


@login_required
@require_http_methods(["GET", "POST"])
def add(request: PageRequest, team: str) -> HttpResponse:
    """Dialog: somebody who has an account becomes a member."""
    found = team_to_edit(request, team)
    form = NewMember(posted(request))

    def act() -> str:
        role = Role(form.cleaned_data["role"])
        member = members.add(found, form.cleaned_data["username"], role=role, by=request.user)
        messages.success(
            request,
            _("%(user)s is %(lower)s of %(found)s now.")
            % {"user": member.user, "lower": role.label.lower(), "found": found},
        )
        return address(found, "members")

    url = reverse("team_settings_add_member", args=[team])
    return ask(
        request,
        Dialog(title=_("Add a member to %(found)s") % {"found": found}, url=url, action=_("Add member"), form=form),
        act,
    )


@login_required
@require_http_methods(["GET", "POST"])
def change_role(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: what a member may do."""
    found = team_to_edit(request, team)
    member = _member(found, pk)
    url = reverse("team_settings_member_role", args=[team, pk])
    return ask_role(request, member, url=url, after=lambda: _after(request, found, member))


@login_required
@require_http_methods(["GET", "POST"])
def remove(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: whether somebody leaves the team."""
    found = team_to_edit(request, team)
    member = _member(found, pk)

    def act() -> str:
        members.remove(member, by=request.user)
        messages.success(
            request, _("%(user)s is no longer a member of %(found)s.") % {"user": member.user, "found": found}
        )
        return _after(request, found, member)

    dialog = Dialog(
        title=_("Remove %(user)s from %(found)s?") % {"user": member.user, "found": found},
        url=reverse("team_settings_remove_member", args=[team, pk]),
        action=_("Remove member"),
        form=forms.Form(posted(request)),
        text=_(
            "They no longer see the team's projects. Runs, artifacts and automations they made stay and keep working."
        ),
        danger=True,
    )
    return ask(request, dialog, act)


def ask_role(request: PageRequest, member: TeamMember, *, url: str, after: Callable[[], str]) -> HttpResponse:
    """Dialog: another role of a member or a service account; `after` says where to go then."""
    form = MemberRole.of(member, posted(request))

    def act() -> str:
        role = Role(form.cleaned_data["role"])
        members.change_role(member, role=role, by=request.user)
        messages.success(
            request,
            _("%(user)s is %(lower)s of %(found)s now.")
            % {"user": member.user, "lower": role.label.lower(), "found": member.team},
        )
        return after()

    rows = TeamMember.objects.filter(pk=member.pk)
    guard = Guard(rows, saved=lambda: {"role": rows.values_list("role", flat=True).first()})
    title = _("Role of %(user)s") % {"user": member.user}
    return ask(request, Dialog(title=title, url=url, action=_("Change role"), form=form, guard=guard), act)


def _member(team: Team, pk: int) -> TeamMember:
    member = members.people_of(team).filter(pk=pk).first()
    if member is None:
        raise Http404(_("This person is no member of %(team)s.") % {"team": team})
    return member


def _after(request: PageRequest, team: Team, member: TeamMember) -> str:
    """Where to go: whoever changed themselves may not see the page any more."""
    still_there = Team.objects.visible_to(request.user).filter(pk=team.pk).exists()
    return address(team, "members") if still_there else reverse("home")
