"""The command that gives a server a past."""

import sys

import pytest

from automations.models import Automation, Execution
from benchmarks import crowd
from projects.models import Project, Run, User

pytestmark = pytest.mark.django_db


def test_a_user_gets_a_team_with_a_past(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"runs": 2, "metrics": 2, "points": 20, "projects": 2, "automations": 6, "executions": 40}
    options = [text for name, size in sizes.items() for text in (f"--{name}", str(size))]
    monkeypatch.setattr(sys, "argv", ["crowd", "--user", "alice", *options])
    crowd.main()
    found = {
        "runs": Run.objects.filter(project__name="measured").count(),
        "projects": Project.objects.visible_to(alice).count(),
        "automations": Automation.objects.visible_to(alice).count(),
        "executions": Execution.objects.visible_to(alice).count(),
    }
    assert found == {name: sizes[name] for name in found}
