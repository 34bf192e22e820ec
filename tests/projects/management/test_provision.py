"""`manage.py provision` as an operator types it."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from projects import keys
from projects.models import Organization, TeamMember, User

ROOT = Path(__file__).resolve().parents[3]
KEY = "0123456789" * 4


def provision(*words: str) -> str:
    out = io.StringIO()
    call_command("provision", *words, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_it_says_what_was_made_and_what_was_there() -> None:
    words = ("--organization", "acme", "--team", "research", "--user", "alice", "--role", "admin")

    assert provision(*words, "--api-key", KEY).splitlines() == [
        "Made organization acme.",
        "Made user alice.",
        "Made team research in organization acme.",
        "alice is now an admin of research.",
        "alice has no password and cannot sign in to the pages; give one with --password.",
        "Stored the API key of alice.",
    ]
    assert provision(*words, "--password", "a long pass phrase").splitlines() == [
        "Organization acme was there already.",
        "User alice was there already.",
        "Team research was there already.",
        "alice was an admin of research already.",
        "Set the password of alice.",
    ]
    assert TeamMember.objects.get(team__name="research").role == "admin"
    assert keys.user_of(KEY) == User.objects.get()


@pytest.mark.django_db
def test_what_was_given_is_not_repeated_and_what_was_made_up_is_shown_once() -> None:
    first = provision("--user", "alice", "--password", "a long pass phrase", "--api-key", KEY)
    assert "a long pass phrase" not in first
    assert KEY not in first

    second = provision("--user", "bob", "--password", "--api-key", "--superuser")
    shown = dict(line.strip().split(": ") for line in second.splitlines() if line.startswith("  "))
    bob = User.objects.get(username="bob")
    assert bob.check_password(shown["password"])
    assert keys.user_of(shown["api key"]) == bob
    assert shown["password"] not in provision("--user", "bob", "--password", "--api-key")


@pytest.mark.django_db
def test_an_error_is_one_sentence_and_leaves_nothing() -> None:
    with pytest.raises(CommandError, match=r"There is no role “boss”\. Use admin, member, view-only\."):
        provision("--organization", "acme", "--user", "alice", "--role", "boss")

    assert not Organization.objects.exists()


def run(data_dir: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, on an embedded database of its own."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=environment | {"DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_before_the_tables_exist_it_says_what_to_do(tmp_path: Path) -> None:
    done = run(tmp_path, "provision", "--user", "alice")

    assert done.returncode == 1
    assert done.stdout == ""
    assert "run “manage.py migrate” first" in done.stderr
    assert "Traceback" not in done.stderr
