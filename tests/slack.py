"""A stand-in for Slack on a loopback port: `chat.postMessage` and incoming webhooks, with Slack's own refusals."""

from __future__ import annotations

import json
from typing import Any

from tests.receiver import Behaviour, Received, Receiver

TOKEN = "xoxb-good-token"
CHANNEL = "C0123456789"
HOOK = "/services/T0001/B0001/wonderfulsecret"


class FakeSlack(Receiver):
    """`with FakeSlack() as slack:` knows one bot, one channel and one incoming webhook, until told otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = {TOKEN}
        self.channels = {CHANNEL}
        self.archived: set[str] = set()
        self.hooks = {HOOK}

    @property
    def api_url(self) -> str:
        """For the setting SLACK_API_URL."""
        return f"http://127.0.0.1:{self.port}/api"

    @property
    def hook_url(self) -> str:
        """An incoming webhook that works."""
        return f"http://127.0.0.1:{self.port}{HOOK}"

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What was posted, taken or not."""
        return [json.loads(request.body) for request in self.requests]

    def limit(self, *, seconds: int, times: int = 1) -> None:
        """Take nothing for the next requests."""
        headers = {"Retry-After": str(seconds), "Content-Type": "application/json"}
        self.behave(times=times, status=429, headers=headers, body=b'{"ok":false,"error":"ratelimited"}')

    def _take(self, received: Received) -> Behaviour:
        forced = bool(self._next)
        behaviour = super()._take(received)
        if forced:
            return behaviour
        if received.path == "/api/chat.postMessage":
            return self._post_message(received)
        if received.path.startswith("/services/"):
            return self._hook(received)
        return Behaviour(status=404, body=b"no such method")

    def _post_message(self, received: Received) -> Behaviour:
        message = json.loads(received.body)
        token = received.headers.get("Authorization", "").removeprefix("Bearer ")
        error = ""
        if not message.get("text") and not message.get("blocks"):
            error = "no_text"
        if message.get("channel") in self.archived:
            error = "is_archived"
        elif message.get("channel") not in self.channels:
            error = "channel_not_found"
        if token not in self.tokens:
            error = "invalid_auth" if token else "not_authed"
        answer = {"ok": False, "error": error} if error else {"ok": True, "ts": "1.0", "message": message}
        return Behaviour(headers={"Content-Type": "application/json"}, body=json.dumps(answer).encode())

    def _hook(self, received: Received) -> Behaviour:
        if received.path not in self.hooks:
            return Behaviour(status=404, body=b"no_service")
        try:
            json.loads(received.body)["text"]
        except (ValueError, KeyError):
            return Behaviour(status=400, body=b"invalid_payload")
        return Behaviour(body=b"ok")
