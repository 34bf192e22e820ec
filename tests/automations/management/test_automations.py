"""`manage.py automations`: the same as over REST, for pipelines."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from automations.models import Automation
from projects.models import Project, Team, User
from tests import factories

pytestmark = pytest.mark.django_db

TEXT = """\
---
project: research/digits
automations:
  - name: 失敗
    event_type: RUN_STATE
    condition:
      states:
        - FAILED
    action_kind: NO_OP
"""


def run(*words: str) -> str:
    out = io.StringIO()
    call_command("automations", *words, stdout=out)
    return out.getvalue()


@pytest.fixture
def file(tmp_path: Path, project: Project) -> Path:
    path = tmp_path / "automations.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_a_file_is_planned_applied_and_exported_again(file: Path, alice: User) -> None:
    asked = ("--user", "alice")
    planned = run(*asked, "plan", str(file))
    assert planned.startswith("+ project research/digits: 失敗\n")
    assert "In the last 30 days: would have fired 0 times after." in planned
    assert planned.endswith("1 to create, 0 to update, 0 to delete, 0 unchanged.\n")
    assert not Automation.objects.exists()

    assert run(*asked, "apply", str(file)).endswith("1 created, 0 updated, 0 deleted, 0 unchanged.\n")

    assert Automation.objects.get().created_by == alice
    assert run(*asked, "export") == TEXT
    assert run(*asked, "export", "--scope", "project:research/digits", "--scope", "team:research") == (
        f"---\nteam: research\nautomations: []\n{TEXT}"
    )
    assert run(*asked, "apply", str(file)).startswith("0 created, 0 updated, 0 deleted, 1 unchanged.")


def test_pruning_has_to_be_asked_for(file: Path, project: Project, alice: User) -> None:
    factories.make_automation(project, name="Old")
    run("--user", "alice", "apply", str(file))
    assert Automation.objects.count() == 2
    assert "- project research/digits: Old" in run("--user", "alice", "plan", str(file), "--prune")
    run("--user", "alice", "apply", str(file), "--prune")
    assert [automation.name for automation in Automation.objects.all()] == ["失敗"]


def test_the_standard_input_is_read(monkeypatch: pytest.MonkeyPatch, project: Project) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(TEXT))
    assert "1 created" in run("--user", "alice", "apply", "-")


def test_the_one_superuser_is_meant_unless_said(file: Path, team: Team) -> None:
    with pytest.raises(CommandError, match="add --user NAME"):
        run("plan", str(file))
    factories.make_user("operator", superuser=True)
    run("apply", str(file))
    created_by = Automation.objects.get().created_by
    assert created_by is not None
    assert created_by.username == "operator"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--user", "nobody", "export"), "There is no user “nobody”."),
        (("--user", "bob", "apply", "{file}"), "member"),
        (("--user", "charlie", "apply", "{file}"), "documents[0].project: There is no project"),
        (("--user", "alice", "plan", "/nowhere/x.yaml"), "cannot be read: No such file"),
        (("--user", "alice", "plan", "{latin}"), "it is not UTF-8"),
        (("--user", "alice", "plan", "{broken}"), "Line 2: This is not YAML"),
        (("--user", "alice", "export", "--scope", "digits"), "“digits” is no scope. Write KIND:NAME"),
        (("--user", "alice", "export", "--scope", "team:nobody"), "There is no team “nobody”."),
    ],
)
@pytest.mark.usefixtures("charlie")
def test_what_cannot_be_done_is_said(file: Path, words: tuple[str, ...], told: str) -> None:
    latin, broken = file.with_name("latin.yaml"), file.with_name("broken.yaml")
    latin.write_bytes("name: é".encode("latin-1"))
    broken.write_text("a: [")
    with pytest.raises(CommandError) as error:
        run(*(word.format(file=file, latin=latin, broken=broken) for word in words))
    assert told in str(error.value)
