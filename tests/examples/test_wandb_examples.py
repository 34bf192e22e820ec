"""The examples with the wandb client are run as people run them: from the script to the message that arrives."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys import sdk
from tests.journeys.server import Server
from tests.receiver import Receiver
from tests.slack import CHANNEL, TOKEN, FakeSlack

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"


@pytest.fixture(scope="module")
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as listening:
        yield listening


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening


@pytest.fixture(scope="module")
def server(slack: FakeSlack, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The real server, whose first team has a Slack channel and a webhook."""
    served = Server(tmp_path_factory.mktemp("server"), SLACK_API_URL=slack.api_url)
    try:
        served.start()
        team = f"teams/{served.login['team']}"
        with served.api() as api:
            workspace = api("POST", f"{team}/slack-workspaces/", {"token": TOKEN})
            channel = {"slack_workspace": workspace["id"], "channel": "ml-alerts", "channel_id": CHANNEL}
            api("POST", f"{team}/slack-channels/", channel)
            api("POST", f"{team}/webhooks/", {"name": "deploy", "url": f"{receiver.url}/deploy"})
        yield served
    finally:
        served.discard()


def run(server: Server, folder: Path, script: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(EXAMPLES / script), "--entity", server.login["team"], *options],
        cwd=folder,
        env=sdk.environment(server, folder),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_failed_run_is_told_in_slack(server: Server, slack: FakeSlack, tmp_path: Path) -> None:
    for number in (1, 2):  # a second time, the automation is there already
        outcome = run(server, tmp_path, "alert_on_failed_runs.py", "--channel", "#ml-alerts")

        assert outcome.returncode == 0, outcome.stdout + outcome.stderr
        assert "When a run fails, post to #ml-alerts in Slack." in outcome.stdout
        assert "Outcome:  finished." in outcome.stdout
        assert len(slack.messages) == number
    assert "failed" in slack.messages[0]["text"]
    assert "Somebody should look into digits." in str(slack.messages[0])


def test_an_alias_deploys_the_model(server: Server, receiver: Receiver, tmp_path: Path) -> None:
    registry = f"{server.login['organization']}/models"
    for version in ("v0", "v1"):
        outcome = run(server, tmp_path, "deploy_on_alias.py", "--registry", registry, "--webhook", "deploy")

        assert outcome.returncode == 0, outcome.stdout + outcome.stderr
        assert f"digits-classifier:{version} is in production now." in outcome.stdout
        assert "call webhook deploy." in outcome.stdout
        assert "Outcome:  finished." in outcome.stdout
        sent = receiver.requests[-1].json()
        assert sent["event_type"] == "deploy"
        assert sent["client_payload"]["version"] == version.removeprefix("v")
        assert sent["client_payload"]["alias"] == "production"
        assert sent["client_payload"]["accuracy"] == "0.973"
        assert sent["client_payload"]["asked_by"] == "operator"
    assert len(receiver.requests) == 2


@pytest.mark.parametrize(
    ("script", "options", "words"),
    [
        ("alert_on_failed_runs.py", ["--channel", "nowhere"], "has no Slack channel “nowhere”, but ml-alerts."),
        (
            "deploy_on_alias.py",
            ["--registry", "local/models", "--webhook", "x"],
            "has no webhook “x”, but deploy.",
        ),
        ("deploy_on_alias.py", ["--registry", "models"], "--registry names organization/registry."),
    ],
)
def test_what_is_missing_is_one_sentence(
    server: Server, tmp_path: Path, script: str, options: list[str], words: str
) -> None:
    outcome = run(server, tmp_path, script, *options)

    assert outcome.returncode != 0
    assert words in outcome.stderr
    assert "Traceback" not in outcome.stderr
