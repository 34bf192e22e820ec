"""Runs: one function per change of state; each announces it in the same transaction."""

from __future__ import annotations

import secrets
import string
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from projects.events import RUN_STATE, Fact, announce, run_facts, run_scopes
from projects.jsonvalues import check_size, storable
from projects.models import Project, Run, RunState, User
from projects.models.run import TRANSITIONS
from projects.naming import invented_name

log = structlog.get_logger(__name__)

ID_LETTERS = string.ascii_lowercase + string.digits
EDITABLE = frozenset({"display_name", "config", "summary", "tags", "group", "job_type", "notes"})
# What only clients say, beside what people may edit.
REPORTED = frozenset({"client_config", "program", "host", "repo", "commit"})
DOCUMENTS = frozenset({"config", "summary", "client_config"})


class InvalidTransition(Exception):
    """The run is in a state from which it cannot get to the one asked for."""

    def __init__(self, run: Run, to: RunState) -> None:
        super().__init__(f"Run {run.run_id} is {run.state}; it cannot become {to.value} from there.")


class RunExists(Exception):
    """There is a run with this id in the project."""


def new_run_id() -> str:
    """Eight random letters and digits, as the wandb client makes them."""
    return "".join(secrets.choice(ID_LETTERS) for _ in range(8))


def create(project: Project, *, by: User, at: datetime, run_id: str | None = None, **fields: Any) -> Run:
    """Start a run. `fields` are those of `EDITABLE` and `REPORTED`, and `state`: running unless it waits as pending.

    Raises:
        ValidationError: by field.
        RunExists: the id is taken in this project.
    """
    run_id = run_id or new_run_id()
    state = fields.pop("state", RunState.RUNNING)
    if state not in {RunState.PENDING, RunState.RUNNING}:
        raise ValidationError({"state": "A run begins as pending or running."})
    fields = _cleaned(fields)
    fields["display_name"] = fields.get("display_name") or run_id
    run = Run(project=project, run_id=run_id, user=by, state=state, created_at=at, heartbeat_at=at, **fields)
    run.started_at = at if state is RunState.RUNNING else None
    run.full_clean(exclude=["project", "user"], validate_unique=False, validate_constraints=False)
    try:
        with transaction.atomic():
            run.save(force_insert=True)
            _announce_state(run, before=None, at=at, by=by)
    except IntegrityError as error:
        if Run.objects.filter(project=project, run_id=run_id).exists():
            raise RunExists(f"There is a run “{run_id}” in {project} already.") from error
        raise
    return run


def ensure(
    project: Project, *, run_id: str | None, by: User, at: datetime, starting: bool, **fields: Any
) -> tuple[Run, bool]:
    """The run a script speaks of, and whether it was made now. `fields` are those of `create`; None is not given.

    A script says this again and again. Only one that is `starting` takes a run that is over back to running.

    Raises:
        ValidationError: by field.
    """
    run_id = run_id or new_run_id()
    _check_id(run_id)
    fields = {name: value for name, value in fields.items() if value is not None}
    run = Run.objects.filter(project=project, run_id=run_id).first()
    if run is None:
        named = {"display_name": invented_name(Run.objects.filter(project=project).count() + 1)} | fields
        try:
            return create(project, by=by, at=at, run_id=run_id, **named), True
        except RunExists:
            # Another request made it between the look and the insert.
            run = Run.objects.get(project=project, run_id=run_id)
    waits = fields.pop("state", RunState.RUNNING) == RunState.PENDING
    with transaction.atomic():
        run = update(run, changes=fields)
        return (start_again(run, by=by, at=at) if starting and not waits else run), False


def start_again(run: Run, *, by: User, at: datetime) -> Run:
    """A script goes on with the run, or begins one that waits: nobody wishes any more that it ends."""
    run = start(run, by=by, at=at)
    run.stop_requested_at = None
    run.preempting = False
    run.heartbeat_at = max(run.heartbeat_at, at)
    run.save(update_fields=["stop_requested_at", "preempting", "heartbeat_at"])
    return run


def _check_id(run_id: str) -> None:
    # Before the look: PostgreSQL cannot even be asked for some texts.
    try:
        Run._meta.get_field("run_id").run_validators(run_id)
    except ValidationError as error:
        raise ValidationError({"run_id": error.messages}) from error


def update(run: Run, *, changes: Mapping[str, Any], replacing: Collection[str] = ()) -> Run:
    """Change what people may edit: names, config, tags, notes. Documents are merged, unless they are among those to
    be replaced.

    Raises:
        ValidationError: by field.
    """
    changes = _cleaned(changes)
    with transaction.atomic():
        locked = lock(run)
        for name, value in changes.items():
            merges = name in DOCUMENTS and name not in replacing
            merged = {**getattr(locked, name), **value} if merges else value
            if name in DOCUMENTS:
                _check_size(name, merged)
            setattr(locked, name, merged)
        locked.full_clean(exclude=["project", "user"], validate_unique=False, validate_constraints=False)
        locked.save(update_fields=sorted(changes))
    return locked


def start(run: Run, *, by: User | None, at: datetime) -> Run:
    """A pending run begins, or one that was over is resumed."""
    return _move(run, to=RunState.RUNNING, by=by, at=at)


def finish(run: Run, *, exit_code: int, by: User | None, at: datetime) -> Run:
    """The script ended: Finished with exit code 0, Failed with any other. Saying the same again changes nothing.

    One that was asked to stop, and did not end well, was killed.

    Raises:
        InvalidTransition: the run ended differently before.
    """
    with transaction.atomic():
        locked = lock(run)
        to = RunState.FINISHED if exit_code == 0 else RunState.FAILED
        if to is RunState.FAILED and locked.stop_requested_at is not None:
            to = RunState.KILLED
        return _move_locked(locked, to=to, by=by, at=at, exit_code=exit_code)


