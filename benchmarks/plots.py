"""A plot of many long runs: drawn for the first time, from what is kept, and asked for again.

python -m benchmarks.plots --runs 100 --points 100000
"""

from __future__ import annotations

import argparse
import json
import math
import time
from typing import TYPE_CHECKING, Any

from benchmarks.matching import fresh_database
from benchmarks.served import report

if TYPE_CHECKING:
    from django.test import Client

    from projects.models import Project

ROWS_A_CHUNK = 1_000
FIRST = "drawn for the first time, over as many requests as it takes"
COLD = "from what is kept in the database"
WARM = "asked for again"


def log(project: Project, *, runs: int, points: int) -> None:
    """Runs that logged two metrics, all the same: what they cost to read is what counts."""
    from django.utils import timezone

    from projects.metrics import compress
    from projects.models import MetricChunk, Run
    from tests import factories

    payloads = []
    for first in range(0, points, ROWS_A_CHUNK):
        steps = range(first, min(first + ROWS_A_CHUNK, points))
        rows = [{"_step": step, "loss": math.exp(-step / points), "noise": math.sin(step**2)} for step in steps]
        payloads.append((first, len(rows), compress(json.dumps(rows).encode())))
    now = timezone.now()
    for _ in range(runs):
        run = factories.make_run(project)
        MetricChunk.objects.bulk_create(
            MetricChunk(run=run, first_line=first, line_count=count, payload=payload, created_at=now)
            for first, count, payload in payloads
        )
        Run.objects.filter(pk=run.pk).update(history_lines=points, summary={"loss": 0.4, "noise": 0.1})


def timed(client: Client, address: str) -> tuple[dict[str, float], Any]:
    """What one request took, and its answer."""
    began, cpu = time.perf_counter(), time.process_time()
    answer = client.get(address)
    took = {"ms": (time.perf_counter() - began) * 1000, "cpu_ms": (time.process_time() - cpu) * 1000}
    return {name: round(value, 1) for name, value in took.items()}, answer.json()


def measure(client: Client, address: str) -> list[dict[str, Any]]:
    """The same plot until it is whole, then without what the process remembers of it, then with."""
    from projects.api import curves

    timed(client, address.replace("loss", "nothing"))  # warms up
    requests, total, longest, behind = 0, 0.0, 0.0, True
    while behind:
        took, answer = timed(client, address)
        requests, total, longest = requests + 1, total + took["cpu_ms"], max(longest, took["ms"])
        behind = bool(answer["behind"])
    rounds = [{"case": FIRST, "ms": longest, "cpu_ms": round(total, 1), "requests": requests}]
    for case in (COLD, COLD, COLD, WARM, WARM, WARM):
        if case == COLD:
            curves.forget()
        rounds.append({"case": case, **timed(client, address)[0], "requests": 1})
    return rounds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--points", type=int, default=100_000, help="of each run and metric")
    options = parser.parse_args()
    with fresh_database():
        from django.test import Client

        from tests import factories

        alice = factories.make_user()
        project = factories.make_project(factories.make_team(admin=alice))
        log(project, runs=options.runs, points=options.points)
        client = Client(headers={"host": "localhost"})
        client.force_login(alice)
        ids = "".join(f"&run={run_id}" for run_id in project.runs.values_list("run_id", flat=True))
        report(measure(client, f"/api/projects/{project}/curves/?metric=loss{ids}"), label="case")


if __name__ == "__main__":
    main()
