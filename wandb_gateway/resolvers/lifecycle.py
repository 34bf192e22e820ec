"""What the client does to a run as a whole: stop it, delete it, queue it again, raise an alert about it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ariadne import MutationType
from django.core.exceptions import BadRequest
from django.utils import timezone
from graphql import GraphQLResolveInfo

from projects import access, alerts, runs
from projects.models import AlertLevel
from wandb_gateway.refusals import Unsupported
from wandb_gateway.resolvers.upserts import run_numbered

mutation = MutationType()

# The client's own default, in milliseconds.
WAIT = 60_000
LONGEST_WAIT = timedelta(days=30)


@mutation.field("stopRun")
def stop_run(_root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, bool]:
    run = run_numbered(info.context.user, input["id"])
    runs.request_stop(run, by=info.context.user, at=timezone.now())
    return {"success": True}


@mutation.field("deleteRun")
def delete_run(_root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
    if input.get("deleteArtifacts"):
        raise Unsupported("Artifacts are not deleted with their run. Delete them one by one, and then the run.")
    runs.delete(run_numbered(info.context.user, input["id"]))
    return {}


@mutation.field("updateRunState")
def update_run_state(_root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, bool]:
    run, user, now = run_numbered(info.context.user, input["id"]), info.context.user, timezone.now()
    state = input["state"].lower()
    if state == "pending":
        runs.wait_again(run, by=user, at=now)
    elif state == "failed":
        runs.finish(run, exit_code=1, by=user, at=now)
    else:
        raise BadRequest(f"A run can be made pending or failed, not “{input['state'][:40]}”.")
    return {"success": True}


@mutation.field("rewindRun")
def rewind_run(_root: None, _info: GraphQLResolveInfo, input: dict[str, Any]) -> None:
    raise Unsupported(
        f"Run {input['runName']} cannot be rewound: this server never takes back what was logged. Resume it with"
        " resume=“must”, or start a new run."
    )


@mutation.field("notifyScriptableRunAlert")
def raise_alert(_root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, bool]:
    """What is held back because it was said just before is no failure of the script."""
    path = {"team": input["entityName"], "project": input["projectName"], "run_id": input["runName"]}
    milliseconds = WAIT if input.get("waitDuration") is None else input["waitDuration"]
    longest = LONGEST_WAIT.total_seconds() * 1000
    alerts.raise_alert(
        access.run_to_log_to(info.context.user, **path),
        title=input["title"],
        text=input["text"],
        level=AlertLevel(input.get("severity") or AlertLevel.INFO),
        wait=timedelta(milliseconds=max(0, min(milliseconds, longest))),
        by=info.context.user,
        at=timezone.now(),
    )
    return {"success": True}


BINDABLES = (mutation,)
