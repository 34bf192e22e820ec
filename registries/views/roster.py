"""Part of a registry's page: the people and teams with a role of their own in it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from projects import people
from projects.conflicts import Guard
from projects.models import Role, Team, User
from projects.pages import Dialog, PageRequest, ask, posted
from registries import access, roster
from registries.forms import LetIn, RoleInRegistry
from registries.models import Registry, RegistryMember, RegistryTeam


def context_of(user: User, registry: Registry) -> dict[str, Any]:
    """What the part needs."""
    return {
        "people": [*roster.members_of(registry), *roster.teams_of(registry, user)],
        "may_delete": access.may_decide_who_sees(user, registry),
    }


@login_required
@require_http_methods(["GET", "POST"])
def add(request: PageRequest, organization: str, registry: str) -> HttpResponse:
    """Dialog: somebody of the organization, or one of its teams, is let in."""
    found = _registry_to_change(request, organization, registry)
    form = LetIn(posted(request))

    def act() -> str:
        member = _named(request.user, form.cleaned_data["name"])
        role = Role(form.cleaned_data["role"])
        roster.add(
            found,
            users=[member] if isinstance(member, User) else [],
            teams=[member] if isinstance(member, Team) else [],
            role=role,
            by=request.user,
        )
        messages.success(request, _("%(member)s is in %(registry)s now.") % {"member": member, "registry": found})
        return _address(found)

    url = reverse("registries:let_in", args=[organization, registry])
    return ask(
        request,
        Dialog(title=_("Let somebody into %(registry)s") % {"registry": found}, url=url, action=_("Let in"), form=form),
        act,
    )


@login_required
@require_http_methods(["GET", "POST"])
def change_role(request: PageRequest, organization: str, registry: str, name: str) -> HttpResponse:
    """Dialog: what a user or team may do in the registry."""
    found = _registry_to_change(request, organization, registry)
    row = _row(request.user, found, name)
    form = RoleInRegistry(posted(request), initial={"role": row.role})

    def act() -> str:
        role = Role(form.cleaned_data["role"])
        roster.change_role(found, _member(row), role=role, by=request.user)
        messages.success(
            request,
            _("%(name)s is %(role)s of %(registry)s now.")
            % {"name": name, "role": role.label.lower(), "registry": found},
        )
        return _address(found)

    url = reverse("registries:change_registry_role", args=[organization, registry, name])
    kind = RegistryMember if isinstance(row, RegistryMember) else RegistryTeam
    rows = kind.objects.filter(pk=row.pk)
    dialog = Dialog(
        title=_("Role of %(name)s") % {"name": name},
        url=url,
        action=_("Change role"),
        form=form,
        guard=Guard(rows, saved=lambda: {"role": _row(request.user, found, name).role}),
    )
    return ask(request, dialog, act)


@login_required
@require_http_methods(["GET", "POST"])
def remove(request: PageRequest, organization: str, registry: str, name: str) -> HttpResponse:
    """Dialog: whether a user or team leaves the registry."""
    found = _registry_to_change(request, organization, registry)
    row = _row(request.user, found, name)

    def act() -> str:
        member = _member(row)
        users, teams = ([member], []) if isinstance(member, User) else ([], [member])
        roster.remove(found, users=users, teams=teams, by=request.user)
        messages.success(request, _("%(name)s is no longer in %(registry)s.") % {"name": name, "registry": found})
        still_there = Registry.objects.visible_to(request.user).filter(pk=found.pk).exists()
        return _address(found) if still_there else reverse("registries:list")

    dialog = Dialog(
        title=_("Remove %(name)s from %(registry)s?") % {"name": name, "registry": found},
        url=reverse("registries:let_out", args=[organization, registry, name]),
        action=_("Remove"),
        form=forms.Form(posted(request)),
        text=_("What they may do here by their role in the organization stays."),
        danger=True,
    )
    return ask(request, dialog, act)


def _registry_to_change(request: PageRequest, organization: str, registry: str) -> Registry:
    found = access.registry_for(request.user, organization, registry)
    access.require(request.user, access.Permission.EDIT_SETTINGS, found)
    return found


def _row(user: User, registry: Registry, name: str) -> RegistryMember | RegistryTeam:
    try:
        return roster.member_named(registry, name)
    except Http404:
        return roster.team_named(registry, name, seen_by=user)


def _member(row: RegistryMember | RegistryTeam) -> User | Team:
    return row.user if isinstance(row, RegistryMember) else row.team


def _named(user: User, name: str) -> User | Team:
    """A team that the user may see, else a person the user knows; a personal team stands for its owner."""
    team = Team.objects.visible_to(user).filter(name=name, owner=None).first()
    found = team or people.known_to(user).filter(username=name).first()
    if found is None:
        raise ValidationError(
            {"name": _("There is no user or team “%(name)s” among those you know here.") % {"name": name}}
        )
    return found


def _address(registry: Registry) -> str:
    return f"{registry.get_absolute_url()}#people"
