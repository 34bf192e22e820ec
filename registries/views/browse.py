"""Pages to look at: a project's Artifacts tab, registries, collections, versions."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from projects import access as projects_access
from projects.listing import flattened
from projects.models import Project, Run, User
from projects.pages import PageRequest, page_of, query_without
from registries import access, lineage, listing
from registries.models import Collection, Membership, Registry
from registries.views import protection, roster

RUN_VERSIONS_SHOWN = 20
USERS_SHOWN = 10


@login_required
@require_safe
@vary_on_headers("HX-Request", "HX-Target")
def artifacts(request: PageRequest, team: str, project: str) -> HttpResponse:
    """The Artifacts tab of a project."""
    found = projects_access.project_for(request.user, team, project)
    context = {"project": found, **_collections(request, found)}
    return render(request, _whole_or_part(request, "registries/artifacts.html"), context)


@login_required
@require_safe
def registry_list(request: PageRequest) -> HttpResponse:
    """All registries the user may see."""
    context = {
        "page": page_of(listing.registries_of(request.user), request.GET.get("page")),
        "may_create": listing.organizations_administered_by(request.user).exists(),
    }
    return render(request, "registries/list.html", context)


@login_required
@require_safe
@vary_on_headers("HX-Request", "HX-Target")
def registry_page(request: PageRequest, organization: str, registry: str) -> HttpResponse:
    """A registry's collections."""
    found = access.registry_for(request.user, organization, registry)
    context = {
        "registry": found,
        "may_change": access.may(request.user, access.Permission.LINK, found),
        **protection.context_of(request.user, found),
        **roster.context_of(request.user, found),
        **_collections(request, found),
    }
    return render(request, _whole_or_part(request, "registries/registry.html"), context)


@login_required
@require_safe
def collection_page(request: PageRequest, collection: str, **place: str) -> HttpResponse:
    """A collection's versions, the newest first."""
    found = collection_at(request.user, collection, place)
    context = {
        "collection": found,
        "one": [found],
        "page": page_of(access.memberships_of(found).select_related("user"), request.GET.get("page")),
        "latest": listing.latest_of(found),
        "may_change": may_change(request.user, found),
        **_home(found),
    }
    return render(request, "registries/collection.html", context)


@login_required
@require_safe
def version_page(request: PageRequest, collection: str, version: str, **place: str) -> HttpResponse:
    """One version: what it is, where it came from, where it is linked."""
    found = collection_at(request.user, collection, place)
    membership = access.version_for(found, version)
    run = membership.artifact.run
    users = lineage.users_of(membership.artifact, request.user)
    context = {
        "membership": membership,
        "metadata": sorted(flattened(membership.artifact.metadata)),
        "places": listing.other_places_of(membership, request.user),
        "used_by": users.select_related("project__team").defer("config", "summary", "notes")[:USERS_SHOWN],
        "user_count": users.count(),
        # A registry is seen by people who may not see the project its versions come from.
        "run": run if run and Run.objects.visible_to(request.user).filter(pk=run.pk).exists() else None,
        **version_context(request.user, membership),
    }
    return render(request, "registries/version.html", context)


@login_required
@require_safe
def run_artifacts(request: PageRequest, pk: int) -> HttpResponse:
    """Part of a run's page: the versions it logged, and those it used."""
    run = Run.objects.visible_to(request.user).filter(pk=pk).first()
    if run is None:
        raise Http404(_("There is no such run."))
    versions = listing.versions_logged_by(run)
    used = listing.versions_used_by(run, request.user)
    context = {
        "versions": versions[:RUN_VERSIONS_SHOWN],
        "count": versions.count(),
        "used": used[:RUN_VERSIONS_SHOWN],
        "used_count": len(used),
    }
    return render(request, "registries/_run_artifacts.html", context)


def version_context(user: User, membership: Membership) -> dict[str, Any]:
    """What the parts of a version's page need that change in place."""
    collection = membership.collection
    return {
        "membership": membership,
        "collection": collection,
        "is_latest": membership.version_index == listing.latest_of(collection),
        "may_change": may_change(user, collection),
        **(protection.context_of(user, collection.registry) if collection.registry else {}),
        **_home(collection),
    }


def may_change(user: User, collection: Collection) -> bool:
    """Whether the user may add versions, aliases and tags."""
    if collection.registry is not None:
        return access.may(user, access.Permission.LINK, collection.registry)
    assert collection.project is not None  # the check constraint says so
    return projects_access.may(user, projects_access.Permission.LOG, collection.project.team)


def collection_at(user: User, name: str, place: dict[str, str]) -> Collection:
    """The collection that an address names, in a project (of this type) or in a registry.

    Raises:
        Http404: there is none the user may see.
    """
    if "registry" in place:
        return access.collection_for(user, name, registry=(place["organization"], place["registry"]))
    found = access.collection_for(user, name, project=(place["team"], place["project"]))
    if found.type != place["type"]:
        raise Http404(
            _("There is no collection “%(name)s” of type “%(type)s”.") % {"name": name, "type": place["type"]}
        )
    return found


def _home(collection: Collection) -> dict[str, Project | Registry | None]:
    return {"project": collection.project, "registry": collection.registry}


def _collections(request: PageRequest, home: Project | Registry) -> dict[str, Any]:
    search = request.GET.get("q", "").strip()
    page = page_of(listing.collections_in(home, search=search), request.GET.get("page"))
    rows = listing.with_aliases(list(page.object_list), home)
    return {"page": page, "rows": rows, "search": search, "query": query_without(request.GET, "page")}


def _whole_or_part(request: PageRequest, whole: str) -> str:
    return "registries/_collections.html" if request.htmx.target == "collections" else whole


@login_required
@require_safe
def as_the_client_links_it(request: PageRequest, organization: str, registry: str) -> HttpResponse:
    """To the version, collection or registry that an address of the wandb client means."""
    collection = request.GET.get("selectionPath", "").rpartition("/")[2]
    version = request.GET.get("version", "")
    if not collection:
        return redirect(access.registry_for(request.user, organization, registry))
    found = access.collection_for(request.user, collection, registry=(organization, registry))
    return redirect(access.version_for(found, version) if version else found)
