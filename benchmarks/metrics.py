"""Points and requests a second while scripts log metrics, without automations and with eleven that watch.

python -m benchmarks.metrics --rounds 3
"""

from __future__ import annotations

import argparse
import json
import random
import time
from concurrent.futures import ProcessPoolExecutor
from http.client import HTTPConnection
from multiprocessing import get_context
from typing import Any

from benchmarks.served import cpu_seconds, fresh_server, percentile, report
from tests.journeys.server import Api, Server

WATCHING = "eleven automations"
NOT_WATCHING = "no automation"


def prepare(api: Api, team: str, project: str, *, watched: bool, runs: int) -> list[str]:
    """A project with running runs; if watched, with one automation on the logged metric and ten on others."""
    home = f"projects/{team}/{project}"
    addresses = [f"{home}/runs/{api('POST', f'{home}/runs/', {})['run_id']}/metrics/" for _ in range(runs)]
    for metric in ["loss", *(f"other_{number}" for number in range(10))] if watched else []:
        condition = {"name": metric, "agg_op": "AVERAGE", "window_size": 5, "cmp_op": "$gt", "threshold": 1e9}
        automation = {
            "name": f"{metric} is out of bounds",
            "scope": {"kind": "project", "name": f"{team}/{project}"},
            "event_type": "RUN_METRIC",
            "condition": condition,
            "action_kind": "NO_OP",
        }
        api("POST", "automations/", automation)
    return addresses


def log(port: int, key: str, address: str, points: int, seconds: float) -> list[float]:
    """Send the same batch again and again over one connection; how long each request took."""
    body = json.dumps([{"loss": random.random()} for _ in range(points)]).encode()  # noqa: S311  any numbers will do
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    took = []
    began = now = time.perf_counter()
    while now - began < seconds:
        connection.request("POST", f"/api/{address}", body, headers)
        response = connection.getresponse()
        text = response.read()
        assert response.status == 200, text
        before, now = now, time.perf_counter()
        took.append(now - before)
    connection.close()
    return took


def measure(server: Server, addresses: list[str], *, points: int, seconds: float) -> dict[str, Any]:
    """One round: a process for each run, all at once."""
    jobs = [(server.port, server.login["api_key"], address, points, seconds) for address in addresses]
    used = cpu_seconds(server)
    with ProcessPoolExecutor(len(jobs), mp_context=get_context("fork")) as clients:
        took = [one for future in [clients.submit(log, *job) for job in jobs] for one in future.result()]
    rate = len(took) / seconds
    return {
        "requests_per_second": round(rate),
        "points_per_second": round(rate * points),
        "server_cpu_ms_per_request": round((cpu_seconds(server) - used) / len(took) * 1000, 3),
        "p50_ms": round(percentile(took, 0.5) * 1000, 2),
        "p99_ms": round(percentile(took, 0.99) * 1000, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3, help="of each round")
    parser.add_argument("--clients", type=int, default=4, help="scripts that log at once, each to a run of its own")
    options = parser.parse_args()
    with fresh_server() as server, server.api() as api:
        team = server.login["team"]
        projects = {
            name: prepare(api, team, name.replace(" ", "-"), watched=name == WATCHING, runs=options.clients)
            for name in (NOT_WATCHING, WATCHING)
        }
        rounds = []
        for number in range(options.rounds + 1):
            for points in (1000, 10):
                for name, addresses in projects.items():
                    measured = measure(server, addresses, points=points, seconds=options.seconds)
                    case = f"{points:,} points a request, {name}"
                    rounds.append({"case": case, "round": number, **measured})
    report([measured for measured in rounds if measured["round"]], label="case")  # the first round warms up


if __name__ == "__main__":
    main()
