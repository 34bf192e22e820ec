"""Dialogs of a registry's page: its settings, and deleting it."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from projects.pages import Dialog, PageRequest, ask, posted
from registries import access, upkeep
from registries.forms import RegistrySettings


@login_required
@require_http_methods(["GET", "POST"])
def change(request: PageRequest, organization: str, registry: str) -> HttpResponse:
    """Dialog: name, description, and who sees the registry."""
    found = access.registry_for(request.user, organization, registry)
    access.require(request.user, access.Permission.EDIT_SETTINGS, found)
    form = RegistrySettings.of(found, posted(request))
    if not access.may_decide_who_sees(request.user, found):
        # An admin of the registry alone has no say in this.
        del form.fields["visibility"]

    def act() -> str:
        changed = upkeep.change(found, by=request.user, **form.cleaned_data)
        messages.success(request, f"Registry {changed} changed.")
        return changed.get_absolute_url()

    url = reverse("registries:change_registry", args=[organization, registry])
    return ask(request, Dialog(title=f"Settings of {found}", url=url, action="Save", form=form), act)


@login_required
@require_http_methods(["GET", "POST"])
def delete(request: PageRequest, organization: str, registry: str) -> HttpResponse:
    """Dialog: whether the registry goes."""
    found = access.registry_for(request.user, organization, registry)
    upkeep.require_organization_admin(request.user, found.organization, "delete registries")

    def act() -> str:
        upkeep.delete(found, by=request.user)
        messages.success(request, f"Registry {found} deleted.")
        return reverse("registries:list")

    dialog = Dialog(
        title=f"Delete {found}?",
        url=reverse("registries:delete_registry", args=[organization, registry]),
        action="Delete registry",
        form=forms.Form(posted(request)),
        text="Its collections, links and automations go with it. Versions stay in the projects they were logged in.",
        danger=True,
    )
    return ask(request, dialog, act)
