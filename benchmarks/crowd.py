"""A server with a past: many runs that logged much, many automations, a million executions.

python -m benchmarks.crowd --user alice     # into the database that the server's settings name, to be looked at
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from automations.models import Automation, Event, Execution
    from projects.models import Project, Run, Team, User

Row = TypeVar("Row", bound="Event | Execution")

ROWS_A_CHUNK = 1_000
BATCH = 5_000
OUTCOMES = ("finished",) * 17 + ("failed", "skipped", "skipped")
LASTS = timedelta(days=89)  # the history's days: retention would take older ones


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is of what."""

    runs: int = 200
    metrics: int = 50
    points: int = 10_000
    projects: int = 20
    automations: int = 10_000
    executions: int = 1_000_000


def fill(team: Team, user: User, size: Size) -> None:
    """Make projects of the team: `measured` with the runs and an even share of the rest, and others beside it."""
    from django.utils import timezone

    from projects.models import Project

    names = ["measured", *(f"other-{number}" for number in range(1, size.projects))]
    projects = Project.objects.bulk_create(Project(team=team, name=name) for name in names)
    now = timezone.now()
    log(projects[0], user, size, at=now)
    patterns = [f"^team-{number}-[a-z]+$" for number in range(size.automations // size.projects)]
    for number, project in enumerate(projects):
        run = projects[0].runs.earliest("pk") if number == 0 else make_runs(project, user, 1, at=now)[0]
        automations = automate(project, patterns, at=now)
        remember(run, automations, size.executions // size.projects, at=now)
        say(f"{project}: {len(automations):,} automations")


def log(project: Project, user: User, size: Size, *, at: datetime) -> None:
    """Runs that logged, all the same: what it costs to read them is what counts."""
    from projects.metrics import compress
    from projects.models import MetricChunk

    names = [f"{('train', 'eval', 'layer')[number % 3]}/metric-{number:02}" for number in range(size.metrics)]
    payloads = []
    for first in range(0, size.points, ROWS_A_CHUNK):
        steps = range(first, min(first + ROWS_A_CHUNK, size.points))
        rows = [
            {"_step": step, "_timestamp": at.timestamp() + step, **{name: value(step, size) for name in names}}
            for step in steps
        ]
        payloads.append((first, len(rows), compress(json.dumps(rows).encode())))
    summary = {name: value(size.points, size) for name in names}
    for run in make_runs(project, user, size.runs, at=at, summary=summary, history_lines=size.points):
        MetricChunk.objects.bulk_create(
            MetricChunk(run=run, first_line=first, line_count=count, payload=payload, created_at=at)
            for first, count, payload in payloads
        )
    say(f"{project}: {size.runs:,} runs with {size.metrics:,} metrics of {size.points:,} points each")


def value(step: int, size: Size) -> float:
    return round(math.exp(-step / size.points) + 0.1 * math.sin(step), 4)


def make_runs(project: Project, user: User, count: int, *, at: datetime, **given: Any) -> list[Run]:
    from projects.models import Run, RunState

    return Run.objects.bulk_create(
        Run(
            project=project,
            run_id=f"run-{number}",
            display_name=f"prod-{number}",
            state=RunState.FAILED if number % 9 == 0 else RunState.FINISHED,
            user=user,
            config={"lr": round(0.1 / (number + 1), 5), "batch": 32},
            created_at=at,
            started_at=at - timedelta(hours=2),
            heartbeat_at=at - timedelta(hours=1),
            finished_at=at - timedelta(hours=1),
            **given,
        )
        for number in range(count)
    )


def automate(project: Project, patterns: Iterable[str], *, at: datetime | None = None) -> list[Automation]:
    """Automations on failed runs, one for each pattern of their names; `at` says when the first fired last."""
    from automations.models import ActionKind, Automation, EventType

    return Automation.objects.bulk_create(
        Automation(
            name=f"number {number}",
            project=project,
            event_type=EventType.RUN_STATE,
            condition={"states": ["FAILED"]},
            filter={"display_name": {"$regex": pattern}},
            action_kind=ActionKind.NO_OP,
            last_triggered_at=at - timedelta(minutes=number) if at else None,
        )
        for number, pattern in enumerate(patterns)
    )


def remember(run: Run, automations: list[Automation], executions: int, *, at: datetime) -> None:
    """Spread executions over the automations and the days: each event met all of them."""
    from automations.models import Event, Execution

    events = -(-executions // max(len(automations), 1))
    moments = [at - LASTS * (1 - (number + 1) / (events + 1)) for number in range(events)]
    recorded = list(in_batches(Event, (event_of(run, number, moment) for number, moment in enumerate(moments))))
    made = (execution_of(automation, event) for event in recorded for automation in automations)
    for _ in in_batches(Execution, islice(made, executions)):
        pass


def event_of(run: Run, number: int, at: datetime) -> Event:
    from automations.models import Event, EventType
    from projects.events import run_facts

    team = run.project.team
    return Event(
        kind=EventType.RUN_STATE,
        dedupe_key=f"crowd:{run.pk}:{number}",
        occurred_at=at,
        organization=team.organization,
        team=team,
        project=run.project,
        run=run,
        facts=run_facts(run),
        details={"entity": team.name, "project": run.project.name, "state": "failed"},
    )


def execution_of(automation: Automation, event: Event) -> Execution:
    from automations.models import Execution

    status = OUTCOMES[(automation.pk + event.pk) % len(OUTCOMES)]
    return Execution(
        automation=automation,
        event=event,
        project_id=event.project_id,
        status=status,
        reason_code={"failed": "rejected", "skipped": "rate_limit"}.get(status, ""),
        result="The run failed." if status == "finished" else "The receiver answered 404 Not Found.",
        matched_because="the run failed with exit code 1",
        rule={"name": automation.name, "event_type": automation.event_type, "action_kind": automation.action_kind},
        event_type=automation.event_type,
        action_kind=automation.action_kind,
        target="Do nothing",
        created_at=event.occurred_at,
        started_at=event.occurred_at,
        finished_at=event.occurred_at,
    )


def in_batches(model: type[Row], rows: Iterator[Row]) -> Iterator[Row]:
    """Insert them, and give them back with their keys."""
    while batch := list(islice(rows, BATCH)):
        yield from model._default_manager.bulk_create(batch)  # noqa: SLF001  public in Django's documentation


def say(text: str) -> None:
    print(text, file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--user", required=True, help="who shall be the team's admin; must exist")
    parser.add_argument("--team", default="crowd", help="name of the team that is made, in an organization of its own")
    for each in fields(Size):
        parser.add_argument(f"--{each.name}", type=int, default=each.default)
    options = vars(parser.parse_args())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "automations_site.settings")

    import django

    django.setup()
    from projects import teams
    from projects.models import Role, User

    user, name = User.objects.get(username=options.pop("user")), options.pop("team")
    team = teams.create_team(name, organization=teams.create_organization(f"{name}-organization"))
    teams.set_role(user, team=team, role=Role.ADMIN)
    fill(team, user, Size(**options))


if __name__ == "__main__":
    main()
