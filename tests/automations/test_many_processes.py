"""EV11 among processes: many report the same crossing at the same moment, and one of them starts the execution."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.synchronize import Barrier

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from automations.models import Cooldown, EventType, Execution
from projects import metrics
from projects.events import RUN_ALERT, Fact, announce, run_facts, run_scopes
from projects.models import Run
from tests import factories

# On SQLite writers queue up, so that more of them would only wait longer.
PROCESSES = 50 if connection.vendor == "postgresql" else 8


def cross(run: Run) -> None:
    metrics.append(run, metrics.parse(b'[{"loss": 0.5}, {"loss": 7.0}]'), at=timezone.now())


def announce_alert(run: Run) -> None:
    """Each its own event: unlike batches of one run, they do not wait for each other before they are matched."""
    fact = Fact(
        kind=RUN_ALERT,
        occurred_at=timezone.now(),
        dedupe_key=f"run:{run.pk}:alert:{os.getpid()}",
        scopes=run_scopes(run),
        run=run,
        facts=run_facts(run),
        details={"title": "Loss is high", "text": "7.0", "level": "WARN"},
    )
    with transaction.atomic():
        announce(fact)


def report(tell: Callable[[Run], None], pk: int, together: Barrier) -> None:
    """The work of one process, on a connection of its own."""
    run = Run.objects.select_related("project__team", "user").get(pk=pk)
    together.wait(60)
    tell(run)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("tell", "event_type"),
    [(cross, EventType.RUN_METRIC), (announce_alert, EventType.RUN_ALERT)],
    ids=["metric", "alert"],
)
def test_ev11_of_many_processes_that_report_the_same_crossing_one_starts_the_execution(
    tell: Callable[[Run], None], event_type: EventType
) -> None:
    run = factories.make_run()
    factories.make_automation(run.project, event_type)
    # A process must not inherit a connection that its parent goes on using.
    connections.close_all()
    forked = multiprocessing.get_context("fork")
    together = forked.Barrier(PROCESSES)
    processes = [forked.Process(target=report, args=(tell, run.pk, together)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)

    assert [process.exitcode for process in processes] == [0] * PROCESSES
    execution = Execution.objects.get()
    assert execution.event.run == run
    assert Cooldown.objects.get().surplus == PROCESSES - 1
