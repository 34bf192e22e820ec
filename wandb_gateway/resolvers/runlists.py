"""The runs of a project: one by its id, or a list with a filter and an order."""

from __future__ import annotations

from typing import Any

from ariadne import ObjectType
from graphql import GraphQLResolveInfo

from projects.models import Project, Run
from registries.models import Registry
from wandb_gateway.connections import connection
from wandb_gateway.homes import Home
from wandb_gateway.runlists import Chosen
from wandb_gateway.selections import asked_for

project = ObjectType("Project")

# Columns that may be big, by the fields of the client that show them.
BIG = {
    "config": ("config", "wandbConfig"),
    "client_config": ("config", "wandbConfig"),
    "summary": ("summaryMetrics",),
    "system_metrics": ("systemMetrics",),
}


def chosen(info: GraphQLResolveInfo, found: Project, filters: str | None) -> Chosen:
    """The runs that meet the filter; a page and its count ask for the same ones in one query."""
    known: dict[Any, Chosen] = info.context.memory.setdefault("runs", {})
    key = (found.pk, filters)
    if key not in known:
        known[key] = Chosen(found, filters)
    return known[key]


@project.field("run")
def run(found: Home, _info: GraphQLResolveInfo, name: str) -> Run | None:
    if isinstance(found, Registry) or "\x00" in name:
        return None
    wanted = Run.objects.filter(project=found, run_id=name).select_related("user").first()
    if wanted is not None:
        wanted.project = found
    return wanted


@project.field("runCount")
def run_count(found: Home, info: GraphQLResolveInfo, filters: str | None = None) -> int:
    return 0 if isinstance(found, Registry) else len(chosen(info, found, filters))


@project.field("runs")
def runs(found: Home, info: GraphQLResolveInfo, **asked: Any) -> dict[str, Any]:
    filters, order = asked.pop("filters", None), asked.pop("order", None)
    if isinstance(found, Registry):
        return connection([], **asked)
    rows = chosen(info, found, filters).in_order(order)
    names = asked_for(info)
    rows.without = [column for column, shown in BIG.items() if names.isdisjoint(shown)]
    return connection(rows, **asked)


BINDABLES = (project,)
