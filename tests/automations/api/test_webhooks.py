"""Webhooks over REST."""

import fcntl
import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from automations.models import Webhook
from projects.models import Project, Team, User
from tests import factories

Api = Callable[[User | None], APIClient]
WEBHOOKS = "/api/teams/research/webhooks/"
CANARY = "canary-4f1c9a-value"


def test_an_admin_creates_changes_and_deletes_a_webhook(api: Api, alice: User, team: Team) -> None:
    """WH1"""
    factories.make_secret(team, "TOKEN", CANARY)
    client = api(alice)

    made = client.post(
        WEBHOOKS,
        {
            "name": "pager duty",
            "url": "https://hooks.example.com/pager",
            "access_token": "TOKEN",
            "headers": {"X-Team": "research", "X-Key": "${TOKEN}"},
        },
    )
    assert made.status_code == 201
    assert made.json()["health"]["state"] == "never_used"
    assert made.json() | {"created_at": "", "health": {}} == {
        "team": "research",
        "name": "pager duty",
        "url": "https://hooks.example.com/pager",
        "access_token": "TOKEN",
        "secret": None,
        "signature_encoding": "base64",
        "headers": {"X-Team": "research", "X-Key": "${TOKEN}"},
        "paused_at": None,
        "paused_reason": "",
        "health": {},
        "created_at": "",
    }

    changed = client.patch(f"{WEBHOOKS}pager duty/", {"secret": "TOKEN", "access_token": None, "headers": {}})
    assert changed.json() == made.json() | {"secret": "TOKEN", "access_token": None, "headers": {}}
    assert client.get(f"{WEBHOOKS}pager duty/").json() == changed.json()
    assert CANARY not in client.get(WEBHOOKS).content.decode()
    assert client.delete(f"{WEBHOOKS}pager duty/").status_code == 204
    assert client.get(f"{WEBHOOKS}pager duty/").status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "a/b"}, "name"),
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"url": "http://169.254.169.254/latest/meta-data"}, "url"),
        ({"url": "http://127.0.0.1:8000/"}, "url"),
        ({"url": "http://[::ffff:10.0.0.1]/"}, "url"),
        ({"url": "ftp://hooks.example.com/"}, "url"),
        ({"url": "not a url"}, "url"),
        ({"url": "http://[::1"}, "url"),
        ({"url": "https://user:pass@hooks.example.com/"}, "url"),
        ({"url": None}, "url"),
        ({"access_token": "MISSING"}, "access_token"),
        ({"access_token": 7}, "access_token"),
        ({"secret": "MISSING"}, "secret"),
        ({"signature_encoding": "rot13"}, "signature_encoding"),
        ({"headers": {"Host": "a"}}, "headers"),
        ({"headers": {"bad name": "a"}}, "headers"),
        ({"headers": {"X-A": "line\nbreak"}}, "headers"),
        ({"headers": {"X-A": "${MISSING}"}}, "headers"),
        ({"headers": ["X-A"]}, "headers"),
        ({"headers": {"X-A": 7}}, "headers.X-A"),
    ],
)
def test_a_bad_webhook_is_refused_with_its_field(
    api: Api, alice: User, team: Team, change: dict[str, Any], field: str
) -> None:
    """WH9"""
    body = {"name": "pager", "url": "https://hooks.example.com/"} | change

    answer = api(alice).post(WEBHOOKS, body)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert not Webhook.objects.exists()


def test_a_refused_change_changes_nothing(api: Api, alice: User, team: Team) -> None:
    factories.make_webhook(team, headers={"X-A": "1"})

    answer = api(alice).patch(f"{WEBHOOKS}pager/", {"name": "other", "url": "http://169.254.169.254/"})

    assert answer.status_code == 400
    found = api(alice).get(f"{WEBHOOKS}pager/").json()
    assert (found["url"], found["headers"]) == ("https://hooks.example.com/pager", {"X-A": "1"})


def test_a_webhook_that_is_called_is_kept_and_its_callers_are_named(api: Api, alice: User, project: Project) -> None:
    """SE3"""
    factories.make_automation(project, webhook=factories.make_webhook(project.team))

    refused = api(alice).delete(f"{WEBHOOKS}pager/")

    assert refused.status_code == 409
    assert "Tell the pager" in refused.json()["detail"]


