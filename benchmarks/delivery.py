"""From an event to the webhook's arrival: one at a time, and a burst of events.

python -m benchmarks.delivery --rounds 3
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from benchmarks.served import fresh_server, percentile, report
from tests.journeys.server import Api, Server

CLIENTS = 4


class Sink(ThreadingHTTPServer):
    """Takes webhooks, notes when each came, and answers after `delay` seconds."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, delay: float) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.delay = delay
        self.arrivals: list[float] = []
        self.changed = threading.Condition()

    def wait_for(self, count: int, *, timeout: float) -> float:
        """When the last of so many came."""
        with self.changed:
            came = self.changed.wait_for(lambda: len(self.arrivals) >= count, timeout)
            assert came, f"{len(self.arrivals)} of {count} webhooks came within {timeout} s"
            return self.arrivals[count - 1]


class Taking(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Sink

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.changed:
            self.server.arrivals.append(time.perf_counter())
            self.server.changed.notify_all()
        if self.server.delay:
            threading.Event().wait(self.server.delay)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def listening(delay: float) -> Iterator[Sink]:
    sink = Sink(delay)
    thread = threading.Thread(target=sink.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield sink
    finally:
        sink.shutdown()
        sink.server_close()
        thread.join()


def prepare(api: Api, team: str, project: str, *, url: str, runs: int) -> list[str]:
    """A project whose automation calls the sink when a run fails; addresses that make its runs fail."""
    home = f"projects/{team}/{project}"
    addresses = [f"{home}/runs/{api('POST', f'{home}/runs/', {})['run_id']}/finish/" for _ in range(runs)]
    api("POST", f"teams/{team}/webhooks/", {"name": project, "url": url})
    automation = {
        "name": "A run fails",
        "scope": {"kind": "project", "name": f"{team}/{project}"},
        "event_type": "RUN_STATE",
        "condition": {"states": ["FAILED"]},
        "action_kind": "GENERIC_WEBHOOK",
        "webhook": project,
    }
    api("POST", "automations/", automation)
    return addresses


def one_at_a_time(server: Server, name: str, *, events: int) -> dict[str, Any]:
    """Milliseconds from before the request that is the event to the arrival of its webhook."""
    took = []
    with listening(0) as sink, server.api() as api:
        address = f"http://127.0.0.1:{sink.server_port}/"
        for number, path in enumerate(prepare(api, server.login["team"], name, url=address, runs=events), start=1):
            began = time.perf_counter()
            api("POST", path, {"exit_code": 1})
            took.append((sink.wait_for(number, timeout=60) - began) * 1000)
    return {
        "webhooks": events,
        "p50_ms": round(percentile(took, 0.5), 1),
        "p99_ms": round(percentile(took, 0.99), 1),
        "most_ms": round(max(took), 1),
    }


def burst(server: Server, name: str, *, events: int, delay: float) -> dict[str, Any]:
    """Seconds to accept so many events at once, and from then to the arrival of the last webhook."""
    with listening(delay) as sink:
        with server.api() as api:
            address = f"http://127.0.0.1:{sink.server_port}/"
            paths = prepare(api, server.login["team"], name, url=address, runs=events)

        def fail(own: list[str]) -> None:
            with server.api() as api:
                for path in own:
                    api("POST", path, {"exit_code": 1})

        began = time.perf_counter()
        with ThreadPoolExecutor(CLIENTS) as threads:
            list(threads.map(fail, [paths[number::CLIENTS] for number in range(CLIENTS)]))
        accepted = time.perf_counter()
        last = sink.wait_for(events, timeout=300)
        outcomes = server.wait_for_outcomes(name, count=events)
        finished = sum(outcome["status"] == "finished" for outcome in outcomes)
        return {
            "webhooks": len(sink.arrivals),
            "lost": events - finished,
            "accepted_s": round(accepted - began, 2),
            "delivered_after_s": round(last - accepted, 2),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=200, help="of each round")
    options = parser.parse_args()
    alone, bursts = [], []
    with fresh_server() as server:
        one_at_a_time(server, "warm-up", events=20)
        for number in range(1, options.rounds + 1):
            measured = one_at_a_time(server, f"one-{number}", events=options.events)
            alone.append({"case": "one at a time", "round": number, **measured})
            for delay in (0.0, 0.1):
                name = f"burst-{number}-{delay:.0%}".strip("%")
                measured = burst(server, name, events=options.events, delay=delay)
                case = f"burst, receiver takes {delay * 1000:.0f} ms"
                bursts.append({"case": case, "round": number, **measured})
    report(alone, label="case")
    report(bursts, label="case")


if __name__ == "__main__":
    main()
