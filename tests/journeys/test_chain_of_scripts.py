"""The loop guard across processes: CI that a webhook calls trains with the unmodified wandb client, and says why."""

from __future__ import annotations

from pathlib import Path

from tests.journeys import sdk
from tests.journeys.server import Server
from tests.receiver import Receiver

VARIABLES = {"WEB_WORKERS": "1", "QUEUE_WORKERS": "1"}

TRAIN = """
import os, wandb

headers = {"X-Automation-Cause": os.environ["CAUSE"]} if "CAUSE" in os.environ else {}
settings = wandb.Settings(x_extra_http_headers=headers)
with wandb.init(entity=os.environ["TEAM"], project="rounds", id=os.environ["RUN"], settings=settings) as run:
    run.log({"loss": 0.1})
"""


def test_scripts_that_call_each_other_through_webhooks_end_after_three(
    server: Server, receiver: Receiver, tmp_path: Path
) -> None:
    """Each run that finishes has CI train once more; CI hands the cause on to the client."""
    team = server.login["team"]
    with server.api() as api:
        api("POST", f"teams/{team}/projects/", {"name": "rounds"})
        api("POST", f"teams/{team}/webhooks/", {"name": "ci", "url": receiver.url})
        automation = {
            "name": "Train on",
            "scope": {"kind": "project", "name": f"{team}/rounds"},
            "event_type": "RUN_STATE",
            "condition": {"states": ["FINISHED"]},
            "action_kind": "GENERIC_WEBHOOK",
            "webhook": "ci",
        }
        api("POST", "automations/", automation)
        cause: dict[str, str] = {}
        for number in range(1, 5):
            sdk.succeed(server, tmp_path / str(number), TRAIN, TEAM=team, RUN=f"round-{number}", **cause)
            if number < 4:
                cause = {"CAUSE": receiver.wait_for(number)[-1].headers["X-Automation-Cause"]}
        outcomes = server.wait_for_outcomes("rounds", count=4)
        assert [(one["run"], one["status"], one["reason_code"]) for one in outcomes] == [
            ("round-4", "skipped", "loop"),
            *((f"round-{number}", "finished", "") for number in (3, 2, 1)),
        ]
        keys = [one["key"] for one in outcomes]
        assert api("GET", f"executions/{keys[0]}/")["led_here"] == keys[:0:-1]
        assert api("GET", f"executions/{keys[-1]}/")["led_here"] == []
    assert len(receiver.requests) == 3
