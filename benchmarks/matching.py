"""Matching one event: with ten and with ten thousand automations in the instance, and with a thousand in its own scope.

python -m benchmarks.matching --rounds 3
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.crowd import automate
from benchmarks.served import percentile, report

if TYPE_CHECKING:
    from projects.models import Project

FEW, MANY, CROWD = 10, 10_000, 1_000
AMONG_FEW = f"{FEW} automations in the instance, all in the event's project"
AMONG_MANY = f"the same with {MANY:,} in the instance"
IN_A_CROWD = f"{CROWD:,} automations in the event's project, a pattern each"


@contextmanager
def fresh_database() -> Iterator[None]:
    """An empty database with the server's own settings; DATABASE_URL puts it on PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="automations-bench-") as folder:
        (Path(folder) / "static").mkdir()
        os.environ |= {
            "DATA_DIR": folder,
            "LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "automations_site.settings",
        }
        for name in ("SECRET_KEY", "FERNET_KEYS"):
            os.environ.setdefault(name, "a-key-that-only-this-benchmark-knows")

        import django

        django.setup()
        from django.db import connection

        if connection.vendor == "sqlite":
            connection.settings_dict["TEST"]["NAME"] = f"{folder}/bench.sqlite3"
        before = connection.settings_dict["NAME"]
        print("Making a database", file=sys.stderr)
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            yield
        finally:
            connection.creation.destroy_test_db(before, verbosity=0)


def make_automations(project: Project, count: int) -> None:
    """Automations on failed runs, of which one waits for runs like those that are going to fail."""
    automate(project, ["^prod-[0-9]+$", *(f"^team-{number}-[a-z]+-v[0-9]+$" for number in range(1, count))])


def measure(project: Project, *, events: int) -> dict[str, Any]:
    """Fail so many runs: state, event, matching and the execution of the one that matches, in one transaction each."""
    from django.utils import timezone

    from automations import candidates
    from automations.models import Execution
    from projects import runs
    from tests import factories

    running = [factories.make_run(project, display_name=f"prod-{number}") for number in range(events + 1)]
    candidates.forget()
    took, used, before = [], [], Execution.objects.count()
    for run in running:
        began, cpu = time.perf_counter(), time.process_time()
        runs.finish(run, exit_code=1, by=run.user, at=timezone.now())
        took.append((time.perf_counter() - began) * 1000)
        used.append((time.process_time() - cpu) * 1000)
    assert Execution.objects.count() == before + len(running)
    return {
        "first_ms": round(took[0], 2),
        "cpu_ms": round(median(used[1:]), 3),
        "p50_ms": round(median(took[1:]), 2),
        "p99_ms": round(percentile(took[1:], 0.99), 2),
    }


def rounds_of(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Ten automations first, alone; then the crowd, whose rounds take turns with those of the ten among many."""
    from tests import factories

    few = factories.make_project(name="few")
    make_automations(few, FEW)
    numbers = range(1, options.rounds + 1)
    measure(few, events=options.events)  # warms up
    rounds = [{"case": AMONG_FEW, "round": number, **measure(few, events=options.events)} for number in numbers]
    crowd = factories.make_project(name="crowd")
    make_automations(crowd, CROWD)
    for number in range((MANY - CROWD) // FEW - 1):
        make_automations(factories.make_project(name=f"other-{number}"), FEW)
    for number in numbers:
        for case, project in ((AMONG_MANY, few), (IN_A_CROWD, crowd)):
            rounds.append({"case": case, "round": number, **measure(project, events=options.events)})
    return rounds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=100, help="of each round")
    with fresh_database():
        rounds = rounds_of(parser.parse_args())
        report(rounds, label="case")
    used = {case: median(one["cpu_ms"] for one in rounds if one["case"] == case) for case in (AMONG_FEW, AMONG_MANY)}
    print(f"\n{MANY:,} automations against {FEW}: × {used[AMONG_MANY] / used[AMONG_FEW]:.2f}", file=sys.stderr)


if __name__ == "__main__":
    main()
