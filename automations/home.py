"""The first page after signing in: what is going on in all one's projects; how to begin, where nothing is yet."""

from __future__ import annotations

import shlex
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from automations import disclosure
from automations.models import Automation, Execution, Status
from projects import listing
from projects.models import Project, Role, User
from projects.pages import PageRequest

PROJECTS_SHOWN = 6
RUNS_SHOWN = 8
EXECUTIONS_SHOWN = 8
EXECUTIONS_LOOKED_AT = 50


@login_required
@require_safe
def home(request: PageRequest) -> HttpResponse:
    """Projects with their last activity, the newest runs, the newest executions with the failed ones first."""
    user = request.user
    runs = list(listing.recent_runs(user, count=RUNS_SHOWN))
    projects = list(listing.projects_of(user)[:PROJECTS_SHOWN])
    context: dict[str, Any] = {
        "projects": projects,
        "runs": runs,
        "executions": recent_executions(user),
        "has_automations": Automation.objects.visible_to(user).exists(),
        "nav": "home",
    }
    if not runs or not context["has_automations"]:
        context |= _first_steps(user, projects)
    return render(request, "automations/home.html", context)


def recent_executions(user: User) -> list[Execution]:
    """The failed ones among the newest, then the others; read off the end of the table by key."""
    newest = (
        Execution.objects.visible_to(user)
        .select_related("automation", "event__run", "project__team", "registry__organization")
        .defer("payload", "event__facts", "event__run__config", "event__run__summary")
        .order_by("-pk")[:EXECUTIONS_LOOKED_AT]
    )
    shown = disclosure.prepare(newest, reader=user)
    return sorted(shown, key=lambda execution: execution.status != Status.FAILED)[:EXECUTIONS_SHOWN]


def _first_steps(user: User, projects: list[Project]) -> dict[str, Any]:
    """A project to begin with: the user's most recent one, else one that the first run will make."""
    team = listing.teams_where(user, least_rank=Role.MEMBER.rank).first()
    place = projects[0] if projects else None
    names = (place.team.name, place.name) if place else (team.name if team else user.username, "digits")
    server, path = settings.PUBLIC_URL, "/".join(quote(name) for name in names)
    return {
        "first_project": place,
        "settings_team": team,
        "curl_command": (
            f"curl {server}/api/projects/{path}/runs/ \\\n"
            '  -H "Authorization: Bearer $AUTOMATIONS_API_KEY" -H "Content-Type: application/json" \\\n'
            """  -d '{"display_name": "first run", "config": {"lr": 0.01}}'"""
        ),
        "train_command": shlex.join(
            ["python", "examples/train_digits.py", "--url", server, "--team", names[0], "--project", names[1]]
        ),
    }