def test_members_look_and_admins_change(api: Api, bob: User, charlie: User, team: Team) -> None:
    factories.make_webhook(team)

    assert api(bob).get(f"{WEBHOOKS}pager/").status_code == 200
    for client, status in ((api(bob), 403), (api(charlie), 404)):
        assert client.post(WEBHOOKS, {"name": "x", "url": "https://a.example"}).status_code == status
        assert client.patch(f"{WEBHOOKS}pager/", {"name": "x"}).status_code == status
        assert client.delete(f"{WEBHOOKS}pager/").status_code == status
        assert client.post(f"{WEBHOOKS}pager/test/", {"payload": "{}"}).status_code == status
        assert client.post(f"{WEBHOOKS}pager/resume/").status_code == status


def test_a_paused_webhook_is_resumed(api: Api, alice: User, team: Team) -> None:
    """WH7"""
    factories.make_webhook(team, paused_at=timezone.now(), paused_reason="It answered 410 Gone.")
    client = api(alice)

    assert client.get(f"{WEBHOOKS}pager/").json()["paused_reason"] == "It answered 410 Gone."
    assert client.post(f"{WEBHOOKS}pager/resume/").json()["paused_at"] is None


class Receiver(BaseHTTPRequestHandler):
    received: list[tuple[dict[str, str], bytes]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append((dict(self.headers), body))
        echo = self.headers["Authorization"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(echo)))
        self.end_headers()
        self.wfile.write(echo)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[str]:
    Receiver.received = []
    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook"
        server.shutdown()
        thread.join()


def test_a_test_is_sent_with_the_real_credentials_and_shows_none_of_them(
    api: Api, alice: User, team: Team, receiver: str, settings: LazySettings
) -> None:
    """WH4"""
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    factories.make_webhook(team, receiver, access_token=factories.make_secret(team, "TOKEN", CANARY))

    answer = api(alice).post(f"{WEBHOOKS}pager/test/", {"payload": '{"text": "It works"}'})

    headers, body = Receiver.received[0]
    assert headers["Authorization"] == f"Bearer {CANARY}"
    assert json.loads(body) == {"text": "It works"}
    assert (answer.json()["succeeded"], answer.json()["status_code"]) == (True, 200)
    assert CANARY not in answer.content.decode()


def test_a_test_takes_the_guarded_path(api: Api, alice: User, team: Team, receiver: str) -> None:
    """WH4, WH9"""
    factories.make_webhook(team, receiver)

    found = api(alice).post(f"{WEBHOOKS}pager/test/", {"payload": "{}"}).json()

    assert (found["succeeded"], found["status_code"]) == (False, None)
    assert "WEBHOOK_ALLOWED_NETWORKS" in found["error"]
    assert Receiver.received == []


def test_a_second_test_at_the_same_time_is_refused(
    api: Api, alice: User, team: Team, tmp_path: Path, settings: LazySettings
) -> None:
    """WH4"""
    settings.DATA_DIR = tmp_path
    factories.make_webhook(team)
    with (tmp_path / "webhook-test.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        answer = api(alice).post(f"{WEBHOOKS}pager/test/", {"payload": "{}"})

    assert answer.status_code == 429
    assert answer.json()["detail"] == "Another test is running; try again in a moment."


@pytest.mark.parametrize("payload", ["", "{", "[" * 10_000, {"a": 1}, 7, None, '{"a": NaN}', '"\\ud800"'])
def test_a_payload_to_test_is_json(api: Api, alice: User, team: Team, payload: object) -> None:
    factories.make_webhook(team)

    answer = api(alice).post(f"{WEBHOOKS}pager/test/", {"payload": payload})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "payload")


def test_the_list_costs_the_same_queries_for_3_webhooks_and_for_30(api: Api, bob: User, team: Team) -> None:
    client = api(bob)
    client.get(WEBHOOKS)
    costs = []
    for first, last in ((0, 3), (3, 30)):
        for number in range(first, last):
            secret = factories.make_secret(team, f"S{number}")
            factories.make_webhook(
                team, name=f"w{number}", access_token=secret, secret=secret, headers={"X-A": ("${S}", secret)}
            )
        with CaptureQueriesContext(connection) as queries:
            client.get(WEBHOOKS)
        costs.append(len(queries))

    assert costs[0] == costs[1]
