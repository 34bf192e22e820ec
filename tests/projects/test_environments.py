"""What is shown of where a script runs, whatever its client says about it."""

from typing import Any

import pytest

from projects import environments
from projects.models import Run

KNOWN = {
    "program": "/home/b/train.py",
    "args": ["--lr", "0.1", "a b"],
    "host": "gpu-7",
    "os": "Linux",
    "python": "CPython 3.11",
    "cpu_count": 8,
    "cpu_count_logical": 16,
    "gpu": "A100",
    "gpu_count": 2,
    "git": {"remote": "git@example.org:a/b.git", "commit": "abc"},
    "startedAt": "2026-11-26T00:00:00Z",
}


def test_the_process_that_began_last_is_the_one_that_counts() -> None:
    entries = {"old": {"host": "cpu-1", "startedAt": "2026-01-01T00:00:00Z"}, "new": KNOWN}
    run = Run(client_config={"e": entries, "cli_version": "0.31.0"}, host="elsewhere")
    assert dict(environments.of(run)) == {
        "Command": "/home/b/train.py --lr 0.1 'a b'",
        "Host": "gpu-7",
        "Operating system": "Linux",
        "Python": "CPython 3.11",
        "Processors": "16",
        "GPU": "2 × A100",
        "Repository": "git@example.org:a/b.git",
        "Commit": "abc",
        "Client": "0.31.0",
    }


@pytest.mark.parametrize(
    "said", [{}, {"e": None}, {"e": [1]}, {"e": {"a": 1}}, {"e": {"a": {"args": 1, "git": 2, "gpu": [], "host": {}}}}]
)
def test_without_it_there_is_what_the_run_itself_says(said: dict[str, Any]) -> None:
    run = Run(client_config=said, host="vm", program="train.py", commit="abc")
    assert environments.of(run) == [("Command", "train.py"), ("Host", "vm"), ("Commit", "abc")]
