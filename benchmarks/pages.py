"""The pages people leave open, with 10,000 automations, a million executions and 200 runs of 50 metrics behind them.

python -m benchmarks.pages                  # takes some minutes to fill the database
"""

from __future__ import annotations

import argparse
import gzip
import sys
import time
from dataclasses import fields
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.crowd import Size, fill
from benchmarks.matching import fresh_database
from benchmarks.served import report

if TYPE_CHECKING:
    from django.test import Client

GOAL_MS = 100
PROJECT = "/crowd/measured"
PAGES = {
    "home": "/",
    "automations tab": "{project}/automations",
    "automations tab, by last triggered": "{project}/automations?sort=triggered",
    "automations hub": "/automations/",
    "automations hub, failing": "/automations/?state=failing",
    "history": "{project}/history",
    "history, failed": "{project}/history?status=failed",
    "history, an action": "{project}/history?action=NOTIFICATION",
    "history, page of a year ago": "{project}/history?until=2020-01-01",
    "history of an automation": "/automations/{automation}/",
    "an execution": "/executions/{execution}/",
    "runs": "{project}/runs",
    "workspace": "{project}/",
    "run": "{project}/runs/run-0",
    "search": "/search?q=number",
}


def measure(client: Client, address: str, *, times: int) -> dict[str, Any]:
    """What the page costs once it is known: the middle of some requests, its queries and its size as sent."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    took, used = [], []
    first = client.get(address)
    assert first.status_code == 200, f"{address}: {first.status_code}"
    for _ in range(times):
        began, cpu = time.perf_counter(), time.process_time()
        client.get(address)
        took.append((time.perf_counter() - began) * 1000)
        used.append((time.process_time() - cpu) * 1000)
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(address)
    return {
        "ms": round(median(took), 1),
        "cpu_ms": round(median(used), 1),
        "queries": len(captured),
        "slowest_query_ms": max((round(float(query["time"]) * 1000) for query in captured.captured_queries), default=0),
        "kB": round(len(gzip.compress(answer.content)) / 1000, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    for each in fields(Size):
        parser.add_argument(f"--{each.name}", type=int, default=each.default)
    options = vars(parser.parse_args())
    times = options.pop("times")
    with fresh_database():
        from django.core.management import call_command
        from django.test import Client

        from automations.models import Automation, Execution
        from automations.warming import warm
        from tests import factories

        call_command("collectstatic", interactive=False, verbosity=0)
        alice = factories.make_user()
        team = factories.make_team("crowd", admin=alice)
        fill(team, alice, Size(**options))
        warm()  # as the server does
        client = Client(headers={"host": "localhost"})
        client.force_login(alice)
        names = {
            "project": PROJECT,
            "automation": Automation.objects.latest("pk").pk,
            "execution": Execution.objects.latest("pk").key,
        }
        rounds = [{"page": page, **measure(client, path.format(**names), times=times)} for page, path in PAGES.items()]
    report(rounds, label="page")
    slow = [one["page"] for one in rounds if one["ms"] > GOAL_MS]
    print(f"\nGoal {GOAL_MS} ms: " + (f"missed by {', '.join(slow)}" if slow else "met by all"), file=sys.stderr)


if __name__ == "__main__":
    main()
