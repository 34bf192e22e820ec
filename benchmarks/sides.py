"""The servers that are measured side by side, seen alike: something happens, and webhooks are called for it."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple, Protocol, Self

from tests.journeys.server import Server


class Event(NamedTuple):
    """Something that can be made to happen: the request that makes it happen, and the name by which its webhook is
    known."""

    name: str
    path: str
    body: dict[str, Any]


class Script:
    """One connection that stays open and makes events happen."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Content-Type": "application/json", **headers}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def make_happen(self, event: Event) -> bool:
        """Whether the server took it; without, it was down or refused."""
        try:
            self.answer("POST", event.path, event.body)
        except (OSError, HTTPException, RefusedRequest):
            self._connection.close()
            return False
        return True

    def answer(self, method: str, path: str, body: Any) -> Any:
        """The document that comes back.

        Raises:
            RefusedRequest: it was anything but a success.
        """
        if self._connection.sock is None:
            self._connection.connect()
        # Some servers write head and body apart and wait for an acknowledgement in between, which usual clients delay.
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        self._connection.request(method, path, json.dumps(body), self._headers)
        response = self._connection.getresponse()
        text = response.read()
        if not 200 <= response.status < 300:
            raise RefusedRequest(f"{method} {path}: {response.status} {text[:300]!r}")
        return json.loads(text) if text else None


class RefusedRequest(Exception):
    """The server did not do what was asked."""


class Side(Protocol):
    """A server under measurement."""

    name: str

    def prepare(self, urls: Sequence[str], *, events: int) -> list[Event]:
        """Have each of these addresses called, and no other any more, when one of so many new events happens."""

    def script(self) -> Script: ...

    def event_in(self, document: Any) -> str:
        """The name of the event that a webhook speaks of."""

    def crash(self) -> None:
        """kill -9 everything."""

    def restart(self) -> None:
        """Start it again, and come back when it answers."""


class Ours:
    """This server: runs fail, and an automation for each address watches the project."""

    name = "ours"

    def __init__(self, server: Server) -> None:
        self.server = server
        self._projects = 0

    def prepare(self, urls: Sequence[str], *, events: int) -> list[Event]:
        team = self.server.login["team"]
        self._projects += 1
        project = f"measured-{self._projects}"
        home = f"projects/{team}/{project}/runs/"
        with self.server.api() as api:
            runs = [api("POST", home, {})["run_id"] for _ in range(events)]
            for number, url in enumerate(urls):
                name = f"{project}-{number}"
                api("POST", f"teams/{team}/webhooks/", {"name": name, "url": url})
                automation = {
                    "name": name,
                    "scope": {"kind": "project", "name": f"{team}/{project}"},
                    "event_type": "RUN_STATE",
                    "condition": {"states": ["FAILED"]},
                    "action_kind": "GENERIC_WEBHOOK",
                    "webhook": name,
                }
                api("POST", "automations/", automation)
        return [Event(run, f"/api/{home}{run}/finish/", {"exit_code": 1}) for run in runs]

    def script(self) -> Script:
        return Script(self.server.port, {"Authorization": f"Bearer {self.server.login['api_key']}"})

    def event_in(self, document: Any) -> str:
        return str(document["run"]["id"])

    def crash(self) -> None:
        self.server.kill()

    def crash_workers(self) -> None:
        """kill -9 the queue's processes alone; the supervisor starts them again."""
        self.server.kill(*self.server.queue_processes())

    def restart(self) -> None:
        self.server.start()
