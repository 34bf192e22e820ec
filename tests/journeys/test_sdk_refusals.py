"""What the wandb SDK has and this server does not: the script is told at once, in a sentence (docs/wandb-sdk.md)."""

import json
import subprocess
import sys
from pathlib import Path

from tests.journeys import sdk
from tests.journeys.server import Server

ASKED = """
import json, wandb
api = wandb.Api()
with wandb.init(project="asked") as run:
    run.log({"loss": 1})

def told(ask):
    try:
        ask()
    except Exception as refusal:
        return str(refusal)

print(json.dumps({
    "sweep": told(lambda: wandb.sweep({"method": "random", "parameters": {"x": {"values": [1]}}}, project="asked")),
    "agent": told(lambda: wandb.agent("abc", function=print, project="asked", count=1)),
    "queue": told(lambda: api.create_run_queue("q", "local-process", entity="operator")),
    "reports": told(lambda: list(api.reports("operator/asked"))),
    "chart": told(lambda: api.create_custom_chart(
        entity="operator", name="c", display_name="c", spec_type="vega2", access="private", spec={})),
    "user": told(lambda: api.create_user("alice@example.com")),
    "fork": told(lambda: wandb.init(project="asked", fork_from=f"{run.id}?_step=0")),
    "rewind": told(lambda: wandb.init(project="asked", resume_from=f"{run.id}?_step=0")),
    "versions": told(lambda: api.run(f"operator/asked/{run.id}").delete(delete_artifacts=True)),
}))
"""
SENTENCES = {
    "sweep": "Sweeps are not offered by this server",
    "agent": "Sweeps are not offered by this server",
    "queue": "Launch queues and agents are not offered by this server",
    "reports": "Reports are not offered by this server",
    "chart": "Custom charts are not offered by this server",
    "user": "Accounts are made by an operator of this server",
    "fork": "Runs cannot be forked",
    "rewind": "cannot be rewound",
    "versions": "delete",
}
OFFLINE = """
import wandb
with wandb.init(project="later", id="later") as run:
    for step in range(5):
        run.log({"loss": 1 / (step + 1)})
"""


def test_what_is_not_offered_is_told_at_once(server: Server, tmp_path: Path) -> None:
    printed = sdk.succeed(server, tmp_path, ASKED)

    (told,) = (json.loads(line) for line in printed.splitlines() if line.startswith("{"))
    assert told.keys() == SENTENCES.keys()
    assert {name: SENTENCES[name] in (sentence or "") for name, sentence in told.items()} == dict.fromkeys(told, True)


def test_what_was_logged_offline_is_there_once_it_is_synced(server: Server, tmp_path: Path) -> None:
    sdk.succeed(server, tmp_path, OFFLINE, WANDB_MODE="offline")
    (folder,) = (tmp_path / "home").rglob("offline-run-*")

    command = [sys.executable, "-m", "wandb", "sync", str(folder)]
    environment = sdk.environment(server, tmp_path)
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=120)

    with server.api() as api:
        run = api("GET", "projects/operator/later/runs/later/")
        points = api("GET", "projects/operator/later/runs/later/metrics/?key=loss")["points"]
    assert (run["state"], run["history_lines"]) == ("finished", 5)
    assert [value for _, value in points] == [1, 0.5, 1 / 3, 0.25, 0.2]
