"""Parts of the pages of collections and versions: which automations wait for them, and how often one acted."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from automations import sentences, watchers
from automations.models import Automation
from projects.pages import PageRequest
from registries.models import Collection

SHOWN = 20
COUNTED_AT_ONCE = 100
WITH_HOME = ("project__team__organization", "registry__organization")


@login_required
@require_safe
def watching(request: PageRequest, pk: int) -> HttpResponse:
    """The automations that wait for something in a collection."""
    collection = get_object_or_404(Collection.objects.visible_to(request.user).select_related(*WITH_HOME), pk=pk)
    found = watchers.of_collection(collection, request.user)
    context = {
        "rows": [(automation, _when(automation)) for automation in found[:SHOWN]],
        "more": max(len(found) - SHOWN, 0),
        "all_url": automations_url(collection),
    }
    return render(request, "automations/list/_watching.html", context)


@login_required
@require_safe
def counts(request: PageRequest) -> HttpResponse:
    """How many executions there were in each of several collections (`in`), each put where the page waits for it."""
    asked = {int(text) for text in request.GET.getlist("in")[:COUNTED_AT_ONCE] if text.isdecimal() and len(text) < 19}
    collections = Collection.objects.visible_to(request.user).select_related(*WITH_HOME).filter(pk__in=asked)
    found = {collection.pk: collection for collection in collections}
    numbers = watchers.executions_of(found, request.user)
    rows = [(collection, numbers[pk], history_url(collection)) for pk, collection in found.items()]
    return render(request, "automations/history/_counts.html", {"rows": rows})


def automations_url(collection: Collection) -> str:
    """The automations of the place where a collection is."""
    return reverse(f"automations:{_kind(collection)}_automations", kwargs=_place(collection))


def history_url(collection: Collection) -> str:
    """The history of a collection."""
    address = reverse(f"automations:{_kind(collection)}_history", kwargs=_place(collection))
    return f"{address}?{urlencode({'collection': collection.name})}"


def _kind(collection: Collection) -> str:
    return "registry" if collection.registry is not None else "project"


def _place(collection: Collection) -> dict[str, str]:
    if collection.registry is not None:
        return {"organization": collection.registry.organization.name, "registry": collection.registry.name}
    assert collection.project is not None  # the check constraint says so
    return {"team": collection.project.team.name, "project": collection.project.name}


def _when(automation: Automation) -> str:
    return sentences.when_clause(automation.event_type, automation.condition, automation.filter)
