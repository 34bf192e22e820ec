"""Pages of projects; `run_pages` has those of a run. The other tabs belong to the applications above."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from projects import access, listing, teams
from projects.forms import NewProject
from projects.models import Role, RunState, Team
from projects.pages import Dialog, PageRequest, ask, page_of, posted, query_without


@login_required
@require_safe
@vary_on_headers("HX-Request", "HX-Target")
def project_list(request: PageRequest) -> HttpResponse:
    """All projects the user may see, the most recently active first."""
    search = request.GET.get("q", "").strip()
    projects = listing.projects_of(request.user)
    if search:
        projects = projects.filter(name__icontains=search)
    page = page_of(projects, request.GET.get("page"))
    context = {
        "page": page,
        "search": search,
        "query": query_without(request.GET, "page"),
        "may_create": _may_log_in(request).exists(),
    }
    template = "projects/_projects.html" if request.htmx.target == "projects" else "projects/list.html"
    return render(request, template, context)


@login_required
@require_http_methods(["GET", "POST"])
def create_project(request: PageRequest) -> HttpResponse:
    """Dialog: a new project in a team where the user may log."""
    form = NewProject(posted(request), teams=_may_log_in(request), initial={"team": request.GET.get("team")})

    def create() -> str:
        team: Team = form.cleaned_data["team"]
        access.require(request.user, access.Permission.LOG, team)
        project = teams.create_project(
            form.cleaned_data["name"], team=team, description=form.cleaned_data["description"]
        )
        messages.success(request, f"Project {project} created.")
        return project.get_absolute_url()

    dialog = Dialog(title="Create a project", url=reverse("projects:create"), action="Create project", form=form)
    return ask(request, dialog, create)


@login_required
@require_safe
def team_page(request: PageRequest, team: str) -> HttpResponse:
    """A team's projects and its people."""
    found = access.team_for(request.user, team)
    projects = listing.projects_of(request.user).filter(team=found)
    context = {
        "team": found,
        "page": page_of(projects, request.GET.get("page")),
        "members": found.memberships.select_related("user").order_by("user__username"),
        "may_create": access.may(request.user, access.Permission.LOG, found),
    }
    return render(request, "projects/team.html", context)


@login_required
@require_safe
@vary_on_headers("HX-Request", "HX-Target")
def project_page(request: PageRequest, team: str, project: str) -> HttpResponse:
    """The runs of a project."""
    found = access.project_for(request.user, team, project)
    context = {
        "project": found,
        "table": listing.run_table(found, request.GET),
        "states": RunState.choices,
        "may_log": access.may(request.user, access.Permission.LOG, found.team),
    }
    template = "projects/_runs.html" if request.htmx.target == "runs" else "projects/project.html"
    return render(request, template, context)


def _may_log_in(request: PageRequest) -> QuerySet[Team]:
    return listing.teams_where(request.user, least_rank=Role.MEMBER.rank)
