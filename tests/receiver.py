"""A local HTTP receiver that behaves as told and remembers what it got."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Behaviour:
    """How to answer. `raw` is written to the socket as it is; `drip` sends the body a byte at a time, that many
    seconds apart; `hold` waits for `Receiver.release()` before answering; `echo` sends back what came: the body after
    `body`, and each header under its name with `X-Echo-` before it; `before` is called when the request has come, and
    `after` when the answer is on its way."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"ok": true}'
    raw: bytes | None = None
    drip: float = 0.0
    hold: bool = False
    close: bool = False
    echo: bool = False
    before: Callable[[], object] = lambda: None
    after: Callable[[], object] = lambda: None


def echoing(behaviour: Behaviour, received: Received) -> Behaviour:
    """The behaviour with what came in its answer."""
    echoed = {f"X-Echo-{name}": value for name, value in received.headers.items()}
    return replace(behaviour, headers=behaviour.headers | echoed, body=behaviour.body + received.body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up early is what some tests are about; anything else is worth a traceback."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Receiver:
    """`with Receiver() as receiver:` serves on a free loopback port, or on the given one, until the block ends."""

    def __init__(self, port: int = 0) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self._normal = Behaviour()
        self._next: list[Behaviour] = []
        self._changed = threading.Condition()
        self._released = threading.Event()
        self._server = _Server(("127.0.0.1", port), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def behave(self, *, times: int = 0, **behaviour: Any) -> None:
        """Answer like this from now on, or for the next `times` requests only."""
        with self._changed:
            if times:
                self._next += [Behaviour(**behaviour)] * times
            else:
                self._normal = Behaviour(**behaviour)

    def release(self) -> None:
        """Let the requests that are held be answered."""
        self._released.set()

    def wait_for(self, count: int, *, timeout: float = 20.0) -> list[Received]:
        """The requests, once there are this many; fails when they do not come."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.requests) >= count, timeout):
                raise AssertionError(f"{len(self.requests)} of {count} requests came within {timeout} s")
            return list(self.requests)

    def _take(self, received: Received) -> Behaviour:
        with self._changed:
            self.requests.append(received)
            self._changed.notify_all()
            return self._next.pop(0) if self._next else self._normal

    def _handler(self) -> type[BaseHTTPRequestHandler]:  # noqa: C901  a class inside, because it needs the receiver
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                receiver.connections += 1

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                received = Received(self.path, dict(self.headers.items()), body, time.time())
                behaviour = receiver._take(received)
                if behaviour.hold:
                    receiver._released.wait(30)
                behaviour.before()
                try:
                    self._answer(echoing(behaviour, received) if behaviour.echo else behaviour)
                except OSError:
                    self.close_connection = True  # the other side lost patience, as some tests want it to
                behaviour.after()

            def _answer(self, behaviour: Behaviour) -> None:
                if behaviour.close:
                    self.close_connection = True
                    return
                if behaviour.raw is not None:
                    self.wfile.write(behaviour.raw)
                    self.close_connection = True
                    return
                self.send_response(behaviour.status)
                for name, value in behaviour.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(behaviour.body)))
                self.end_headers()
                if not behaviour.drip:
                    self.wfile.write(behaviour.body)
                    return
                for byte in behaviour.body:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(behaviour.drip)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
