"""What lists of projects and runs show: read once for all rows. `run_table` has the runs of a project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from projects.models import OrganizationMember, Project, Role, Run, Team, TeamMember, User


def flattened(document: Mapping[str, Any], *, prefix: str = "") -> list[tuple[str, Any]]:
    """The document's single values and lists with their dotted paths, e.g. `("optimizer.lr", 0.1)`. Media, which
    clients log as a description of their file, are told by their type: `("samples", "table-file")`."""
    pairs: list[tuple[str, Any]] = []
    for key, value in document.items():
        if isinstance(value, Mapping) and isinstance(value.get("_type"), str):
            pairs.append((f"{prefix}{key}", value["_type"]))
        elif isinstance(value, Mapping) and value:
            pairs += flattened(value, prefix=f"{prefix}{key}.")
        else:
            pairs.append((f"{prefix}{key}", value))
    return pairs


def logged_summary(run: Run) -> list[tuple[str, Any]]:
    """The last values of what the script logged, by name; keys with “_” are the client's own."""
    return sorted((key, value) for key, value in flattened(run.summary) if not key.startswith("_"))


def projects_of(user: User) -> QuerySet[Project]:
    """The projects the user may see, with `run_count` and `active_at`, the most recently active first."""
    newest = Run.objects.filter(project=OuterRef("pk")).order_by("-created_at", "-pk")
    counts = Run.objects.filter(project=OuterRef("pk")).order_by().values("project").annotate(n=Count("pk"))
    return (
        Project.objects.visible_to(user)
        .select_related("team")
        .annotate(
            active_at=Coalesce(Subquery(newest.values("created_at")[:1]), "created_at"),
            last_state=Subquery(newest.values("state")[:1]),
            run_count=Coalesce(Subquery(counts.values("n")), 0),
        )
        .order_by("-active_at", "-pk")
    )


def recent_runs(user: User, *, count: int) -> QuerySet[Run]:
    """The newest runs of all projects the user may see."""
    runs = Run.objects.visible_to(user).select_related("project__team", "user").defer("config", "summary", "notes")
    # By key rather than by time: the newest come off the end of the table without sorting it.
    return runs.order_by("-pk")[:count]


def teams_where(user: User, *, least_rank: int) -> QuerySet[Team]:
    """The teams in which the user's role, their own or through the organization, has at least this rank;
    shared ones before personal ones."""
    teams = Team.objects.visible_to(user).order_by(F("owner").asc(nulls_first=True), "name")
    if user.is_superuser:
        return teams
    roles = [role for role in Role if role.rank >= least_rank]
    organizations = OrganizationMember.objects.filter(user=user, role=Role.ADMIN).values("organization")
    return teams.filter(
        Q(pk__in=TeamMember.objects.filter(user=user, role__in=roles).values("team"))
        | Q(organization__in=organizations)
    )
