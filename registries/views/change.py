"""Dialogs that change registries: create, link, unlink."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from projects.models import Organization
from projects.pages import Dialog, PageRequest, ask, posted
from registries import access, linking, listing
from registries.artifacts import TypeConflict
from registries.forms import LinkSource, LinkTarget, NewCollection, NewRegistry
from registries.models import Collection, Membership

FOUND_SHOWN = 12


@login_required
@require_http_methods(["GET", "POST"])
def create_registry(request: PageRequest) -> HttpResponse:
    """Dialog for admins of an organization."""
    organizations = listing.organizations_administered_by(request.user)
    if not organizations.exists():
        raise PermissionDenied(_("You may not create registries. Ask an admin of your organization."))
    form = NewRegistry(posted(request), organizations=organizations)

    def create() -> str:
        organization: Organization = form.cleaned_data["organization"]
        registry = linking.create_registry(
            organization, form.cleaned_data["name"], by=request.user, description=form.cleaned_data["description"]
        )
        messages.success(request, _("Registry %(registry)s created.") % {"registry": registry})
        return registry.get_absolute_url()

    url = reverse("registries:create")
    return ask(request, Dialog(title=_("Create a registry"), url=url, action=_("Create registry"), form=form), create)


@login_required
@require_http_methods(["GET", "POST"])
def create_collection(request: PageRequest, organization: str, registry: str) -> HttpResponse:
    """Dialog: an empty collection to link versions to."""
    found = access.registry_for(request.user, organization, registry)
    access.require(request.user, access.Permission.LINK, found)
    form = NewCollection(posted(request))

    def create() -> str:
        collection = linking.create_collection(
            found,
            form.cleaned_data["name"],
            type=form.cleaned_data["type"],
            description=form.cleaned_data["description"],
        )
        messages.success(request, _("Collection %(collection)s created.") % {"collection": collection.name})
        return collection.get_absolute_url()

    url = reverse("registries:create_collection", args=[organization, registry])
    dialog = Dialog(
        title=_("Create a collection in %(registry)s") % {"registry": found.name},
        url=url,
        action=_("Create collection"),
        form=form,
    )
    return ask(request, dialog, create)


@login_required
@require_http_methods(["GET", "POST"])
def link_version(request: PageRequest, pk: int) -> HttpResponse:
    """Dialog on a version: choose the registry collection it is linked to."""
    membership = _seen(request, pk)
    kind = membership.collection.type
    targets = listing.collections_open_to(request.user, type=kind)
    url = reverse("registries:link_version", args=[pk])
    title = _("Link %(collection)s:%(version)s to a registry") % {
        "collection": membership.collection.name,
        "version": membership.version,
    }
    if not targets.exists():
        text = _(
            "No registry you may link to has a collection of type “%(kind)s”. Create one on the registry's page first."
        ) % {"kind": kind}
        return Dialog(title=title, url=url, action="", text=text).shown(request)
    form = LinkTarget(posted(request), collections=targets)

    def link() -> str:
        return _link(request, membership, to=form.cleaned_data["collection"], aliases=form.cleaned_data["aliases"])

    return ask(request, Dialog(title=title, url=url, action=_("Link version"), form=form), link)


@login_required
@require_http_methods(["GET", "POST"])
def link_into(request: PageRequest, organization: str, registry: str, collection: str) -> HttpResponse:
    """Dialog on a registry's collection: find the version that is linked to it, in any project one may see."""
    found = access.collection_for(request.user, collection, registry=(organization, registry))
    access.require_labels(request.user, found)
    if request.htmx.target == "found-versions":
        return render(request, "registries/_found_versions.html", _found(request, found))
    form = LinkSource(posted(request))

    def link() -> str:
        source = _named(request, form.cleaned_data["version"])
        return _link(request, source, to=found, aliases=form.cleaned_data["aliases"])

    url = reverse("registries:link_into", args=[organization, registry, collection])
    dialog = Dialog(
        title=_("Link a version to %(collection)s") % {"collection": found.name},
        url=url,
        action=_("Link version"),
        form=form,
        body="registries/_link_dialog.html",
        extra=_found(request, found),
    )
    return ask(request, dialog, link)


def _found(request: PageRequest, collection: Collection) -> dict[str, Any]:
    """The versions that a dialog offers, with where they are in the collection already."""
    asked = request.POST or request.GET
    search = asked.get("search", "").replace("\x00", "").strip()
    found = listing.linkable_into(collection, request.user, search=search, count=FOUND_SHOWN + 1)
    shown = found[:FOUND_SHOWN]
    there = listing.linked_in(collection, [version.artifact_id for version in shown])
    return {
        "collection": collection,
        "search": search,
        "found": [(version, str(version), there.get(version.artifact_id)) for version in shown],
        "has_more": len(found) > FOUND_SHOWN,
        "picked": asked.get("version", ""),
    }


@login_required
@require_http_methods(["GET", "POST"])
def unlink_version(request: PageRequest, pk: int) -> HttpResponse:
    """Dialog: whether to take a linked version out of its registry."""
    membership = _seen(request, pk)
    access.require_labels(request.user, membership.collection)
    name = f"{membership.collection.name}:{membership.version}"

    def unlink() -> str:
        address = membership.collection.get_absolute_url()
        try:
            linking.unlink(membership, by=request.user, at=timezone.now())
        except linking.NotALink as error:
            raise ValidationError(str(error)) from error
        messages.success(request, _("%(name)s unlinked.") % {"name": name})
        return address

    aliases = membership.alias_names
    dialog = Dialog(
        title=_("Unlink %(name)s?") % {"name": name},
        url=reverse("registries:unlink_version", args=[pk]),
        action=_("Unlink version"),
        form=forms.Form(posted(request)),
        text=_("The version leaves this registry; in the project it was logged in it stays.")
        + (_(" Its aliases here go with it: %(aliases)s.") % {"aliases": ", ".join(aliases)} if aliases else ""),
        danger=True,
    )
    return ask(request, dialog, unlink)


def _link(request: PageRequest, source: Membership, *, to: Collection, aliases: list[str]) -> str:
    access.require_labels(request.user, to)
    try:
        linked, is_new = linking.link(source, to=to, by=request.user, at=timezone.now(), aliases=aliases)
    except TypeConflict as error:
        raise ValidationError(str(error)) from error
    name = f"{linked.collection.name}:{linked.version}"
    messages.success(
        request,
        _("Linked as %(name)s.") % {"name": name}
        if is_new
        else _("This version is linked as %(name)s already.") % {"name": name},
    )
    return linked.get_absolute_url()


def _named(request: PageRequest, name: str) -> Membership:
    place, colon, version = name.strip().rpartition(":")
    parts = place.split("/")
    if not colon or len(parts) != 3:
        raise ValidationError(
            {"version": _("“%(name)s” names no version. Write it as team/project/collection:v3.") % {"name": name}}
        )
    try:
        collection = access.collection_for(request.user, parts[2], project=(parts[0], parts[1]))
        return access.version_for(collection, version)
    except Http404 as error:
        raise ValidationError({"version": str(error)}) from error


def _seen(request: PageRequest, pk: int) -> Membership:
    membership = listing.membership_seen_by(request.user, pk)
    if membership is None:
        raise Http404(_("There is no such version."))
    return membership
