"""Facts about runs, and the one way they travel upward: `announce`.

An app that changes something announces a fact inside the transaction of the change; whoever connects to `announced`
(the automations app) writes down what follows in that same transaction, so that both are true or neither is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.dispatch import Signal

if TYPE_CHECKING:
    from projects.models import Run, User

announced = Signal()

RUN_STATE = "RUN_STATE"
METRICS_LOGGED = "METRICS_LOGGED"
RUN_ALERT = "RUN_ALERT"


@dataclass(frozen=True, slots=True)
class Scopes:
    """Primary keys of everything that contains what happened; None where there is no such thing."""

    organization: int | None = None
    team: int | None = None
    project: int | None = None
    registry: int | None = None
    collection: int | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened, as it was at that moment.

    `dedupe_key` names the occurrence: announcing the same one twice is recorded once. `facts` are what conditions are
    evaluated over (the documented fields of runs or artifacts); `details` is what messages and pages show beside them.
    Both hold JSON values only. `rows` are the freshly logged rows of METRICS_LOGGED, which is too frequent to be
    written down as an event of its own, and `stream` says of which stream they are lines.
    """

    kind: str
    occurred_at: datetime
    dedupe_key: str
    scopes: Scopes
    actor: User | None = None
    run: Run | None = None
    artifact_id: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    first_line: int = 0
    stream: str = "history"


def announce(fact: Fact) -> None:
    """Tell the apps above, inside the transaction that makes the fact true.

    Raises:
        RuntimeError: outside a transaction, since then a crash could keep the change and lose the event.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"{fact.kind} was announced outside a transaction")
    announced.send(sender=Fact, fact=fact)


def run_scopes(run: Run) -> Scopes:
    """The scopes a run's event is in. `run.project.team` must be loaded."""
    project = run.project
    return Scopes(organization=project.team.organization_id, team=project.team_id, project=project.pk)


def run_facts(run: Run) -> dict[str, Any]:
    """The run as conditions see it: the documented run fields of the condition language."""
    return {
        "name": run.run_id,
        "display_name": run.display_name,
        "state": run.state,
        "user": run.user.username if run.user else None,
        "tags": list(run.tags),
        "group": run.group,
        "job_type": run.job_type,
        "config": run.config,
        "summary": run.summary,
    }
