"""The example tells its story: each way to run it delivers one signed webhook, with a history that says why."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

import pytest

from automations import signing
from tests.journeys.server import ROOT, Api, Server
from tests.receiver import Receiver

VARIABLES = {"WEB_WORKERS": "1", "QUEUE_WORKERS": "1"}
SIGNING_SECRET = "the-secret-both-sides-know"

# option of the example: event, condition, filter, payload with what it must become
STORIES: dict[str, tuple[str, dict[str, Any], dict[str, Any], dict[str, str], dict[str, str]]] = {
    "--fail": (
        "RUN_STATE",
        {"states": ["FAILED"]},
        {},
        {"text": "${run_name} is ${run_status}"},
        {"text": "digits--fail is failed"},
    ),
    "--diverge": (
        "RUN_METRIC",
        {"name": "loss", "agg_op": None, "window_size": 1, "cmp_op": "$nonfinite", "threshold": None},
        {},
        {"text": "${metric_name} of ${run_name}"},
        {"text": "loss of digits--diverge"},
    ),
    "--promote": (
        "ADD_ARTIFACT_ALIAS",
        {},
        {"alias": {"$regex": "^production$"}},
        {"text": "${artifact_collection_name} is ${alias}"},
        {"text": "digits-classifier is production"},
    ),
}


def train(server: Server, option: str, project: str) -> None:
    """The script as a newcomer runs it, with the file that the first start wrote."""
    login = str(server.data_dir / "first-login.json")
    options = ["--login", login, "--project", project, "--name", f"digits{option}", "--epochs", "2", option]
    outcome = subprocess.run(
        [sys.executable, "examples/train_digits.py", *options],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert outcome.returncode == (1 if option == "--fail" else 0), outcome.stderr


def automate(api: Api, team: str, project: str, receiver: Receiver) -> None:
    """One automation for each story, all on one signed webhook."""
    secret = f"SIGNS_{project}"
    api("POST", f"teams/{team}/secrets/", {"name": secret, "value": SIGNING_SECRET})
    api("POST", f"teams/{team}/webhooks/", {"name": project, "url": receiver.url, "secret": secret})
    api("POST", f"projects/{team}/{project}/runs/", {})  # makes the project
    for option, (event_type, condition, filter_, payload, _) in STORIES.items():
        automation = {
            "name": option,
            "scope": {"kind": "project", "name": f"{team}/{project}"},
            "event_type": event_type,
            "condition": condition,
            "filter": filter_,
            "action_kind": "GENERIC_WEBHOOK",
            "webhook": project,
            "payload": json.dumps(payload),
        }
        api("POST", "automations/", automation)


@pytest.mark.parametrize("option", STORIES)
def test_each_way_to_run_the_example_delivers_one_signed_webhook(
    server: Server, receiver: Receiver, option: str
) -> None:
    """WH3, HI1, HI3: although all three automations listen."""
    project = option.removeprefix("--")
    with server.api() as api:
        automate(api, server.login["team"], project, receiver)
        train(server, option, project)
        [execution] = server.wait_for_outcomes(project, count=1)
        shown = api("GET", f"executions/{execution['key']}/")

    assert (shown["status"], shown["automation_name"]) == ("finished", option)
    [request] = receiver.requests
    assert signing.verify(request.body, request.headers, secret=SIGNING_SECRET, now=time.time()) == []
    assert signing.verify(request.body, request.headers, secret="another secret", now=time.time()) != []
    assert request.json() == STORIES[option][4]
    assert json.loads(shown["payload"]) == STORIES[option][4]
    assert shown["event"]["kind"] == {"RUN_METRIC": "METRICS_LOGGED"}.get(STORIES[option][0], STORIES[option][0])
    assert shown["event"]["actor"] == server.login["username"]
    assert shown["matched_because"]
    assert shown["result"] == "The receiver answered 200 OK."
    [attempt] = shown["attempts"]
    assert (attempt["number"], attempt["status_code"], attempt["error"]) == (1, 200, "")
    assert attempt["url"] == receiver.url