def kill(run: Run, *, by: User | None, at: datetime) -> Run:
    """Somebody stopped it on purpose; this never fires an automation."""
    return _move(run, to=RunState.KILLED, by=by, at=at)


def request_stop(run: Run, *, by: User, at: datetime) -> Run:
    """Ask the script to end: it is told when it next sends something. A run that waits is killed at once; one that is
    over is left alone."""
    with transaction.atomic():
        run = lock(run)
        if run.state == RunState.PENDING:
            return _move_locked(run, to=RunState.KILLED, by=by, at=at)
        if run.state == RunState.RUNNING and run.stop_requested_at is None:
            run.stop_requested_at = at
            run.save(update_fields=["stop_requested_at"])
    return run


def wait_again(run: Run, *, by: User, at: datetime) -> Run:
    """Somebody will start it anew: a run that failed, crashed or still runs is pending again.

    Raises:
        InvalidTransition: it finished, or was killed.
    """
    return _move(run, to=RunState.PENDING, by=by, at=at)


def delete(run: Run) -> None:
    """Delete the run with all it logged and uploaded."""
    with transaction.atomic():
        run.delete()


def heartbeat(run: Run, *, at: datetime) -> Run:
    """The script is alive. A run that was given up as crashed is running again."""
    with transaction.atomic():
        run = lock(run)
        if run.state == RunState.CRASHED:
            run = _move_locked(run, to=RunState.RUNNING, by=run.user, at=at)
        run.heartbeat_at = max(run.heartbeat_at, at)
        run.save(update_fields=["heartbeat_at"])
    return run


def mark_crashed(*, silent_for: timedelta, at: datetime) -> list[Run]:
    """Give up running runs that were not heard of for so long, each in a transaction of its own."""
    crashed = []
    cutoff = at - silent_for
    for pk in list(Run.objects.silent_since(cutoff).order_by("heartbeat_at").values_list("pk", flat=True)):
        try:
            with transaction.atomic():
                run = Run.objects.select_for_update(of=("self",)).filter(pk=pk).silent_since(cutoff)
                found = run.select_related("project__team", "user").first()
                if found is not None:
                    crashed.append(_move_locked(found, to=RunState.CRASHED, by=None, at=at))
        except Exception:
            # One run that cannot be given up must not keep the others from it; this one is tried again next time.
            log.exception("run_not_given_up", run=pk)
    return crashed


def _cleaned(fields: Mapping[str, Any]) -> dict[str, Any]:
    problems: dict[str, Any] = dict.fromkeys(set(fields) - EDITABLE - REPORTED, "This cannot be set.")
    cleaned: dict[str, Any] = {}
    for name, value in fields.items():
        try:
            cleaned[name] = storable(value)
            if name in DOCUMENTS and not isinstance(value, dict):
                problems[name] = "This is an object of names and values."
            elif name in DOCUMENTS:
                check_size(cleaned[name])
            if name == "tags" and not (isinstance(value, list) and all(isinstance(tag, str) for tag in value)):
                problems[name] = "Tags are a list of texts."
        except ValidationError as error:
            problems[name] = error.messages
    if problems:
        raise ValidationError(problems)
    return cleaned


def _check_size(name: str, document: Any) -> None:
    try:
        check_size(document)
    except ValidationError as error:
        raise ValidationError({name: error.messages}) from error


def lock(run: Run) -> Run:
    """The run as it is now, held until the transaction ends; with its project, team and user: those the caller has
    read already, since a run changes neither."""
    known = [name for name in ("project", "user") if Run._meta.get_field(name).is_cached(run)]  # type: ignore[union-attr]
    missing = [path for name, path in (("project", "project__team"), ("user", "user")) if name not in known]
    found = Run.objects.select_for_update(of=("self",))
    locked = (found.select_related(*missing) if missing else found).get(pk=run.pk)
    for name in known:
        setattr(locked, name, getattr(run, name))
    return locked


def _move(run: Run, *, to: RunState, by: User | None, at: datetime, exit_code: int | None = None) -> Run:
    with transaction.atomic():
        return _move_locked(lock(run), to=to, by=by, at=at, exit_code=exit_code)


def _move_locked(run: Run, *, to: RunState, by: User | None, at: datetime, exit_code: int | None = None) -> Run:
    before = RunState(run.state)
    if before is to:
        return run
    if to not in TRANSITIONS[before]:
        raise InvalidTransition(run, to)
    run.state = to
    run.exit_code = exit_code
    run.state_changes += 1
    run.finished_at = at if to.is_over else None
    if to is RunState.RUNNING:
        run.heartbeat_at = at
        run.started_at = run.started_at or at
    run.save(update_fields=["state", "exit_code", "state_changes", "finished_at", "heartbeat_at", "started_at"])
    _announce_state(run, before=before, at=at, by=by)
    return run


def _announce_state(run: Run, *, before: RunState | None, at: datetime, by: User | None) -> None:
    announce(
        Fact(
            kind=RUN_STATE,
            occurred_at=at,
            dedupe_key=f"run:{run.pk}:state:{run.state_changes}",
            scopes=run_scopes(run),
            actor=by,
            run=run,
            facts=run_facts(run),
            details={
                "before": before.value if before else None,
                "state": run.state,
                "exit_code": run.exit_code,
                "entity": run.project.team.name,
                "project": run.project.name,
            },
        )
    )
