"""Dialogs of a team's settings that change its members."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from automations.team_settings.page import address, team_to_edit
from projects import members
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
        messages.success(request, f"{member.user} is {role.label.lower()} of {found} now.")
        return address(found, "members")

    url = reverse("team_settings_add_member", args=[team])
    return ask(request, Dialog(title=f"Add a member to {found}", url=url, action="Add member", form=form), act)


@login_required
@require_http_methods(["GET", "POST"])
def change_role(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: what a member may do."""
    found = team_to_edit(request, team)
    member = _member(found, pk)
    form = MemberRole.of(member, posted(request))

    def act() -> str:
        role = Role(form.cleaned_data["role"])
        members.change_role(member, role=role, by=request.user)
        messages.success(request, f"{member.user} is {role.label.lower()} of {found} now.")
        return _after(request, found, member)

    url = reverse("team_settings_member_role", args=[team, pk])
    return ask(request, Dialog(title=f"Role of {member.user}", url=url, action="Change role", form=form), act)


@login_required
@require_http_methods(["GET", "POST"])
def remove(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: whether somebody leaves the team."""
    found = team_to_edit(request, team)
    member = _member(found, pk)

    def act() -> str:
        members.remove(member, by=request.user)
        messages.success(request, f"{member.user} is no longer a member of {found}.")
        return _after(request, found, member)

    dialog = Dialog(
        title=f"Remove {member.user} from {found}?",
        url=reverse("team_settings_remove_member", args=[team, pk]),
        action="Remove member",
        form=forms.Form(posted(request)),
        text="They no longer see the team's projects. Runs, artifacts and automations they made stay and keep working.",
        danger=True,
    )
    return ask(request, dialog, act)


def _member(team: Team, pk: int) -> TeamMember:
    member = TeamMember.objects.select_related("user", "team").filter(team=team, pk=pk).first()
    if member is None:
        raise Http404(f"This person is no member of {team}.")
    return member


def _after(request: PageRequest, team: Team, member: TeamMember) -> str:
    """Where to go: whoever changed themselves may not see the page any more."""
    still_there = Team.objects.visible_to(request.user).filter(pk=team.pk).exists()
    return address(team, "members") if still_there else reverse("home")
