"""A bad network between scripts and the server: what a script sends arrives, but some answers are lost on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

HOP = {"connection", "content-length", "transfer-encoding", "host"}


@dataclass(frozen=True, slots=True)
class Sent:
    """One request that came by."""

    method: str
    path: str
    body: bytes


class Relay:
    """Hands requests on to a port of this machine, and back what comes of them. `loses(sent)` says which answers become
    a 503 although the server has done what was asked."""

    def __init__(self, port: int, loses: Callable[[Sent], bool] = lambda _sent: False) -> None:
        self.sent: list[Sent] = []
        self.lost: list[Sent] = []
        relay = self

        class Between(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                one = Sent(method=self.command, path=self.path, body=body)
                relay.sent.append(one)
                status, headers, text = self._handed_on(one)
                if loses(one):
                    relay.lost.append(one)
                    status, headers, text = 503, {}, b"{}"
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_PUT = do_POST  # noqa: N815  # names that the base class calls

            def _handed_on(self, one: Sent) -> tuple[int, dict[str, str], bytes]:
                connection = HTTPConnection("127.0.0.1", port, timeout=60)
                headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
                # Addresses that the server gives out lead through here again.
                headers["Host"] = self.headers["Host"]
                connection.request(one.method, one.path, one.body, headers)
                response = connection.getresponse()
                text = response.read()
                connection.close()
                kept = {name: value for name, value in response.getheaders() if name.lower() not in HOP}
                return response.status, kept, text

            def log_message(self, *_: Any) -> None:
                """Tests print nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Between)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://localhost:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
