"""A stand-in for Slack on a loopback port: its Web API, its page that asks whether to install an app, and incoming
webhooks, with Slack's own refusals, pages and limits."""

from __future__ import annotations

import base64
import json
import secrets
from html import escape
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from tests import blockkit
from tests.receiver import Behaviour, Received, Receiver

TOKEN = "xoxb-good-token"
CHANNEL = "C0123456789"
HOOK = "/services/T0001/B0001/wonderfulsecret"
WORKSPACE_ID = "T0001"
CLIENT_ID = "1234.5678"
CLIENT_SECRET = "a-client-secret-of-the-app"
SCOPES = "incoming-webhook,chat:write,channels:read,groups:read"


class FakeSlack(Receiver):
    """`with FakeSlack() as slack:` is one workspace with one bot, one channel and one incoming webhook, until told
    otherwise. `listed` are the channels of its list, `tokens` those that work, with their scopes."""

    def __init__(self) -> None:
        super().__init__()
        self.workspace = "Acme"
        self.workspace_id = WORKSPACE_ID
        self.tokens = {TOKEN: SCOPES}
        self.channels = {CHANNEL}
        self.listed: list[dict[str, Any]] = [channel("ml-alerts", CHANNEL)]
        self.largest_page = 1_000
        self.archived: set[str] = set()
        self.outside: set[str] = set()
        self.hooks = {HOOK}
        self.codes: dict[str, dict[str, str]] = {}
        self.redirect_urls: set[str] = set()

    @property
    def api_url(self) -> str:
        """For the setting SLACK_API_URL."""
        return f"http://127.0.0.1:{self.port}/api"

    @property
    def authorize_url(self) -> str:
        """For the setting SLACK_AUTHORIZE_URL."""
        return f"http://127.0.0.1:{self.port}/oauth/v2/authorize"

    @property
    def hook_url(self) -> str:
        """An incoming webhook that works."""
        return f"http://127.0.0.1:{self.port}{HOOK}"

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What was posted, taken or not."""
        posts = [one for one in self.requests if one.path.startswith(("/api/chat.", "/services/"))]
        return [json.loads(request.body) for request in posts]

    def asked(self, method: str) -> list[dict[str, str]]:
        """The questions of this kind, with what they were asked with."""
        return [form_of(request) for request in self.requests if request.path == f"/api/{method}"]

    def limit(self, *, seconds: int, times: int = 1) -> None:
        """Take nothing for the next requests."""
        headers = {"Retry-After": str(seconds), "Content-Type": "application/json"}
        self.behave(times=times, status=429, headers=headers, body=b'{"ok":false,"error":"ratelimited"}')

    def serve(self, settings: Any) -> None:
        """Have the server ask this Slack."""
        settings.SLACK_API_URL, settings.SLACK_AUTHORIZE_URL = self.api_url, self.authorize_url
        settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]

    def install(self, authorize: str, *, channel: str = "ml-alerts") -> str:
        """Somebody says yes on the page at this address: the address that they are sent back to."""
        asked = dict(parse_qsl(urlsplit(authorize).query))
        return f"{asked['redirect_uri']}?{urlencode({'code': self.code(asked, channel), 'state': asked['state']})}"

    def code(self, asked: dict[str, str], channel: str) -> str:
        """A code for what was asked on the page."""
        code = secrets.token_hex(8)
        self.codes[code] = {**asked, "channel": channel}
        return code

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        """Pages are got, everything else is posted."""
        handler = super()._handler()
        handler.do_GET = handler.do_POST  # type: ignore[attr-defined]  # looked up by name
        return handler

    def _take(self, received: Received) -> Behaviour:
        forced = bool(self._next)
        behaviour = super()._take(received)
        if forced:
            return behaviour
        path = urlsplit(received.path).path
        methods = {
            "/api/chat.postMessage": self._post_message,
            "/api/auth.test": self._auth_test,
            "/api/conversations.list": self._conversations_list,
            "/api/oauth.v2.access": self._oauth_access,
            "/oauth/v2/authorize": self._authorize,
        }
        if path in methods:
            return methods[path](received)
        if path.startswith("/services/"):
            return self._hook(received)
        return Behaviour(status=404, body=b"no such method")

    # --- the Web API ------------------------------------------------------------------------------------------------

    def _objection(self, received: Received, scope: str = "") -> dict[str, Any]:
        token = received.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.tokens:
            return {"error": "invalid_auth" if token else "not_authed"}
        if scope and scope not in self.tokens[token].split(","):
            return {"error": "missing_scope", "needed": scope, "provided": self.tokens[token]}
        return {}

    def _post_message(self, received: Received) -> Behaviour:
        message = json.loads(received.body)
        known, wanted = self.channels | self.archived | self.outside, message.get("channel")
        error = self._objection(received, "chat:write").get("error") or next(
            (
                word
                for word, applies in (
                    ("channel_not_found", wanted not in known),
                    ("is_archived", wanted in self.archived),
                    ("not_in_channel", wanted in self.outside),
                )
                if applies
            ),
            "",
        )
        error = error or blockkit.problem(message)
        return refused(error) if error else taken(ts="1.0", message=message)

    def _auth_test(self, received: Received) -> Behaviour:
        if objection := self._objection(received):
            return refused(**objection)
        return taken(url="https://acme.slack.com/", team=self.workspace, team_id=self.workspace_id, user="automations")

    def _conversations_list(self, received: Received) -> Behaviour:
        asked = form_of(received)
        private = "private_channel" in asked.get("types", "public_channel").split(",")
        for scope in ("channels:read", "groups:read") if private else ("channels:read",):
            if objection := self._objection(received, scope):
                return refused(**objection)
        limit = int(asked.get("limit", 100))
        begin = int(base64.b64decode(asked["cursor"])) if asked.get("cursor") else 0
        if not 1 <= limit <= 1_000:
            return refused("invalid_limit")
        found = [
            one
            for one in self.listed
            if not (asked.get("exclude_archived") == "1" and one["is_archived"]) and (private or not one["is_private"])
        ]
        end = begin + min(limit, self.largest_page)
        cursor = base64.b64encode(str(end).encode()).decode() if end < len(found) else ""
        return taken(channels=found[begin:end], response_metadata={"next_cursor": cursor})

    def _oauth_access(self, received: Received) -> Behaviour:
        asked = form_of(received)
        basic = received.headers.get("Authorization", "").removeprefix("Basic ")
        client, _, secret = base64.b64decode(basic).decode().partition(":")
        if client != CLIENT_ID:
            return refused("invalid_client_id")
        if secret != CLIENT_SECRET:
            return refused("bad_client_secret")
        installed = self.codes.pop(asked.get("code", ""), None)
        if installed is None:
            return refused("invalid_code")
        if asked.get("redirect_uri") != installed["redirect_uri"]:
            return refused("bad_redirect_uri")
        return taken(
            access_token=TOKEN,
            token_type="bot",
            scope=installed["scope"],
            team={"id": self.workspace_id, "name": self.workspace},
            incoming_webhook={"channel": f"#{installed['channel']}", "channel_id": CHANNEL, "url": self.hook_url},
        )

    # --- what people see --------------------------------------------------------------------------------------------

    def _authorize(self, received: Received) -> Behaviour:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(received.path).query).items()}
        if asked.get("client_id") != CLIENT_ID or (
            self.redirect_urls and asked["redirect_uri"] not in self.redirect_urls
        ):
            return Behaviour(status=400, body=b"Something went wrong when authorizing this app.")
        back, state = escape(asked["redirect_uri"]), escape(asked["state"])
        code = self.code(asked, "ml-alerts")
        page = f"""<!doctype html><html lang="en"><title>Slack</title><link rel="icon" href="data:,">
            <h1>Automations asks to post to {self.workspace}</h1><p>Posts to #ml-alerts</p>
            <a href="{back}?code={code}&amp;state={state}">Allow</a>
            <a href="{back}?error=access_denied&amp;state={state}">Cancel</a></html>"""
        return Behaviour(headers={"Content-Type": "text/html; charset=utf-8"}, body=page.encode())

    def _hook(self, received: Received) -> Behaviour:
        if received.path not in self.hooks:
            return Behaviour(status=404, body=b"no_service")
        try:
            problem = blockkit.problem(json.loads(received.body))
        except ValueError:
            problem = "invalid_payload"
        return Behaviour(status=400, body=problem.encode()) if problem else Behaviour(body=b"ok")


def channel(
    name: str, pk: str, *, private: bool = False, member: bool = True, archived: bool = False
) -> dict[str, Any]:
    """A channel as Slack lists it."""
    return {"id": pk, "name": name, "is_private": private, "is_member": member, "is_archived": archived}


def form_of(received: Received) -> dict[str, str]:
    """What a question of the Web API was asked with."""
    return dict(parse_qsl(received.body.decode()))


def taken(**answer: Any) -> Behaviour:
    return Behaviour(headers={"Content-Type": "application/json"}, body=json.dumps({"ok": True, **answer}).encode())


def refused(error: str, **more: Any) -> Behaviour:
    answer = {"ok": False, "error": error, **more}
    return Behaviour(headers={"Content-Type": "application/json"}, body=json.dumps(answer).encode())
