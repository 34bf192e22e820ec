"""Points and requests a second while scripts log metrics, over REST and as the wandb client does: without automations
and with eleven that watch.

python -m benchmarks.metrics --rounds 3
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import count, repeat
from multiprocessing import get_context
from statistics import median
from typing import Any

from benchmarks.served import cpu_seconds, fresh_server, percentile, report
from tests.journeys.server import Api, Server

WATCHING = "eleven automations"
NOT_WATCHING = "no automation"
REST = "REST"
CLIENT = "file_stream"
CPU = "server_cpu_ms_per_request"


def prepare(api: Api, team: str, project: str, *, watched: bool, runs: int) -> list[str]:
    """A project with running runs; if watched, with one automation on the logged metric and ten on others."""
    home = f"projects/{team}/{project}"
    names = [f"{team}/{project}/{api('POST', f'{home}/runs/', {})['run_id']}" for _ in range(runs)]
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
    return names


def address_of(run: str, way: str) -> str:
    if way == CLIENT:
        return f"/files/{run}/file_stream"
    team, project, run_id = run.split("/")
    return f"/api/projects/{team}/{project}/runs/{run_id}/metrics/"


def bodies(way: str, points: int, *, first_line: int) -> Iterator[bytes]:
    """The same batch again and again; the client says of which line it is the first, and what the summary is now."""
    rows = [{"loss": random.random()} for _ in range(points)]  # noqa: S311  any numbers will do
    if way == REST:
        yield from repeat(json.dumps(rows).encode())
    lines = [json.dumps({**row, "_step": step, "_timestamp": 1.7e9}) for step, row in enumerate(rows)]
    summary = {"offset": 0, "content": [lines[-1]]}
    text = json.dumps(
        {"files": {"wandb-summary.json": summary, "wandb-history.jsonl": {"content": lines, "offset": -1}}}
    )
    start, _, end = text.encode().rpartition(b"-1")
    for line in count(first_line, points):
        yield start + str(line).encode() + end


@dataclass(frozen=True, slots=True)
class Script:
    """One that logs over one connection, to a run of its own."""

    port: int
    key: str
    run: str
    way: str
    points: int
    first_line: int

    def log(self, seconds: float) -> list[float]:
        """Send batches for so long; how long each request took."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        address = address_of(self.run, self.way)
        batches = bodies(self.way, self.points, first_line=self.first_line)
        took = []
        began = now = time.perf_counter()
        while now - began < seconds:
            connection.request("POST", address, next(batches), headers)
            response = connection.getresponse()
            text = response.read()
            assert response.status == 200, text
            before, now = now, time.perf_counter()
            took.append(now - before)
        connection.close()
        return took


def measure(server: Server, scripts: list[Script], *, seconds: float) -> dict[str, Any]:
    """One round: a process for each script, all at once."""
    used = cpu_seconds(server)
    with ProcessPoolExecutor(len(scripts), mp_context=get_context("fork")) as clients:
        took = [
            one for future in [clients.submit(script.log, seconds) for script in scripts] for one in future.result()
        ]
    rate = len(took) / seconds
    return {
        "requests_per_second": round(rate),
        "points_per_second": round(rate * scripts[0].points),
        CPU: round((cpu_seconds(server) - used) / len(took) * 1000, 3),
        "p50_ms": round(percentile(took, 0.5) * 1000, 2),
        "p99_ms": round(percentile(took, 0.99) * 1000, 2),
    }


def shares(rounds: list[dict[str, Any]]) -> Iterator[str]:
    """By how much eleven automations make a request dearer, of each way and size."""
    used = {case: median(one[CPU] for one in rounds if one["case"] == case) for case in {one["case"] for one in rounds}}
    for kind in dict.fromkeys(one["case"].rpartition(", ")[0] for one in rounds):
        without, within = used[f"{kind}, {NOT_WATCHING}"], used[f"{kind}, {WATCHING}"]
        yield f"{kind}: automations add {within / without - 1:.0%} ({without:.2f} ms → {within:.2f} ms)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3, help="of each round")
    parser.add_argument("--clients", type=int, default=4, help="scripts that log at once, each to a run of its own")
    options = parser.parse_args()
    rounds = []
    with fresh_server() as server, server.api() as api:
        team = server.login["team"]
        runs = {
            (way, name): prepare(
                api, team, f"{way}-{name}".replace(" ", "-"), watched=name == WATCHING, runs=options.clients
            )
            for way in (REST, CLIENT)
            for name in (NOT_WATCHING, WATCHING)
        }
        port, key = server.port, server.login["api_key"]
        for number in range(options.rounds + 1):
            for points in (1000, 10):
                # Lines may be left out, so that nobody has to ask how many there are.
                first_line = (2 * number + (points == 10)) * 10**9
                for (way, name), own in runs.items():
                    scripts = [Script(port, key, run, way, points, first_line) for run in own]
                    case = f"{way}, {points:,} points a request, {name}"
                    measured = measure(server, scripts, seconds=options.seconds)
                    rounds.append({"case": case, "round": number, **measured})
    rounds = [measured for measured in rounds if measured["round"]]  # the first round warms up
    report(rounds, label="case")
    print("", *shares(rounds), sep="\n", file=sys.stderr)


if __name__ == "__main__":
    main()
