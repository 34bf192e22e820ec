"""Many scripts log at once to a real server: every request is taken, no line is lost, and each run fires once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from tests.journeys.server import Api, Server

VARIABLES = {"WEB_WORKERS": "2", "QUEUE_WORKERS": "2"}
WRITERS = 8
REQUESTS = 60
ROWS = 20


def watch_the_loss(api: Api, team: str, project: str) -> None:
    automation = {
        "name": "Loss is high",
        "scope": {"kind": "project", "name": f"{team}/{project}"},
        "event_type": "RUN_METRIC",
        "condition": {"name": "loss", "agg_op": "MAX", "window_size": 5, "cmp_op": "$gt", "threshold": 0.5},
        "action_kind": "NO_OP",
    }
    api("POST", "automations/", automation)


def log(server: Server, address: str, *, writer: int) -> list[int]:
    """Many small batches, half of whose losses are above the threshold; the number of lines after each."""
    counts = []
    with server.api() as api:
        for request in range(REQUESTS):
            rows = [{"loss": (row % 2) * 0.9, "writer": writer, "request": request} for row in range(ROWS)]
            counts.append(api("POST", f"{address}/metrics/", rows)["lines"])
    return counts


def write_at_once(server: Server, address_of: Callable[[int], str]) -> list[list[int]]:
    with ThreadPoolExecutor(WRITERS) as threads:
        writing = [threads.submit(log, server, address_of(writer), writer=writer) for writer in range(WRITERS)]
        return [future.result() for future in writing]


def stored(api: Api, address: str, metric: str) -> list[float]:
    """Every value of a metric that the server has."""
    values: list[float] = []
    after = ""
    while True:
        page = api("GET", f"{address}/metrics/?key={metric}&limit=10000{after}")
        values += [value for _, value in page["points"]]
        if page["next_after"] is None:
            return values
        after = f"&after={page['next_after']}"


def test_eight_scripts_with_a_run_each(server: Server) -> None:
    """RE1, EV11: once per run, however often the condition holds."""
    team = server.login["team"]
    with server.api() as api:
        runs = [api("POST", f"projects/{team}/each/runs/", {})["run_id"] for _ in range(WRITERS)]
        watch_the_loss(api, team, "each")

        counts = write_at_once(server, lambda writer: f"projects/{team}/each/runs/{runs[writer]}")

        assert counts == [[ROWS * number for number in range(1, REQUESTS + 1)]] * WRITERS
        for writer, run in enumerate(runs):
            address = f"projects/{team}/each/runs/{run}"
            assert stored(api, address, "writer") == [writer] * ROWS * REQUESTS
            assert stored(api, address, "request") == [request for request in range(REQUESTS) for _ in range(ROWS)]
    executions = server.wait_for_outcomes("each", count=WRITERS)
    assert sorted(execution["run"] for execution in executions) == sorted(runs)
    assert {execution["status"] for execution in executions} == {"finished"}


def test_eight_processes_of_one_run(server: Server) -> None:
    """RE1, EV11: a batch is judged after all that was stored before it, by one of the processes."""
    team = server.login["team"]
    with server.api() as api:
        run = api("POST", f"projects/{team}/shared/runs/", {})["run_id"]
        address = f"projects/{team}/shared/runs/{run}"
        watch_the_loss(api, team, "shared")

        counts = write_at_once(server, lambda _: address)

        everything = ROWS * REQUESTS * WRITERS
        assert sorted(count for own in counts for count in own) == list(range(ROWS, everything + 1, ROWS))
        writers = stored(api, address, "writer")
        assert sorted(writers) == sorted(list(range(WRITERS)) * ROWS * REQUESTS)
        assert all(first == second for first, second in pairwise(writers[:ROWS]))  # batches stay whole
    executions = server.wait_for_outcomes("shared", count=1)
    assert [execution["run"] for execution in executions] == [run]
