"""What the client reads of a run."""

from __future__ import annotations

from typing import Any

from ariadne import ObjectType
from graphql import GraphQLResolveInfo

from projects import access
from projects.access import Permission
from projects.models import Run, RunState
from wandb_gateway import ids
from wandb_gateway.wrapping import text_of, wrapped

run = ObjectType("Run")

for theirs, ours in {
    "name": "run_id",
    "displayName": "display_name",
    "groupName": "group",
    "jobType": "job_type",
    "projectId": "project_id",
    "createdAt": "created_at",
    "heartbeatAt": "heartbeat_at",
    "updatedAt": "heartbeat_at",
    "historyLineCount": "history_lines",
    "eventsLineCount": "system_lines",
    "logLineCount": "console_lines",
}.items():
    run.set_alias(theirs, ours)


@run.field("id")
def run_id(found: Run, _info: GraphQLResolveInfo) -> str:
    return ids.encode("Run", found.pk)


@run.field("state")
def state(found: Run, _info: GraphQLResolveInfo) -> str:
    return "preempting" if found.preempting and found.state == RunState.RUNNING else found.state


@run.field("stopped")
def stopped(found: Run, _info: GraphQLResolveInfo) -> bool:
    return found.stop_requested_at is not None


@run.field("readOnly")
def read_only(found: Run, info: GraphQLResolveInfo) -> bool:
    """Whether who asks may not change it: the same for all runs of a team, so asked once in a request."""
    known: dict[int, bool] = info.context.memory.setdefault("read_only", {})
    team = found.project.team
    if team.pk not in known:
        known[team.pk] = not access.may(info.context.user, Permission.LOG, team)
    return known[team.pk]


@run.field("config")
def config(found: Run, _info: GraphQLResolveInfo) -> str:
    return wrapped(found)


@run.field("wandbConfig")
def client_config(found: Run, _info: GraphQLResolveInfo, keys: list[str] | None = None) -> str:
    kept: dict[str, Any] = found.client_config
    return text_of(kept if keys is None else {key: kept[key] for key in keys if key in kept})


@run.field("summaryMetrics")
def summary(found: Run, _info: GraphQLResolveInfo) -> str:
    return text_of(found.summary)


@run.field("systemMetrics")
def system_metrics(found: Run, _info: GraphQLResolveInfo) -> str:
    return text_of(found.system_metrics)


BINDABLES = (run,)
