"""The search of the top bar: projects, registries, collections, runs and automations by name, those one may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import Case, IntegerField, Max, Q, QuerySet, Value, When
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from automations.access import SCOPES
from automations.models import Automation
from automations.views.choosing import place_shown
from projects.models import Project, Run, Team, User
from projects.pages import PageRequest
from registries.models import Collection, Registry

SHOWN = 5  # of each kind while one types
SHOWN_ON_PAGE = 25
LONGEST = 128
# Of the newest runs only: a text that is in no name would otherwise be looked for in every run there ever was.
RUNS_SEARCHED = 100_000


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found: where it is (`aside`), what it is called, its page."""

    icon: str
    name: str
    aside: str
    url: str


@dataclass(frozen=True, slots=True)
class Section:
    """What was found of one kind, best first; `more` says that there is more of it, and `all_url` where."""

    label: str
    hits: list[Hit]
    more: bool
    all_url: str = ""


@login_required
@require_safe
def show(request: PageRequest) -> HttpResponse:
    """All that is called like this: a page, or the panel below the top bar while one types."""
    text = request.GET.get("q", "").strip()[:LONGEST]
    typing = bool(request.htmx) and request.htmx.target == "top-results"
    context: dict[str, Any] = {
        "query": text,
        "sections": found(request.user, text, count=SHOWN if typing else SHOWN_ON_PAGE) if text else [],
    }
    response = render(request, "search/_panel.html" if typing else "search/page.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def found(user: User, text: str, *, count: int) -> list[Section]:
    """At most `count` of each kind whose names hold the text, in six queries."""
    sections = [
        _section(_("Projects"), [_project(one) for one in _best(_projects(user, text), text, count)], count),
        _section(_("Registries"), [_registry(one) for one in _best(_registries(user, text), text, count)], count),
        _section(_("Teams"), [_team(one) for one in _best(_teams(user, text), text, count)], count),
        _section(_("Artifacts"), [_collection(one) for one in _best(_collections(user, text), text, count)], count),
        _section(
            _("Automations"),
            [_automation(one) for one in _best(_automations(user, text), text, count)],
            count,
            all_url=f"{reverse('automations:hub')}?{urlencode({'q': text})}",
        ),
        _section(_("Runs"), [_run(one) for one in _runs(user, text)[: count + 1]], count),
    ]
    return [section for section in sections if section.hits]


def _section(label: str, hits: list[Hit], count: int, *, all_url: str = "") -> Section:
    return Section(label, hits[:count], more=len(hits) > count, all_url=all_url)


def _best(rows: QuerySet[Any], text: str, count: int) -> list[Any]:
    """One more than shown: what is called exactly so comes first, then what begins so."""
    rank = Case(
        When(name__iexact=text, then=Value(0)),
        When(name__istartswith=text, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return list(rows.order_by(rank, "name", "pk")[: count + 1])


def _projects(user: User, text: str) -> QuerySet[Project]:
    return Project.objects.visible_to(user).filter(name__icontains=text).select_related("team")


def _registries(user: User, text: str) -> QuerySet[Registry]:
    return Registry.objects.visible_to(user).filter(name__icontains=text).select_related("organization")


def _teams(user: User, text: str) -> QuerySet[Team]:
    return Team.objects.visible_to(user).filter(name__icontains=text)


def _collections(user: User, text: str) -> QuerySet[Collection]:
    found = Collection.objects.visible_to(user).filter(name__icontains=text)
    return found.select_related("project__team", "registry__organization")


def _automations(user: User, text: str) -> QuerySet[Automation]:
    return Automation.objects.visible_to(user).filter(name__icontains=text).select_related(*SCOPES)


def _runs(user: User, text: str) -> QuerySet[Run]:
    newest = (Run.objects.aggregate(newest=Max("pk"))["newest"] or 0) - RUNS_SEARCHED
    called = Q(display_name__icontains=text, pk__gt=newest) | Q(run_id=text)
    runs = Run.objects.visible_to(user).filter(called)
    return runs.select_related("project__team").defer("config", "summary", "notes").order_by("-pk")


def _project(project: Project) -> Hit:
    return Hit("folder", project.name, project.team.name, project.get_absolute_url())


def _registry(registry: Registry) -> Hit:
    return Hit("registry", registry.name, registry.organization.name, registry.get_absolute_url())


def _team(team: Team) -> Hit:
    return Hit("users", team.name, _("personal") if team.is_personal else "", team.get_absolute_url())


def _collection(collection: Collection) -> Hit:
    home = collection.project or collection.registry
    return Hit("package", collection.name, home.name if home else "", collection.get_absolute_url())


def _automation(automation: Automation) -> Hit:
    return Hit("zap", automation.name, place_shown(automation).name, automation.get_absolute_url())


def _run(run: Run) -> Hit:
    place = f"{run.project.team.name}/{run.project.name}"
    return Hit("activity", run.display_name or run.run_id, place, run.get_absolute_url())
