"""Receivers of webhooks that note when each message came: they answer, take their time, fail, or never say a word."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

NEVER = 86_400.0


class Arrival(NamedTuple):
    """One request: which event it speaks of, which message it is (the same for every repeat), and when it came."""

    event: str
    message: str
    at: float


class Sink(ThreadingHTTPServer):
    """Takes webhooks and answers `status` after `delay` seconds. `event_in` finds the event's name in a document."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, event_in: Callable[[Any], str], *, delay: float = 0.0, status: int = 204, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Taking)
        self.event_in = event_in
        self.delay = delay
        self.status = status
        self.arrivals: list[Arrival] = []
        self.changed = threading.Condition()
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    @property
    def events(self) -> set[str]:
        """The events it has heard of."""
        with self.changed:
            return {arrival.event for arrival in self.arrivals}

    def note(self, arrival: Arrival) -> None:
        with self.changed:
            self.arrivals.append(arrival)
            self.changed.notify_all()

    def wait_for_event(self, name: str, *, timeout: float) -> float | None:
        """When it first heard of this event, or None when it did not within so many seconds."""

        def first() -> float | None:
            return next((arrival.at for arrival in reversed(self.arrivals) if arrival.event == name), None)

        with self.changed:
            return self.changed.wait_for(first, timeout)

    def wait_for(self, events: set[str], *, timeout: float, quiet: float) -> set[str]:
        """Those of these events that never came: waits until all have, nothing has for `quiet` s, or `timeout` s."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while missing := events - {arrival.event for arrival in self.arrivals}:
                left = min(quiet, deadline - time.monotonic())
                if left <= 0 or not self.changed.wait(left):
                    break
        return missing

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Servers that are killed hang up in the middle of a request."""


class Taking(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Sink

    def do_POST(self) -> None:
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        message = self.headers["webhook-id"] or self.headers["X-MLflow-Delivery-Id"]
        self.server.note(Arrival(self.server.event_in(document), message, time.perf_counter()))
        if self.server.delay:
            self.server.closing.wait(self.server.delay)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def listening(event_in: Callable[[Any], str], **behaviour: Any) -> Iterator[Sink]:
    """A sink that listens until the block ends."""
    sink = Sink(event_in, **behaviour)
    thread = threading.Thread(target=sink.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield sink
    finally:
        sink.closing.set()
        sink.shutdown()
        sink.server_close()
        thread.join()
