"""Secret values go out to receivers, and are found nowhere else, however receivers and people treat them (SE1)."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

import pytest

from automations import signing
from automations.http import MAX_RESPONSE_BYTES
from tests.journeys.canary import found_in, value_of
from tests.journeys.pages import Browser
from tests.journeys.server import Api, Server
from tests.receiver import Receiver

VARIABLES = {"WEB_WORKERS": "1", "QUEUE_WORKERS": "2", "LOG_LEVEL": "DEBUG", "WEBHOOK_TOTAL_TIMEOUT": "2"}
PROJECT = "aviary"
TOKEN, SIGNING, HEADER, REFUSED, TYPED = (
    value_of(f"canary{bird}") for bird in ("Finch7q", "Siskin8w", "Serin9e", "Linnet3r", "Twite4t")
)
VALUES = [TOKEN, SIGNING, HEADER, REFUSED, TYPED]
PAYLOAD = {"text": "${run_name}", "token": "${ACCESS_TOKEN}", "${ACCESS_TOKEN}": ["key=${SIGNING}"]}
# Long enough for the answer to be cut in the middle of a value.
LONG = b"." * (MAX_RESPONSE_BYTES - len(TOKEN.encode()) + 2)

# How receivers may treat what they get.
MANNERS: dict[str, dict[str, Any]] = {
    "accepts": {},
    "echoes": {"echo": True},
    "fails-and-echoes": {"echo": True, "status": 500},
    "refuses-and-echoes": {"echo": True, "status": 403},
    "echoes-too-much": {"body": LONG + TOKEN.encode()},
    "redirects": {"status": 302, "headers": {"Location": f"http://127.0.0.1/?token={quote(TOKEN)}"}},
    "gives-it-as-reason": {"raw": f"HTTP/1.1 200 {TOKEN}\r\nContent-Length: 0\r\n\r\n".encode()},
    "fails-with-it-as-reason": {"raw": f"HTTP/1.1 403 {TOKEN}\r\nContent-Length: 0\r\n\r\n".encode()},
    "talks-nonsense": {"raw": f"{TOKEN}\r\n\r\n".encode()},
    "names-a-header-so": {"raw": f"HTTP/1.1 200 OK\r\nContent-Length: {TOKEN}\r\n\r\n".encode()},
    "hangs": {"hold": True},
}


@pytest.fixture(scope="module")
def receivers(server: Server) -> Iterator[dict[str, Receiver]]:
    """One for each manner; a run has failed, and each has been called by an automation and for a test."""
    with ExitStack() as stack:
        found = {manner: stack.enter_context(Receiver()) for manner in MANNERS}
        for manner, receiver in found.items():
            receiver.behave(**MANNERS[manner])
        with server.api() as api:
            team = f"teams/{server.login['team']}"
            for name, value in {"TOKEN": TOKEN, "SIGNING": SIGNING, "HEADER": f"{HEADER} "}.items():
                api("POST", f"{team}/secrets/", {"name": name, "value": value})
            run = api("POST", f"projects/{server.login['team']}/{PROJECT}/runs/", {"display_name": "evening"})
            for manner, receiver in found.items():
                automate(api, server.login["team"], manner, receiver.url)
            api("POST", f"projects/{server.login['team']}/{PROJECT}/runs/{run['run_id']}/finish/", {"exit_code": 1})
        server.wait_until(lambda: all(has_an_outcome(execution) for execution in server.executions(PROJECT)))
        yield found


def automate(api: Api, team: str, manner: str, url: str) -> None:
    """A webhook that uses all secrets in all ways there are, and an automation that calls it."""
    webhook = {
        "name": manner,
        "url": url,
        "access_token": "TOKEN",
        "secret": "SIGNING",
        "headers": {"X-Key": "key ${HEADER}"},
    }
    api("POST", f"teams/{team}/webhooks/", webhook)
    automation = {
        "name": f"A receiver that {manner}",
        "scope": {"kind": "project", "name": f"{team}/{PROJECT}"},
        "event_type": "RUN_STATE",
        "condition": {"states": ["FAILED"]},
        "action_kind": "GENERIC_WEBHOOK",
        "webhook": manner,
        "payload": json.dumps(PAYLOAD),
    }
    api("POST", "automations/", automation)


def has_an_outcome(execution: dict[str, Any]) -> bool:
    """Whether it is over, or has been tried and waits for its next try."""
    return execution["status"] in {"finished", "failed"} or (execution["status"] == "pending" and execution["result"])


@pytest.fixture(scope="module")
def browser(server: Server, receivers: dict[str, Receiver]) -> Browser:
    signed_in = Browser(server.url)
    signed_in.sign_in(server.login["username"], server.login["password"])
    return signed_in


def test_receivers_get_the_values(receivers: dict[str, Receiver]) -> None:
    """PL4, WH1, WH3: what the other tests look for has been sent, and by all means."""
    for receiver in receivers.values():
        request = receiver.requests[0]
        assert request.headers["Authorization"].encode("latin-1").decode() == f"Bearer {TOKEN}"
        assert request.headers["X-Key"].encode("latin-1").decode() == f"key {HEADER}"
        assert request.json() == {"text": "evening", "token": TOKEN, TOKEN: [f"key={SIGNING}"]}
        assert signing.verify(request.body, request.headers, secret=SIGNING, now=request.at) == []


def test_the_search_finds_a_value_in_any_spelling() -> None:
    for written in (TOKEN, json.dumps(TOKEN), html.escape(TOKEN), quote(TOKEN), b64encode(TOKEN.encode()).decode()):
        assert found_in(f"before {written} after", values=[TOKEN])
    for user in ("", "a", "ab", "abc"):
        assert found_in(b64encode(f"{user}:{TOKEN}".encode()).decode(), values=[TOKEN])
    assert not found_in("canary ••••••", values=[TOKEN])


def test_no_page_shows_a_value(server: Server, browser: Browser) -> None:
    """SE1, HI3: neither the product's pages nor the operators' show it, nor do their headers."""
    keys = [execution["key"] for execution in server.executions(PROJECT)]
    pages = browser.crawl("/", "/admin/", *(f"/executions/{key}/" for key in keys))

    assert len(keys) == len(MANNERS)
    assert [(page.path, page.status) for page in pages if page.status >= 500] == []
    shown = [page.path for page in pages if page.status == 200]
    team = server.login["team"]
    for place in (f"/teams/{team}/settings/", "/admin/automations/attempt/", f"/{team}/{PROJECT}/history"):
        assert any(path.startswith(place) for path in shown), (place, shown)
    for kind, count in (("automation", 1), ("webhook", 1), ("execution", 1), ("attempt", 1)):
        assert sum(bool(re.search(rf"^/admin/automations/{kind}/\d+/change/", path)) for path in shown) >= count, shown
    assert any(re.search(r"^/admin/secrets_vault/secret/\d+/change/", path) for path in shown), shown
    assert [
        (page.path, found_in(page.text, values=VALUES)) for page in pages if found_in(page.text, values=VALUES)
    ] == []


def test_no_form_gives_back_what_was_typed(server: Server, browser: Browser) -> None:
    """SE1: also not when it is refused and comes back to be corrected."""
    settings = f"/teams/{server.login['team']}/settings"
    answers = [
        browser.post(f"{settings}/secrets/new", name="not a name", value=TYPED),
        browser.post(f"{settings}/secrets/new", name="TOKEN", value=TYPED),
        browser.post("/admin/secrets_vault/secret/add/", name="not a name", new_value=TYPED),
        browser.post("/login", username="nobody", password=TYPED),
    ]
    tests = set(re.findall(rf"{settings}/webhooks/\d+/test", browser.get(f"{settings}/?tab=webhooks").text))
    tests |= set(re.findall(rf"{settings}/webhooks/\d+/test", browser.get(f"{settings}/").text))
    assert len(tests) == len(MANNERS)
    answers += [browser.post(path, payload='{"text": "It works"}') for path in sorted(tests)]

    assert [(page.path, page.status) for page in answers if page.status >= 500] == []
    assert [(page.path, found) for page in answers if (found := found_in(page.text, values=VALUES))] == []


def test_no_answer_of_the_api_shows_a_value(server: Server, receivers: dict[str, Receiver]) -> None:
    """SE1, WH4: also not when a request is refused."""
    team = server.login["team"]
    with server.api() as api:
        reads = ["me/", "schema/?format=json", "executions/", "automations/", f"teams/{team}/webhooks/"]
        reads += [f"teams/{team}/secrets/", f"projects/{team}/{PROJECT}/runs/"]
        reads += [f"executions/{execution['key']}/" for execution in server.executions(PROJECT)]
        answers = [api.answer("GET", path) for path in reads]
        tests = [f"teams/{team}/webhooks/{manner}/test/" for manner in MANNERS]
        answers += [api.answer("POST", path, {"payload": '{"text": "It works"}'}) for path in tests]
        assert [status for status, _ in answers if status != 200] == []
        refused = [
            api.answer("POST", f"teams/{team}/secrets/", {"name": "not a name", "value": REFUSED}),
            api.answer("POST", f"teams/{team}/secrets/", {"name": "TOKEN", "value": REFUSED}),
            api.answer("POST", f"teams/{team}/secrets/", {"name": "OTHER", "value": {"a": REFUSED}}),
            api.answer("PUT", f"teams/{team}/secrets/TOKEN/", {"value": REFUSED * 1000}),
            api.answer("PUT", f"teams/{team}/secrets/NOBODY/", {"value": REFUSED}),
            api.answer("DELETE", f"teams/{team}/secrets/TOKEN/"),
        ]
    assert [400 <= status < 500 for status, _ in refused] == [True] * len(refused), refused
    assert [found for _, document in answers + refused if (found := traces_in(document))] == []


def traces_in(document: Any) -> list[str]:
    """Values in a document, as a script would have them after parsing it, and as it was written."""
    return found_in(repr(document), values=VALUES) + found_in(json.dumps(document), values=VALUES)


def test_nothing_that_stays_behind_holds_a_value(server: Server, browser: Browser) -> None:
    """SE1: logs at their most talkative, the database, the files and the cookies."""
    assert found_in(server.logs, values=VALUES) == []
    assert found_in(server.dump(), values=VALUES) == []
    assert found_in(browser.cookies, values=VALUES) == []
    for file in server.data_dir.rglob("*"):
        if file.is_file() and "static" not in file.parts:
            assert found_in(file.read_bytes().decode("utf-8", "replace"), values=VALUES) == [], file
