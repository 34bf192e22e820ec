"""Dialogs and buttons that change registries: create, link, unlink, aliases and tags."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from projects.models import Organization
from projects.pages import Dialog, PageRequest, ask, leave, posted
from registries import access, labels, linking, listing
from registries.artifacts import TypeConflict
from registries.forms import LinkSource, LinkTarget, NewCollection, NewRegistry
from registries.models import Collection, Membership
from registries.views.browse import version_context


@login_required
@require_http_methods(["GET", "POST"])
def create_registry(request: PageRequest) -> HttpResponse:
    """Dialog for admins of an organization."""
    organizations = listing.organizations_administered_by(request.user)
    if not organizations.exists():
        raise PermissionDenied("You may not create registries. Ask an admin of your organization.")
    form = NewRegistry(posted(request), organizations=organizations)

    def create() -> str:
        organization: Organization = form.cleaned_data["organization"]
        registry = linking.create_registry(
            organization, form.cleaned_data["name"], by=request.user, description=form.cleaned_data["description"]
        )
        messages.success(request, f"Registry {registry} created.")
        return registry.get_absolute_url()

    url = reverse("registries:create")
    return ask(request, Dialog(title="Create a registry", url=url, action="Create registry", form=form), create)


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
        messages.success(request, f"Collection {collection.name} created.")
        return collection.get_absolute_url()

    url = reverse("registries:create_collection", args=[organization, registry])
    dialog = Dialog(title=f"Create a collection in {found.name}", url=url, action="Create collection", form=form)
    return ask(request, dialog, create)


@login_required
@require_http_methods(["GET", "POST"])
def link_version(request: PageRequest, pk: int) -> HttpResponse:
    """Dialog on a version: choose the registry collection it is linked to."""
    membership = _seen(request, pk)
    kind = membership.collection.type
    targets = listing.collections_open_to(request.user, type=kind)
    url = reverse("registries:link_version", args=[pk])
    title = f"Link {membership.collection.name}:{membership.version} to a registry"
    if not targets.exists():
        text = (
            f"No registry you may link to has a collection of type “{kind}”. Create one on the registry's page first."
        )
        return Dialog(title=title, url=url, action="", text=text).shown(request)
    form = LinkTarget(posted(request), collections=targets)

    def link() -> str:
        return _link(request, membership, to=form.cleaned_data["collection"], aliases=form.cleaned_data["aliases"])

    return ask(request, Dialog(title=title, url=url, action="Link version", form=form), link)


@login_required
@require_http_methods(["GET", "POST"])
def link_into(request: PageRequest, organization: str, registry: str, collection: str) -> HttpResponse:
    """Dialog on a registry's collection: name the version that is linked to it."""
    found = access.collection_for(request.user, collection, registry=(organization, registry))
    access.require_labels(request.user, found)
    form = LinkSource(posted(request))

    def link() -> str:
        source = _named(request, form.cleaned_data["version"])
        return _link(request, source, to=found, aliases=form.cleaned_data["aliases"])

    url = reverse("registries:link_into", args=[organization, registry, collection])
    return ask(
        request, Dialog(title=f"Link a version to {found.name}", url=url, action="Link version", form=form), link
    )


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
        messages.success(request, f"{name} unlinked.")
        return address

    aliases = membership.alias_names
    dialog = Dialog(
        title=f"Unlink {name}?",
        url=reverse("registries:unlink_version", args=[pk]),
        action="Unlink version",
        form=forms.Form(posted(request)),
        text="The version leaves this registry; in the project it was logged in it stays."
        + (f" Its aliases here go with it: {', '.join(aliases)}." if aliases else ""),
        danger=True,
    )
    return ask(request, dialog, unlink)


@login_required
@require_POST
def change_label(request: PageRequest, pk: int, kind: str, change: str) -> HttpResponse:
    """Add or remove an alias or a tag; answers with the part of the page that shows them."""
    membership = _seen(request, pk)
    access.require_labels(request.user, membership.collection)
    name = request.POST.get("name", "").replace("\x00", "").strip()
    problem = ""
    try:
        _change(membership, kind, change, name, request)
    except ValidationError as error:
        problem = error.messages[0]
    except PermissionDenied as error:  # of a protected alias
        problem = str(error)
    if not request.htmx:
        if problem:
            messages.error(request, problem)
        return leave(request, membership.get_absolute_url())
    fresh = access.memberships_of(membership.collection).filter(pk=pk).first()
    if fresh is None:
        raise Http404(f"{membership} is gone: somebody removed it meanwhile.")
    context = {
        **version_context(request.user, fresh),
        "problem": problem,
        "problem_kind": kind,
        "typed": name if problem else "",
        "changed": kind,
    }
    return render(request, "registries/_labels.html", context, status=422 if problem else 200)


def _change(membership: Membership, kind: str, change: str, name: str, request: PageRequest) -> None:
    now = timezone.now()
    if not name:
        raise ValidationError(f"Type the name of the {'alias' if kind == 'aliases' else 'tag'}.")
    if kind == "aliases":
        if change == "add":
            labels.add_alias(membership, name, by=request.user, at=now)
        else:
            labels.remove_alias(membership, name, by=request.user)
    elif change == "add":
        labels.add_tag(membership, name, by=request.user, at=now)
    else:
        labels.remove_tag(membership, name, by=request.user, at=now)


def _link(request: PageRequest, source: Membership, *, to: Collection, aliases: list[str]) -> str:
    access.require_labels(request.user, to)
    try:
        linked, is_new = linking.link(source, to=to, by=request.user, at=timezone.now(), aliases=aliases)
    except TypeConflict as error:
        raise ValidationError(str(error)) from error
    name = f"{linked.collection.name}:{linked.version}"
    messages.success(request, f"Linked as {name}." if is_new else f"This version is linked as {name} already.")
    return linked.get_absolute_url()


def _named(request: PageRequest, name: str) -> Membership:
    place, colon, version = name.strip().rpartition(":")
    parts = place.split("/")
    if not colon or len(parts) != 3:
        raise ValidationError({"version": f"“{name}” names no version. Write it as team/project/collection:v3."})
    try:
        collection = access.collection_for(request.user, parts[2], project=(parts[0], parts[1]))
        return access.version_for(collection, version)
    except Http404 as error:
        raise ValidationError({"version": str(error)}) from error


def _seen(request: PageRequest, pk: int) -> Membership:
    membership = listing.membership_seen_by(request.user, pk)
    if membership is None:
        raise Http404("There is no such version.")
    return membership
