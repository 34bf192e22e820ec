"""Receivers that refuse, hang, drip, flood, babble or send elsewhere, called by the same event beside a healthy one.

A name that resolves to a public address first and to a private one afterwards is resolved once:
tests/automations/test_http.py shows it at the guard itself, since real processes ask a real name server.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from tests.journeys.accounts import (
    assert_nothing_is_lost,
    call_on_failure,
    executions_of,
    fail_runs,
    message_id,
    sends,
)
from tests.journeys.server import Server, free_port
from tests.receiver import Receiver

VARIABLES = {"WEBHOOK_TOTAL_TIMEOUT": "2", "WEB_WORKERS": "1", "QUEUE_WORKERS": "1"}
PROJECT = "receivers"
HALF_AN_HOUR = timedelta(minutes=30)

# How the receiver behaves at first, what the history says of that attempt, and what becomes of the execution when the
# receiver is well again.
FAULTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "is healthy": ({}, r"^$", "finished"),
    "refuses": ({}, r"refused the connection", "finished"),
    "hangs": ({"hold": True}, r"No complete answer within 2 s|did not answer in time", "finished"),
    "drips a byte a second": ({"body": b"z" * 60, "drip": 1.0}, r"No complete answer within 2 s", "finished"),
    "sends 10 MB": ({"body": b"x" * 10_000_000}, r"^$", "finished"),
    "sends no HTTP": ({"raw": b"SSH-2.0-OpenSSH_9.2\r\n\r\n"}, r"not valid HTTP", "finished"),
    "hangs up": ({"close": True}, r"closed the connection without an answer", "finished"),
    "asks for seconds": ({"status": 429, "headers": {"Retry-After": "1800"}}, r"answered 429", "pending"),
    "asks for a date": ({"status": 429}, r"answered 429", "pending"),
    "is gone": ({"status": 410}, r"410 Gone", "failed"),
    "sends to a private address": ({"status": 302}, r"302, a redirect", "failed"),
}


class Receivers:
    """One receiver for each fault, and one that nobody should reach."""

    def __init__(self, stack: ExitStack) -> None:
        self.private = stack.enter_context(Receiver())
        self.refusing = free_port()
        self._stack = stack
        self.of = {fault: stack.enter_context(Receiver()) for fault in FAULTS if fault != "refuses"}
        for fault, receiver in self.of.items():
            receiver.behave(**self._headers(fault), **FAULTS[fault][0])

    def _headers(self, fault: str) -> dict[str, Any]:
        """What can be said only now: when it is, and where the private receiver listens."""
        at = format_datetime(timezone.now() + HALF_AN_HOUR, usegmt=True)
        of = {"asks for a date": {"Retry-After": at}, "sends to a private address": {"Location": self.private.url}}
        return {"headers": of[fault]} if fault in of else {}

    @property
    def urls(self) -> list[str]:
        return [self.of[fault].url if fault in self.of else f"http://127.0.0.1:{self.refusing}/" for fault in FAULTS]

    def recover(self) -> None:
        """All are well from now on."""
        self.of["refuses"] = self._stack.enter_context(Receiver(self.refusing))
        for receiver in self.of.values():
            receiver.behave()
            receiver.release()


@pytest.fixture(scope="module")
def receivers(server: Server) -> Iterator[Receivers]:
    """One event has called them all; then they became well, and what could be delivered was."""
    with ExitStack() as stack:
        receivers = Receivers(stack)
        call_on_failure(server, PROJECT, *receivers.urls)
        fail_runs(server, PROJECT)
        server.wait_until(lambda: all(one["attempt_count"] for one in executions_of(server, PROJECT)))
        server.wait_until(lambda: "running" not in {one["status"] for one in executions_of(server, PROJECT)})
        receivers.recover()
        expected = [status for _, _, status in FAULTS.values()]
        server.wait_until(
            lambda: [one["status"] for one in executions_of(server, PROJECT)] == expected,
            what=lambda: str(executions_of(server, PROJECT)),
        )
        yield receivers


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def execution_of(server: Server, fault: str) -> dict[str, Any]:
    return executions_of(server, PROJECT)[list(FAULTS).index(fault)]


@pytest.mark.parametrize("fault", FAULTS)
def test_history_says_what_went_wrong(server: Server, receivers: Receivers, fault: str) -> None:
    """HI3, WH6, WH7, WH9."""
    execution = execution_of(server, fault)
    first, *_ = server.rows(
        "SELECT * FROM automations_attempt WHERE execution_id = %s ORDER BY number", execution["id"]
    )
    assert re.search(FAULTS[fault][1], first["error"]), first["error"]
    assert first["duration"] < 5
    assert len(first["response_body"]) <= 20_000
    # Whoever was tried again was told it is the same message.
    assert sends(receivers.of[fault].requests).keys() == {message_id(execution)}
    assert len(receivers.of[fault].requests) == execution["attempts"] - (fault == "refuses")


@pytest.mark.parametrize("fault", ["asks for seconds", "asks for a date"])
def test_wh7_who_asks_for_time_gets_it(server: Server, receivers: Receivers, fault: str) -> None:
    with server.api() as api:
        shown = api("GET", f"executions/{UUID(str(execution_of(server, fault)['key']))}/")
    waits = moment(shown["next_attempt_at"]) - moment(shown["attempts"][-1]["started_at"])
    # A date was said some time before the attempt.
    assert HALF_AN_HOUR - timedelta(minutes=5) <= waits <= HALF_AN_HOUR + timedelta(minutes=1)
    assert len(receivers.of[fault].requests) == 1


def test_wh9_nobody_follows_a_redirect_to_a_private_address(receivers: Receivers) -> None:
    assert receivers.private.requests == []


def test_wh7_who_is_gone_is_not_called_again(server: Server, receivers: Receivers) -> None:
    assert assert_nothing_is_lost(server, PROJECT, all_requests(receivers))["skipped"] == 0
    fail_runs(server, PROJECT)
    number = list(FAULTS).index("is gone")
    later = server.wait_until(
        lambda: [one for one in executions_of(server, PROJECT)[len(FAULTS) :] if one["status"] == "skipped"]
    )
    assert [one["reason_code"] for one in later] == ["webhook_paused"]
    assert later[0]["automation_id"] == executions_of(server, PROJECT)[number]["automation_id"]
    server.wait_until(lambda: "running" not in {one["status"] for one in executions_of(server, PROJECT)})
    assert assert_nothing_is_lost(server, PROJECT, all_requests(receivers))["skipped"] == 1
    assert len(receivers.of["is gone"].requests) == 1


def all_requests(receivers: Receivers) -> list[Any]:
    return [request for receiver in receivers.of.values() for request in receiver.requests]
