"""The first page after signing in: what needs somebody, what is going on in all one's projects, and how to begin."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from automations import attention, disclosure, firststeps
from automations.models import Execution
from projects import listing
from projects.models import Project, User
from projects.pages import PageRequest
from registries.models import Registry

PROJECTS_SHOWN = 6
RUNS_SHOWN = 8
EXECUTIONS_SHOWN = 8


@login_required
@require_safe
def home(request: PageRequest) -> HttpResponse:
    """What needs somebody, the newest executions and runs, projects by their last activity; the first steps until all
    of them are done or the user hides them."""
    user = request.user
    projects = list(listing.projects_of(user)[:PROJECTS_SHOWN])
    steps = None if user.first_steps_hidden else firststeps.of(user, projects)
    if request.htmx and request.htmx.target == "first-steps":
        return _answer(request, "automations/_first_steps.html", {"steps": steps})
    runs = list(listing.recent_runs(user, count=RUNS_SHOWN))
    executions = recent_executions(user)
    context: dict[str, Any] = {
        "concerns": attention.of(user, now=timezone.now()),
        "projects": projects,
        "runs": runs,
        "executions": executions,
        "steps": steps if steps and steps.current else None,
        "steps_hidden": user.first_steps_hidden and not executions,
        "nav": "home",
    }
    return _answer(request, "automations/home.html", context)


@login_required
@require_POST
def show_first_steps(request: PageRequest) -> HttpResponse:
    """Buttons: hide the first steps, and show them again."""
    firststeps.hide(request.user, hidden=request.POST.get("show") != "yes")
    return redirect("home")


def recent_executions(user: User) -> list[Execution]:
    """The newest. Each place tells its newest and its eighth newest from an index, so that neither the length of the
    history nor what others have in it counts: nothing older than the newest of all those eighths can be among them."""
    # Not all that happened in a place is for everybody who sees the place (AZ1).
    visible = Execution.objects.visible_to(user)
    projects, of_projects = _newest(visible, "project", Project.objects.visible_to(user))
    registries, of_registries = _newest(visible, "registry", Registry.objects.visible_to(user))
    newest = (
        visible.filter(Q(project__in=projects) | Q(registry__in=registries))
        .filter(pk__gte=max(of_projects, of_registries))
        .select_related("automation", "event__run", "project__team", "registry__organization")
        .defer("payload", "event__facts", "event__run__config", "event__run__summary")
        .order_by("-pk")[:EXECUTIONS_SHOWN]
    )
    return disclosure.prepare(newest, reader=user)


def _newest(executions: QuerySet[Execution], field: str, places: QuerySet[Any]) -> tuple[list[int], int]:
    """The places where something happened last, and the key of an execution that as many as are shown are not older
    than; 0 if no place had so many."""
    there = executions.filter(**{field: OuterRef("pk")}).order_by("-pk").values("pk")
    last, least = Subquery(there[:1]), Subquery(there[EXECUTIONS_SHOWN - 1 : EXECUTIONS_SHOWN])
    found = (
        places.annotate(last=last, least=least)
        .filter(last__isnull=False)
        .order_by("-last")
        .values_list("pk", "least")[:EXECUTIONS_SHOWN]
    )
    return [pk for pk, _ in found], max((least or 0 for _, least in found), default=0)


def _answer(request: PageRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response
