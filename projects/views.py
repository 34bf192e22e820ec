"""Pages of projects; `run_pages` has those of a run. The other tabs belong to the applications above."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import replace_url

from projects import access, listing, members, run_table, teams
from projects.forms import NewProject
from projects.models import Role, RunState, Team
from projects.pages import Dialog, PageRequest, ask, page_of, posted, query_without
from projects.workspace import AXES, NEWEST, USUAL, Workspace


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
        messages.success(request, _("Project %(project)s created.") % {"project": project})
        return project.get_absolute_url()

    dialog = Dialog(title=_("Create a project"), url=reverse("projects:create"), action=_("Create project"), form=form)
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
        "members": members.people_of(found),
        "may_create": access.may(request.user, access.Permission.LOG, found),
    }
    return render(request, "projects/team.html", context)


@login_required
@require_safe
@vary_on_headers("HX-Request", "HX-Target")
def workspace(request: PageRequest, team: str, project: str) -> HttpResponse:
    """Plots of every metric over a project's runs."""
    found = access.project_for(request.user, team, project)
    context = {
        "project": found,
        "workspace": Workspace(found, request.GET.dict()),
        "axes": AXES,
        "newest": NEWEST,
        "usual": USUAL,
        "may_automate": access.may(request.user, access.Permission.EDIT_AUTOMATIONS, found.team),
    }
    parts = {"plotted-runs": "projects/_plotted_runs.html", "plots": "projects/_plots.html"}
    return render(request, parts.get(request.htmx.target or "", "projects/workspace.html"), context)


@login_required
@require_safe
@vary_on_headers("HX-Request", "HX-Target")
def project_runs(request: PageRequest, team: str, project: str) -> HttpResponse:
    """The runs of a project."""
    found = access.project_for(request.user, team, project)
    context = {
        "project": found,
        "table": run_table.run_table(found, request.GET, reader=request.user),
        "states": RunState.choices,
        "may_log": access.may(request.user, access.Permission.LOG, found.team),
    }
    template = "projects/_runs.html" if request.htmx.target == "runs" else "projects/runs.html"
    return render(request, template, context)


@login_required
@require_POST
def choose_columns(request: PageRequest, team: str, project: str) -> HttpResponse:
    """Which values the reader wishes to see in the runs table, from now on; answers with the table they look at."""
    found = access.project_for(request.user, team, project)
    run_table.choose_columns(found, run_table.columns_in(request.POST), reader=request.user)
    runs_url = reverse("projects:runs", args=[team, project])
    if not request.htmx:
        return redirect(runs_url)
    # An address that names columns would go on to say which are shown.
    params = QueryDict(urlsplit(request.htmx.current_url or "").query, mutable=True)
    params.pop("column", None)
    table = run_table.run_table(found, params, reader=request.user)
    response = render(request, "projects/_runs.html", {"project": found, "table": table})
    return replace_url(response, f"{runs_url}?{params.urlencode()}".rstrip("?"))


def _may_log_in(request: PageRequest) -> QuerySet[Team]:
    return listing.teams_where(request.user, least_rank=Role.MEMBER.rank)
