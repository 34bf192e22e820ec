"""What the lists of runs and projects show: read once for all rows, whatever their number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import QueryDict

from projects.models import OrganizationMember, Project, Role, Run, RunState, Team, TeamMember, User
from projects.pages import page_of, query_without

COLUMNS_SHOWN = 3
COLUMNS_OFFERED = 100


@dataclass(frozen=True, slots=True)
class RunTable:
    """One page of a project's runs. `columns` are the summary values shown, `offered` those to choose from."""

    page: Page[Run]
    search: str
    state: str
    columns: Sequence[str]
    offered: Sequence[str]
    query: str

    @property
    def rows(self) -> list[tuple[Run, list[Any]]]:
        """Each run with its values of the columns, None where it has none."""
        flat = ((run, dict(flattened(run.summary))) for run in self.page.object_list)
        return [(run, [values.get(column) for column in self.columns]) for run, values in flat]

    @property
    def is_filtered(self) -> bool:
        """Whether runs are left out on the user's wish."""
        return bool(self.search or self.state)


def run_table(project: Project, params: QueryDict) -> RunTable:
    """The runs that the query string asks for: `q` searches name and id, `state`, `column` (several), `page`."""
    search = params.get("q", "").strip()
    state = params.get("state", "") if params.get("state") in RunState.values else ""
    runs = Run.objects.filter(project=project).select_related("user").defer("config", "notes")
    if search:
        runs = runs.filter(Q(display_name__icontains=search) | Q(run_id__icontains=search))
    if state:
        runs = runs.filter(state=state)
    page = page_of(runs.order_by("-created_at", "-pk"), params.get("page"))
    for run in page.object_list:
        run.project = project
    offered = summary_keys(page.object_list)
    # The form always sends an empty column too, so that choosing none is told from not having chosen.
    is_chosen = "column" in params
    chosen = [column for column in dict.fromkeys(params.getlist("column")) if column][:COLUMNS_OFFERED]
    return RunTable(
        page=page,
        search=search,
        state=state,
        columns=chosen if is_chosen else offered[:COLUMNS_SHOWN],
        offered=sorted({*offered, *chosen}),
        query=query_without(params, "page"),
    )


def summary_keys(runs: Iterable[Run]) -> list[str]:
    """Keys of single values in the summaries, those that most runs have first; keys with “_” are the client's own."""
    found = Counter(key for run in runs for key, value in flattened(run.summary) if not isinstance(value, list))
    offered = [key for key in found if not key.startswith("_")]
    return sorted(offered, key=lambda key: (-found[key], key))[:COLUMNS_OFFERED]


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
