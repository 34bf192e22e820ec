"""`upsertBucket`: how a script begins its run, says more about it, and how people edit it from Python."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType
from django.db import transaction
from django.utils import timezone
from graphql import GraphQLResolveInfo

from projects import access, runs
from projects.access import Permission
from projects.api.runs import project_to_log_to
from projects.jsonvalues import mended
from projects.models import Run, User
from wandb_gateway import ids
from wandb_gateway.refusals import Unsupported
from wandb_gateway.wrapping import document, unwrapped

mutation = MutationType()

# What the client calls a project when the script names none.
NO_PROJECT = "uncategorized"
# Theirs → ours.
TEXTS = {
    "displayName": "display_name",
    "groupName": "group",
    "jobType": "job_type",
    "notes": "notes",
    "host": "host",
    "jobProgram": "program",
    "jobRepo": "repo",
    "commit": "commit",
}


def run_numbered(user: User, id: str) -> Run:
    """The run with this id, for somebody who may change it.

    Raises:
        UnknownId, Http404: there is none to be seen.
        PermissionDenied: the user may not log there.
    """
    run = access.run_numbered(user, ids.number(id, "Run"))
    access.require(user, Permission.LOG, run.project.team)
    return run


@mutation.field("upsertBucket")
def upsert(_root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
    user: User = info.context.user
    if input.get("id"):
        return {"bucket": _edited(run_numbered(user, input["id"]), input, by=user), "inserted": False}
    with transaction.atomic():
        project = project_to_log_to(
            user, input.get("entityName") or user.username, input.get("modelName") or NO_PROJECT
        )
        run, inserted = runs.ensure(
            project,
            run_id=input.get("name"),
            by=user,
            at=timezone.now(),
            starting=_starts(input),
            **({"state": input["state"]} if input.get("state") else {}),
            **_changes(input),
        )
    return {"bucket": run, "inserted": inserted}


def _edited(run: Run, input: dict[str, Any], *, by: User) -> Run:
    """The run after an edit; a script that resumes it also comes this way."""
    with transaction.atomic():
        run = runs.update(run, changes=_changes(input), replacing={"summary"})
        return runs.start_again(run, by=by, at=timezone.now()) if _starts(input) else run


def _starts(input: dict[str, Any]) -> bool:
    """Whether a script begins: only then the client says where it runs. Later it repeats what changes."""
    return bool(input.get("host") or input.get("jobProgram"))


def _changes(input: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {ours: mended(input[theirs]) for theirs, ours in TEXTS.items() if input.get(theirs)}
    if input.get("tags") is not None:
        changes["tags"] = mended(list(dict.fromkeys(input["tags"])))
    config = document(input.get("config"), "config")
    if config is not None:
        changes["config"], own = unwrapped(config)
        if own is not None:
            _refuse_forks(own)
            changes["client_config"] = own
    summary = document(input.get("summaryMetrics"), "summaryMetrics")
    if summary is not None:
        changes["summary"] = summary
    return changes


def _refuse_forks(own: dict[str, Any]) -> None:
    if own.get("branch_point"):
        raise Unsupported(
            "Runs cannot be forked: this server keeps one history for each run. Start a new run, or resume the old one."
        )


BINDABLES = (mutation,)
