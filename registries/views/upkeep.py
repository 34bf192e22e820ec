"""Dialogs of a registry's page: its settings, and deleting it.

They go by the key of the registry: while one is open, somebody else may give the registry another name.
"""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from projects.conflicts import Guard
from projects.pages import Dialog, PageRequest, ask, posted
from registries import access, upkeep
from registries.forms import RegistrySettings
from registries.models import Registry


@login_required
@require_http_methods(["GET", "POST"])
def change(request: PageRequest, pk: int) -> HttpResponse:
    """Dialog: name, description, and who sees the registry."""
    found = access.registry_of_key(request.user, pk)
    access.require(request.user, access.Permission.EDIT_SETTINGS, found)
    rows = Registry.objects.filter(pk=found.pk)
    form = RegistrySettings.of(found, posted(request))
    if not access.may_decide_who_sees(request.user, found):
        # An admin of the registry alone has no say in this.
        del form.fields["visibility"]

    def act() -> str:
        changed = upkeep.change(found, by=request.user, **form.cleaned_data)
        messages.success(request, _("Registry %(registry)s changed.") % {"registry": changed})
        return changed.get_absolute_url()

    url = reverse("registries:change_registry", args=[pk])
    dialog = Dialog(
        title=_("Settings of %(registry)s") % {"registry": found},
        url=url,
        action=_("Save"),
        form=form,
        guard=Guard(rows, saved=lambda: RegistrySettings.values_of(rows.get())),
    )
    return ask(request, dialog, act)


@login_required
@require_http_methods(["GET", "POST"])
def delete(request: PageRequest, pk: int) -> HttpResponse:
    """Dialog: whether the registry goes."""
    found = access.registry_of_key(request.user, pk)
    upkeep.require_organization_admin(request.user, found.organization, _("delete registries"))

    def act() -> str:
        upkeep.delete(found, by=request.user)
        messages.success(request, _("Registry %(registry)s deleted.") % {"registry": found})
        return reverse("registries:list")

    dialog = Dialog(
        title=_("Delete %(registry)s?") % {"registry": found},
        url=reverse("registries:delete_registry", args=[pk]),
        action=_("Delete registry"),
        form=forms.Form(posted(request)),
        text=_("Its collections, links and automations go with it. Versions stay in the projects they were logged in."),
        danger=True,
    )
    return ask(request, dialog, act)
