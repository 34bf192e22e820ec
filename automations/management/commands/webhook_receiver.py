"""A receiver to try webhooks with: prints what arrives, checks the signatures, answers as told."""

from __future__ import annotations

import argparse
import json
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.core.management.base import BaseCommand, CommandError

from automations import signing

SHOWN_HEADERS = ("authorization", "user-agent", "webhook-id", "webhook-timestamp")
MAX_BODY = 50_000_000


class Command(BaseCommand):
    help = (
        "Print the webhooks that arrive, and check their signatures. An address such as"
        " /?status=429&retry_after=5&delay=2 is answered as it says."
    )
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default 127.0.0.1)")
        parser.add_argument("--port", type=int, default=9099, help="port to listen at (default 9099; 0 finds one)")
        parser.add_argument("--secret", help="the webhook's secret; signatures are checked with it")
        parser.add_argument("--secret-env", metavar="NAME", help="read the secret from this environment variable")
        parser.add_argument("--token", help="the access token to expect")
        parser.add_argument("--status", type=int, default=200, help="answer with this status (default 200)")
        parser.add_argument("--delay", type=float, default=0.0, help="seconds to wait before answering")
        parser.add_argument("--fail-first", type=int, default=0, metavar="N", help="answer 503 to the first N")
        parser.add_argument("--json", metavar="FILE", help="also append one JSON line per request to this file")

    def handle(self, *args: Any, **options: Any) -> None:
        secret = options["secret"]
        if options["secret_env"]:
            secret = os.environ.get(options["secret_env"])
            if not secret:
                raise CommandError(f"The environment variable {options['secret_env']} is not set.")
        desk = Desk(self, secret=secret, options=options)
        try:
            server = ThreadingHTTPServer((options["host"], options["port"]), desk.handler())
        except OSError as error:
            where = f"{options['host']}:{options['port']}"
            raise CommandError(f"Cannot listen at {where}: {error.strerror}. Choose another --port.") from error
        server.daemon_threads = True
        self.stdout.write(f"Waiting for webhooks at http://{options['host']}:{server.server_port}/ (Ctrl-C stops)")
        if not secret:
            self.stdout.write("Signatures are not checked: give the webhook's secret with --secret.")
        self.stdout.flush()
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")
        finally:
            server.server_close()


@dataclass(frozen=True, slots=True)
class Answer:
    """How to answer one request."""

    status: int
    delay: float
    retry_after: str = ""

    @classmethod
    def asked_for(cls, path: str, options: Mapping[str, Any]) -> Answer:
        """As the address says, `/?status=429&retry_after=5&delay=2` for one, and else as the options do."""
        asked = dict(parse_qsl(urlsplit(path).query))
        status, delay, retry_after = asked.get("status", ""), asked.get("delay", ""), asked.get("retry_after", "")
        return cls(
            int(status) if re.fullmatch("[2-5][0-9][0-9]", status) else options["status"],
            float(delay) if re.fullmatch(r"[0-9]{1,2}(\.[0-9]+)?", delay) else options["delay"],
            retry_after if retry_after.isascii() and retry_after.isprintable() else "",
        )


class Desk:
    """Takes requests one at a time, says what it thinks of each, and remembers the message ids it has seen."""

    def __init__(self, command: BaseCommand, *, secret: str | None, options: dict[str, Any]) -> None:
        self.command = command
        self.secret = secret
        self.options = options
        self.seen: Counter[str] = Counter()
        self.count = 0
        self.lock = threading.Lock()

    def handler(self) -> type[BaseHTTPRequestHandler]:
        desk = self

        class Conversation(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), MAX_BODY))
                asked = desk.take(self.path, dict(self.headers.items()), body)
                time.sleep(asked.delay)
                answer = b'{"ok": %s}' % (b"true" if asked.status < 300 else b"false")
                try:
                    self.send_response(asked.status)
                    if asked.retry_after:
                        self.send_header("Retry-After", asked.retry_after)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                except OSError:
                    desk.say("   the sender had closed the connection before the answer")

            def log_message(self, *args: Any) -> None:
                """Everything worth saying is said by the desk."""

        return Conversation

    def take(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Note one request; returns how to answer it."""
        with self.lock:
            self.count += 1
            given = {name.lower(): value for name, value in headers.items()}
            message = given.get("webhook-id", "")
            self.seen[message] += 1
            problems = self._problems(body, given)
            self._print(path, given, body, problems)
            if self.options["json"]:
                self._append(path, given, body, problems)
            if self.count <= self.options["fail_first"]:
                return Answer(503, self.options["delay"])
            return Answer.asked_for(path, self.options)

    def say(self, line: str) -> None:
        self.command.stdout.write(line)
        self.command.stdout.flush()

    def _problems(self, body: bytes, given: dict[str, str]) -> list[str]:
        problems = signing.verify(body, given, secret=self.secret, now=time.time()) if self.secret else []
        token = self.options["token"]
        if token and given.get("authorization") != f"Bearer {token}":
            problems.append("Authorization does not carry the access token.")
        return problems

    def _print(self, path: str, given: dict[str, str], body: bytes, problems: list[str]) -> None:
        repeat = self.seen[given.get("webhook-id", "")]
        again = f"  (again: time {repeat} for this webhook-id)" if given.get("webhook-id") and repeat > 1 else ""
        self.say(f"\n{datetime.now().astimezone():%H:%M:%S}  POST {path}{again}")
        for name in SHOWN_HEADERS:
            if name in given:
                value = "Bearer ••••••" if name == "authorization" else given[name]
                self.say(f"   {name}: {value}")
        for problem in problems:
            self.say(f"   ✕ {problem}")
        if self.secret and not problems:
            self.say("   ✓ both signatures verify")
        try:
            text = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
        except ValueError:
            text = body.decode("utf-8", "replace")
        self.say("\n".join("   " + line for line in text.splitlines()))

    def _append(self, path: str, given: dict[str, str], body: bytes, problems: list[str]) -> None:
        row = {
            "at": time.time(),
            "path": path,
            "headers": {name: value for name, value in given.items() if name != "authorization"},
            "body": body.decode("utf-8", "replace"),
            "verified": bool(self.secret) and not problems,
            "problems": problems,
            "repeat": self.seen[given.get("webhook-id", "")],
        }
        with open(self.options["json"], "a", encoding="utf-8") as file:  # noqa: PTH123  as the option names it
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
