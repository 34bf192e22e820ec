"""WH8 with real processes: what a breaker holds outlives kill -9, and goes out once the endpoint is back."""

from __future__ import annotations

from tests.journeys.accounts import (
    assert_nothing_is_lost,
    call_on_failure,
    executions_of,
    fail_runs,
    sends,
    wait_for_outcomes,
)
from tests.journeys.server import Server
from tests.receiver import Receiver

VARIABLES = {"WEBHOOK_TOTAL_TIMEOUT": "5", "WEB_WORKERS": "1", "QUEUE_WORKERS": "2"}
PROJECT = "held"
FAILURES = 10
HELD = 5


def held(server: Server) -> int:
    return sum(one["reason_code"] == "breaker_open" for one in executions_of(server, PROJECT))


def test_wh8_what_is_held_outlives_kill_9_and_drains_after_a_probe(server: Server, receiver: Receiver) -> None:
    receiver.behave(status=503)
    call_on_failure(server, PROJECT, receiver.url)
    # Old enough for its breaker to open.
    server.change("UPDATE automations_webhook SET created_at = '2026-01-01 00:00:00+00:00'")
    fail_runs(server, PROJECT, count=FAILURES + HELD)
    webhook = f"teams/{server.login['team']}/webhooks/{PROJECT}-0/"
    with server.api() as api:
        # Retries come after five seconds: all of them meet an open breaker then.
        server.wait_until(lambda: held(server) == FAILURES + HELD, what=server.dump)
        assert api("GET", f"{webhook}breaker/")["held"] == FAILURES + HELD
    tried = sum(sends(receiver.requests).values())

    server.kill()
    server.start()
    assert held(server) == FAILURES + HELD
    assert sum(sends(receiver.requests).values()) == tried
    assert_nothing_is_lost(server, PROJECT, receiver.requests)

    receiver.behave()
    with server.api() as api:
        api("POST", f"{webhook}breaker/probe/")
        wait_for_outcomes(server, PROJECT)
        assert api("GET", f"{webhook}breaker/")["opened_at"] is None
    statuses = assert_nothing_is_lost(server, PROJECT, receiver.requests)
    assert statuses == {"finished": FAILURES + HELD}
