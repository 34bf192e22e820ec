"""Lists of automations: the Automations tab of a project or registry, those of a team or an organization (UI1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from automations import diagnosis, disclosure, history, sentences, snoozing
from automations.models import Automation
from automations.views.places import Place, organization_place, project_place, registry_place, team_place
from projects.models import Project
from registries.models import Collection, Registry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.contrib.auth.models import AnonymousUser
    from django.http import HttpRequest, HttpResponse

    from projects.models import User

PER_PAGE = 30
SORTS = {
    "last_triggered": gettext_lazy("Last triggered"),
    "name": gettext_lazy("Name"),
    "created": gettext_lazy("Created"),
}


@login_required
@require_safe
def of_project(request: HttpRequest, team: str, project: str) -> HttpResponse:
    """Automations of a project and of its collections."""
    return _list(request, project_place(request.user, team, project))


@login_required
@require_safe
def of_registry(request: HttpRequest, organization: str, registry: str) -> HttpResponse:
    """Automations of a registry and of its collections."""
    return _list(request, registry_place(request.user, organization, registry))


@login_required
@require_safe
def of_team(request: HttpRequest, team: str) -> HttpResponse:
    """Automations that cover all of a team's projects."""
    return _list(request, team_place(request.user, team))


@login_required
@require_safe
def of_organization(request: HttpRequest, organization: str) -> HttpResponse:
    """Automations that cover all of an organization's teams and registries."""
    return _list(request, organization_place(request.user, organization))


def _list(request: HttpRequest, place: Place) -> HttpResponse:
    text = request.GET.get("q", "").strip()
    sort = request.GET.get("sort", "")
    sort = sort if sort in SORTS else "last_triggered"
    collection = _collection(place, request.GET.get("collection", ""))
    automations = history.automations_in(collection or place.home)
    found = history.sorted_by(history.searched(automations, text), sort, reader=request.user)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    kept = {"q": text, "collection": collection.name if collection else ""}
    kept = {name: value for name, value in kept.items() if value}
    context: dict[str, Any] = {
        **place.frame,
        "place": place,
        "page": page,
        "rows": rows_of(history.with_figures(page.object_list, now=timezone.now()), reader=request.user),
        "figures_shown": place.organization is None or place.editable,
        "query": text,
        "sort": sort,
        "sorts": SORTS,
        "collection": collection,
        "rest": urlencode({**kept, "sort": sort}),
        "kept": urlencode(kept),
        "new_url": f"{place.new_url}?{urlencode({'collection': collection.name})}" if collection else place.new_url,
    }
    htmx: Any = request.htmx  # type: ignore[attr-defined]  # set by django_htmx's middleware
    partial = htmx and not htmx.history_restore_request and htmx.target == "automations"
    template = "automations/list/_results.html" if partial else "automations/list/page.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def rows_of(automations: Iterable[Automation], *, reader: User | AnonymousUser) -> list[dict[str, Any]]:
    """Automations of `history.with_figures` as a list shows them to the reader."""
    listed = list(automations)
    hidden = disclosure.hidden_targets(reader, listed)
    return [row_of(automation, target_hidden=automation.pk in hidden) for automation in listed]


def row_of(automation: Automation, *, target_hidden: bool) -> dict[str, Any]:
    """An automation of `history.with_figures` as a row shows it."""
    when = sentences.when_clause(automation.event_type, automation.condition, automation.filter)
    return {
        "automation": automation,
        "snoozed": snoozing.is_snoozed(automation, at=timezone.now()),
        "when": when,
        "problem": diagnosis.problem_of(automation),
        "do": sentences.do_clause(automation.action_kind, automation.target, hidden=target_hidden),
        "last_key": getattr(automation, "last_key", None),
        "last_status": getattr(automation, "last_status", None),
        "last_created_at": getattr(automation, "last_created_at", None),
        "executions_7d": getattr(automation, "executions_7d", 0),
    }


def _collection(place: Place, name: str) -> Collection | None:
    """The collection whose automations alone are asked for."""
    if not name or not isinstance(place.home, Project | Registry):
        return None
    return place.home.collections.filter(name=name).first()
