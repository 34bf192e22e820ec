"""The example is run as people run it, against a real server, and must tell the story its README promises."""

from __future__ import annotations

import json
import math
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from automations.models import EventType, Execution
from projects import metrics
from projects.models import Project, Run, RunState, User
from registries.models import Alias, Membership, Registry
from tests import factories

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPT = ROOT / "examples" / "train_digits.py"

pytestmark = pytest.mark.django_db(transaction=True)

Train = Callable[..., subprocess.CompletedProcess[str]]


def run_script(*options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-W", "error", str(SCRIPT), "--epochs", "2", *options],
        env=kept | {"NO_PROXY": "*"} | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def train(live_server: Any, project: Project, bob: User) -> Train:
    """`train("--fail")`: the script, signed in as bob, who is a member of the team."""
    key = factories.make_api_key(bob)

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        return run_script(
            *options,
            AUTOMATIONS_URL=live_server.url,
            AUTOMATIONS_API_KEY=key,
            AUTOMATIONS_TEAM=project.team.name,
            AUTOMATIONS_PROJECT=project.name,
        )

    return run


def test_a_plain_training_finishes_and_learns(train: Train) -> None:
    outcome = train("--name", "baseline")

    assert outcome.returncode == 0, outcome.stderr
    run = Run.objects.get()
    assert (run.state, run.exit_code, run.display_name) == (RunState.FINISHED, 0, "baseline")
    assert run.config["epochs"] == 2
    losses = metrics.last_values(run, "loss", count=100_000, before_line=run.history_lines)
    assert len(losses) > 50
    assert losses[-1] < losses[0] / 2
    assert run.summary["best_test_accuracy"] > 0.5
    assert run.run_id in outcome.stdout


def test_rows_travel_in_batches_and_none_is_lost(train: Train) -> None:
    train()

    run = Run.objects.get()
    chunks = list(run.chunks.order_by("first_line"))
    assert len(chunks) < run.history_lines / 20
    assert sum(chunk.line_count for chunk in chunks) == run.history_lines


def test_where_the_digits_come_from_is_said_on_screen(train: Train) -> None:
    first_line = train().stdout.splitlines()[0]

    assert first_line.startswith("Data: ")
    assert "numpy" in first_line or "scikit-learn" in first_line


def test_a_failing_training_ends_as_failed_and_with_exit_code_1(train: Train) -> None:
    outcome = train("--fail")

    assert outcome.returncode == 1
    assert "ValueError" in outcome.stderr
    run = Run.objects.get()
    assert (run.state, run.exit_code) == (RunState.FAILED, 1)
    assert run.history_lines > 0


def test_a_diverging_training_logs_a_loss_that_becomes_nan(train: Train) -> None:
    outcome = train("--diverge")

    assert outcome.returncode == 0, outcome.stderr
    run = Run.objects.get()
    losses = metrics.last_values(run, "loss", count=100_000, before_line=run.history_lines)
    first_nan = next(number for number, loss in enumerate(losses) if math.isnan(loss))
    assert first_nan > 2
    assert losses[0] < losses[1] < losses[2]  # it grew until it broke: nobody wrote a NaN
    assert all(math.isnan(loss) for loss in losses[first_nan:])
    assert run.state == RunState.FINISHED


def test_a_promoted_model_has_its_accuracy_and_the_alias_production(train: Train) -> None:
    outcome = train("--promote")

    assert outcome.returncode == 0, outcome.stderr
    version = Alias.objects.get(name="production").membership
    assert version.version == "v0"
    assert version.artifact.run == Run.objects.get()
    assert version.artifact.metadata["accuracy"] == pytest.approx(
        Run.objects.get().summary["best_test_accuracy"], abs=1e-4
    )
    assert sorted(version.alias_names) == ["candidate", "production"]


def test_the_alias_moves_to_the_version_promoted_last(train: Train) -> None:
    train("--promote")
    train("--promote")

    assert Alias.objects.get(name="production").membership.version == "v1"


def test_a_promoted_model_is_linked_to_a_registry(train: Train, registry: Registry, bob: User) -> None:
    registry.memberships.create(user=bob, role="member")
    target = f"{registry.organization.name}/{registry.name}/digits"

    for number in (0, 1):
        outcome = train("--promote", "--registry", target)
        assert outcome.returncode == 0, outcome.stderr
        link = Alias.objects.get(collection__registry=registry, name="production").membership
        assert link.version == f"v{number}"
    assert Membership.objects.filter(collection__registry=registry).count() == 2


def test_each_way_to_run_it_fires_its_own_automation_once(train: Train, project: Project) -> None:
    factories.make_automation(project, name="A run fails")
    factories.make_automation(
        project,
        EventType.RUN_METRIC,
        name="The loss is NaN",
        condition={"name": "loss", "agg_op": None, "window_size": 1, "cmp_op": "$nonfinite", "threshold": None},
    )
    factories.make_automation(
        project, EventType.ADD_ARTIFACT_ALIAS, name="In production", filter={"alias": {"$regex": "^production$"}}
    )

    for option in ("--fail", "--diverge", "--promote"):
        train(option)

    fired = Execution.objects.order_by("pk").values_list("automation__name", flat=True)
    assert list(fired) == ["A run fails", "The loss is NaN", "In production"]


def test_the_first_login_file_is_enough_to_sign_in(
    live_server: Any, project: Project, bob: User, tmp_path: Path
) -> None:
    login = {
        "url": live_server.url,
        "username": "bob",
        "password": "unused",
        "api_key": factories.make_api_key(bob),
        "organization": "acme",
        "team": project.team.name,
        "project": project.name,
    }
    file = tmp_path / "first-login.json"
    file.write_text(json.dumps(login))

    outcome = run_script("--login", str(file), AUTOMATIONS_API_KEY="a-named-file-counts-more-than-this")

    assert outcome.returncode == 0, outcome.stderr
    assert Run.objects.get().user == bob


def test_a_wrong_key_is_one_sentence_and_no_traceback(train: Train) -> None:
    outcome = train("--api-key", "nobody-has-this-key-0123456789-0123456789")

    assert outcome.returncode == 1
    assert "The server refused the request (401). This API key is unknown" in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert not Run.objects.exists()


def test_no_server_is_one_sentence_and_no_traceback(train: Train) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
        outcome = train("--url", address)

    assert outcome.returncode == 1
    assert f"No server answers at {address}" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_a_server_of_another_kind_is_recognized(train: Train, live_server: Any) -> None:
    outcome = train("--url", f"{live_server.url}/healthz?")

    assert outcome.returncode == 1
    assert "Check the URL" in outcome.stderr or "refused the request" in outcome.stderr
    assert "Traceback" not in outcome.stderr


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(["--epochs", "0"], id="no epochs"),
        pytest.param(["--registry", "acme/models/digits"], id="registry without promote"),
        pytest.param(["--promote", "--registry", "models"], id="registry without organization"),
        pytest.param(["--fail", "--diverge"], id="two ways at once"),
        pytest.param(["--url", "file:///etc/passwd"], id="no web address"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_anything_is_sent(train: Train, options: list[str]) -> None:
    outcome = train(*options)

    assert outcome.returncode == 2
    assert "error: " in outcome.stderr
    assert not Run.objects.exists()
