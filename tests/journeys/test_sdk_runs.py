"""Scripts with the unmodified wandb client log runs here (IF4): every way they go, and end."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from tests.journeys import sdk
from tests.journeys.pages import Browser
from tests.journeys.relay import Relay, Sent
from tests.journeys.server import ROOT, Server
from tests.receiver import Receiver

VARIABLES = {"WEB_WORKERS": "1", "QUEUE_WORKERS": "1"}

RUN = """query Run($project: String!, $run: String!) {
  model(name: $project) { bucket(name: $run) {
    id name displayName state tags group jobType notes config summaryMetrics systemMetrics historyLineCount
    eventsLineCount logLineCount historyTail stopped
    files { edges { node { name sizeBytes directUrl md5 } } }
  } }
}"""


def run_of(server: Server, project: str, run: str) -> Any:
    """The run as the client would read it, with its documents read."""
    found = sdk.ask(server, RUN, project=project, run=run)["model"]["bucket"]
    for name in ("config", "summaryMetrics", "systemMetrics", "historyTail"):
        found[name] = json.loads(found[name])
    return found


def page(server: Server, path: str) -> str:
    """Plain text that a signed-in reader gets: what the client shows under its “View run” link."""
    browser = Browser(server.url)
    browser.sign_in(server.login["username"], server.login["password"])
    return browser.get(path).text


def downloaded(url: str) -> tuple[bytes, Message]:
    """What an address that the server gave out leads to, without a key."""
    with urllib.request.urlopen(url) as response:  # noqa: S310  # of the server under test
        return response.read(), response.headers


def test_a_script_that_finishes(server: Server, tmp_path: Path) -> None:
    printed = sdk.succeed(
        server,
        tmp_path,
        """
        import math, sys, time, wandb
        run = wandb.init(project="finishing", id="abc", config={"lr": 0.1, "layers": [1, 2]}, tags=["first", "café"],
                         group="sweep", job_type="train", notes="by hand", name="baseline",
                         settings=wandb.Settings(x_stats_sampling_interval=0.5))
        print("ENTITY", run.entity, run.url)
        for step in range(20):
            run.log({"loss": 1 / (step + 1), "val": {"acc": step}, "a/b": step, "big": 2**60, "odd": math.inf})
        for part in range(0, 101, 10):
            sys.stdout.write(f"\\r{part} %")
            time.sleep(0.1)
        print("\\nbye")
        run.config.update({"late": {"deep": 1}})
        run.summary["best"] = 0.5
        """,
    )
    user = server.login["username"]
    assert f"ENTITY {user} {server.url}/{user}/finishing/runs/abc" in printed

    run = run_of(server, "finishing", "abc")
    assert (run["state"], run["displayName"], run["historyLineCount"]) == ("finished", "baseline", 20)
    assert (run["tags"], run["group"], run["jobType"], run["notes"]) == (["first", "café"], "sweep", "train", "by hand")
    config = run["config"]
    assert (config["lr"], config["layers"], config["late"]) == (
        {"value": 0.1},
        {"value": [1, 2]},
        {"value": {"deep": 1}},
    )
    assert config["_wandb"]["value"]["cli_version"] == "0.31.0"
    summary = run["summaryMetrics"]
    assert (summary["loss"], summary["val"], summary["best"]) == (0.05, {"acc": 19}, 0.5)
    assert (summary["big"], summary["odd"]) == (2**60, float("inf"))
    assert json.loads(run["historyTail"][0])["_step"] == 19
    assert run["eventsLineCount"] >= 1
    assert run["systemMetrics"]["system.memory_percent"] > 0

    text = page(server, f"/{user}/finishing/runs/abc/console")
    assert "\n100 %\nbye\n" in text
    assert "50 %" not in text
    assert "baseline" in page(server, f"/{user}/finishing/runs/abc")


@pytest.mark.parametrize(
    ("end", "code"), [("raise RuntimeError('diverged')", 1), ("import sys; sys.exit(3)", 3), ("run.finish(7)", 7)]
)
def test_a_script_that_fails(server: Server, tmp_path: Path, end: str, code: int) -> None:
    source = f"import wandb\nrun = wandb.init(project='failing', id='c{code}')\nrun.log({{'loss': 1}})\n{end}\n"
    sdk.script(server, tmp_path, source)

    assert run_of(server, "failing", f"c{code}")["state"] == "failed"
    with server.api() as api:
        assert api("GET", f"projects/{server.login['username']}/failing/runs/c{code}/")["exit_code"] == code


def test_a_script_that_is_killed_crashes(server: Server, tmp_path: Path) -> None:
    source = "import time, wandb\nrun = wandb.init(project='killed', id='k9')\nprint('READY')\ntime.sleep(600)\n"
    running = sdk.Running(server, tmp_path, source)
    running.wait_for("READY")
    running.kill()
    assert run_of(server, "killed", "k9")["state"] == "running"

    # What the queue does once a minute, with less patience.
    look = (
        "from datetime import timedelta; from django.utils import timezone; from projects import runs;"
        " runs.mark_crashed(silent_for=timedelta(seconds=1), at=timezone.now() + timedelta(seconds=5))"
    )
    subprocess.run([sys.executable, "manage.py", "shell", "-c", look], cwd=ROOT, env=server.environment, check=True)
    assert run_of(server, "killed", "k9")["state"] == "crashed"


def automate_nan(server: Server, receiver: Receiver, project: str) -> None:
    user = server.login["username"]
    condition = {"name": "val.loss", "agg_op": None, "window_size": 1, "cmp_op": "$nonfinite", "threshold": None}
    with server.api() as api:
        api("POST", f"projects/{user}/{project}/runs/", {"run_id": "makes-the-project"})
        api("POST", f"teams/{user}/webhooks/", {"name": project, "url": receiver.url})
        automation = {
            "name": "diverged",
            "scope": {"kind": "project", "name": f"{user}/{project}"},
            "event_type": "RUN_METRIC",
            "condition": condition,
            "filter": {},
            "action_kind": "GENERIC_WEBHOOK",
            "webhook": project,
            "payload": json.dumps({"text": "${metric_name} of ${run_name}"}),
        }
        api("POST", "automations/", automation)


def test_answers_that_get_lost_make_nothing_happen_twice(server: Server, tmp_path: Path, receiver: Receiver) -> None:
    """EV5, IF4: the client sends again what it got no answer to."""
    automate_nan(server, receiver, "retried")
    seen: set[bytes] = set()

    def loses(sent: Sent) -> bool:
        """The first answer to each report with lines, and to what begins the run."""
        counts = b"wandb-history" in sent.body or b"complete" in sent.body or b"UpsertBucket" in sent.body
        first = sent.body not in seen
        seen.add(sent.body)
        return counts and first and len(relay.lost) < 4

    with Relay(server.port, loses) as relay:
        sdk.succeed(
            server,
            tmp_path,
            """
            import math, wandb
            run = wandb.init(project="retried", id="r1")
            for step in range(10):
                run.log({"val": {"loss": math.nan if step > 4 else step}})
            """,
            WANDB_BASE_URL=relay.url,
        )
        assert len(relay.lost) >= 2

    run = run_of(server, "retried", "r1")
    assert (run["state"], run["historyLineCount"]) == ("finished", 10)
    server.wait_until(lambda: receiver.requests)
    assert [request.json() for request in receiver.requests] == [{"text": f"val.loss of {run['displayName']}"}]


def test_files_media_and_alerts(server: Server, tmp_path: Path) -> None:
    sdk.succeed(
        server,
        tmp_path,
        """
        import pathlib, wandb
        run = wandb.init(project="files", id="f1")
        pathlib.Path("notes.txt").write_text("by hand")
        run.save("notes.txt")
        run.log({"page": wandb.Html("<script>alert(1)</script>"), "rows": wandb.Table(columns=["a"], data=[[1]])})
        for text in ("once", "twice"):
            run.alert("Loss is odd", text, level="WARN", wait_duration=300)
        """,
    )
    run = run_of(server, "files", "f1")
    files = {edge["node"]["name"]: edge["node"] for edge in run["files"]["edges"]}
    assert {"notes.txt", "config.yaml", "wandb-metadata.json", "wandb-summary.json", "requirements.txt"} <= set(files)
    assert downloaded(files["notes.txt"]["directUrl"])[0] == b"by hand"
    body, headers = downloaded(files[run["summaryMetrics"]["page"]["path"]]["directUrl"])
    assert b"<script>" in body
    assert json.loads(downloaded(files[run["summaryMetrics"]["rows"]["path"]]["directUrl"])[0])["data"] == [[1]]
    assert headers["Content-Disposition"].startswith("attachment")

    shown = page(server, f"/{server.login['username']}/files/runs/f1")
    assert "Loss is odd" in shown
    assert "once" in shown
    assert "twice" not in shown


def test_a_run_is_resumed(server: Server, tmp_path: Path) -> None:
    source = """
        import os, wandb
        resume = os.environ.get("RESUME") or None
        run = wandb.init(project="resumed", id="r1", resume=resume, config={"resumed": resume})
        for _ in range(3):
            run.log({"loss": 1})
        """
    assert "does not exist" in sdk.script(server, tmp_path / "too-early", source, RESUME="must").stderr
    sdk.succeed(server, tmp_path / "first", source)
    for number, resume in enumerate(("must", "allow")):
        sdk.succeed(server, tmp_path / str(number), source, RESUME=resume)
    assert "already exists" in sdk.script(server, tmp_path / "never", source, RESUME="never").stderr

    run = run_of(server, "resumed", "r1")
    assert (run["state"], run["historyLineCount"]) == ("finished", 9)
    assert json.loads(run["historyTail"][0])["_step"] == 8
    assert run["config"]["resumed"] == {"value": "allow"}


def test_a_script_is_stopped(server: Server, tmp_path: Path) -> None:
    source = """
        import signal, time, wandb
        signal.signal(signal.SIGINT, signal.default_int_handler)  # which background jobs of a shell ignore
        run = wandb.init(project="stopped", id="s1", settings=wandb.Settings(x_file_stream_transmit_interval=0.5))
        print("READY")
        while True:
            run.log({"loss": 1})
            time.sleep(0.2)
        """
    running = sdk.Running(server, tmp_path, source)
    try:
        running.wait_for("READY")
        run = run_of(server, "stopped", "s1")
        sdk.ask(server, "mutation Stop($id: ID!) { stopRun(input: {id: $id}) { success } }", id=run["id"])
        assert running.end() != 0
    finally:
        running.kill()
    assert run_of(server, "stopped", "s1")["state"] == "killed"


@pytest.mark.parametrize(
    ("arguments", "variables", "told"),
    [
        ("entity='nobody'", {}, "There is no team “nobody”."),
        ("fork_from='other?_step=1'", {}, "Runs cannot be forked"),
        ("resume_from='other?_step=1'", {}, "cannot be rewound"),
        ("", {"WANDB_API_KEY": "local-" + "0" * 40}, "user is not logged in"),
    ],
)
def test_what_cannot_be_is_said_at_once(
    server: Server, tmp_path: Path, arguments: str, variables: dict[str, str], told: str
) -> None:
    source = f"import wandb\nwandb.init(project='refused', {arguments})\n"
    outcome = sdk.script(server, tmp_path, source, timeout=30, **variables)
    assert outcome.returncode != 0
    assert told in outcome.stderr
