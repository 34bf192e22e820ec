"""What the frame around every page shows: the team switcher and the current team."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from projects.models import Team


def frame(request: HttpRequest) -> dict[str, Any]:
    """`nav_teams`, `current_team` and `nav` (the current entry of the side bar); nothing for nobody, and no query
    before a template asks."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"nav_teams": [], "current_team": None}
    teams = SimpleLazyObject(lambda: list(Team.objects.visible_to(user).order_by("owner_id", "name")[:200]))
    return {
        "nav_teams": teams,
        "current_team": SimpleLazyObject(lambda: _current_team(request, teams)),
        "nav": _nav(request),
    }


def _current_team(request: HttpRequest, teams: Any) -> Team | None:
    match = request.resolver_match
    name = match.kwargs.get("team") if match else None
    named = next((team for team in teams if team.name == name), None)
    shared = next((team for team in teams if not team.is_personal), None)
    return named or shared or next(iter(teams), None)


def _nav(request: HttpRequest) -> str:
    match = request.resolver_match
    if match is None:
        return ""
    name, namespace = match.url_name or "", match.namespace
    entries = (
        (name == "home", "home"),
        (name.startswith("team_settings") or namespace == "settings", "team_settings"),
        ("registry" in match.kwargs or (namespace == "registries" and "team" not in match.kwargs), "registries"),
        (namespace == "projects" or "team" in match.kwargs, "projects"),
    )
    return next((entry for applies, entry in entries if applies), "")
