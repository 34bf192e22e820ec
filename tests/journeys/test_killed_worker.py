"""Whatever is killed, and whenever: every execution is carried out, and only what was in flight is sent twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.journeys.server import Server
from tests.receiver import Received, Receiver

AUTOMATIONS = 8
# Short enough to wait for: a claim holds for 15 seconds longer than a send may last.
VARIABLES = {"WEBHOOK_TOTAL_TIMEOUT": "5", "WEB_WORKERS": "1", "QUEUE_WORKERS": "2"}


def kill_a_sender(server: Server, receiver: Receiver) -> None:
    server.kill(server.senders(receiver.port)[0])


def kill_the_queue(server: Server, receiver: Receiver) -> None:
    server.kill(*server.queue_processes())


def kill_everything(server: Server, receiver: Receiver) -> None:
    server.kill()
    server.start()


def fail_a_run(server: Server, project: str, receiver: Receiver) -> None:
    """One event that many automations react to, so that all their executions are written at the same moment."""
    team = server.login["team"]
    with server.api() as api:
        api("POST", f"teams/{team}/webhooks/", {"name": project, "url": receiver.url})
        run = api("POST", f"projects/{team}/{project}/runs/", {})
        for number in range(AUTOMATIONS):
            automation = {
                "name": f"Failed {number}",
                "scope": {"kind": "project", "name": f"{team}/{project}"},
                "event_type": "RUN_STATE",
                "condition": {"states": ["FAILED"]},
                "action_kind": "GENERIC_WEBHOOK",
                "webhook": project,
            }
            api("POST", "automations/", automation)
        api("POST", f"projects/{team}/{project}/runs/{run['run_id']}/finish/", {"exit_code": 1})


def ids(requests: list[Received]) -> Counter[str]:
    return Counter(request.headers["webhook-id"] for request in requests)


@pytest.mark.parametrize("kill", [kill_a_sender, kill_the_queue, kill_everything])
def test_kill_9_while_the_receiver_is_slow_loses_nothing(
    server: Server, receiver: Receiver, kill: Callable[[Server, Receiver], None]
) -> None:
    """RE1, RE2."""
    project = kill.__name__.replace("_", "-")
    receiver.behave(hold=True)
    fail_a_run(server, project, receiver)
    in_flight = ids(receiver.wait_for(1))
    server.wait_until(lambda: server.senders(receiver.port))
    kill(server, receiver)
    in_flight |= ids(receiver.requests)
    receiver.behave()
    receiver.release()

    executions = server.wait_for_outcomes(project, count=AUTOMATIONS, timeout=75)

    assert [execution["status"] for execution in executions] == ["finished"] * AUTOMATIONS
    received = ids(receiver.requests)
    assert received.keys() == {message_id(execution) for execution in executions}
    repeated = {name: count for name, count in received.items() if count > 1}
    assert repeated.keys() <= in_flight.keys()
    assert set(repeated.values()) == {2}
    attempts = Counter({message_id(execution): execution["attempt_count"] for execution in executions})
    assert attempts >= received  # an attempt is written down before it is sent


def message_id(execution: dict[str, Any]) -> str:
    return f"msg_{execution['key'].replace('-', '')}"
