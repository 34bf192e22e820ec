from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from automations import signing

ROOT = Path(__file__).resolve().parents[3]
Start = Callable[..., tuple["subprocess.Popen[str]", str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the real command, and gives the process and its address."""
    processes: list[subprocess.Popen[str]] = []

    def start(*options: str) -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "webhook_receiver", "--port", "0", *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        processes.append(process)
        assert process.stdout is not None
        found = re.search(r"http://\S+/", process.stdout.readline())
        assert found is not None
        return process, found[0]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def post(url: str, secret: str = "s3cret", message_id: str = "msg_1", **more: str) -> int:
    body = json.dumps({"run": "日本"}).encode()
    headers = signing.headers(body, secret=secret, message_id=message_id, timestamp=int(time.time()))
    return requests.post(url, data=body, headers={**headers, **more}, timeout=10).status_code


def stopped(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    return printed


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_it_prints_what_arrives_and_checks_both_signatures(start: Start, tmp_path: Path) -> None:
    process, url = start("--secret", "s3cret", "--json", str(tmp_path / "got.jsonl"))
    assert post(url + "deploy") == 200
    assert post(url, secret="wrong") == 200
    printed = stopped(process)
    assert "POST /deploy" in printed
    assert "both signatures verify" in printed
    assert "X-Wandb-Signature does not fit" in printed
    assert "日本" in printed
    assert [row["verified"] for row in rows(tmp_path / "got.jsonl")] == [True, False]


def test_a_repeated_message_is_noticed(start: Start) -> None:
    process, url = start("--secret", "s3cret")
    post(url)
    post(url)
    assert "again: time 2 for this webhook-id" in stopped(process)


def test_it_fails_the_first_ones_when_told_to(start: Start) -> None:
    _, url = start("--fail-first", "2")
    assert [post(url) for _ in range(3)] == [503, 503, 200]


def test_the_access_token_is_checked_and_never_printed(start: Start) -> None:
    process, url = start("--token", "t0ken-canary")
    post(url, Authorization="Bearer t0ken-canary")
    post(url)
    printed = stopped(process)
    assert "t0ken-canary" not in printed
    assert printed.count("does not carry the access token") == 1


def test_a_taken_port_is_said_in_a_sentence(start: Start) -> None:
    _, url = start()
    port = url.rstrip("/").rpartition(":")[2]
    second = subprocess.run(
        [sys.executable, "manage.py", "webhook_receiver", "--port", port],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert f"Cannot listen at 127.0.0.1:{port}" in second.stderr


def test_an_address_may_ask_for_its_answer(start: Start) -> None:
    process, url = start("--status", "204")
    asked = requests.post(f"{url}hook?status=429&retry_after=5&delay=0.3", data=b"{}", timeout=10)
    assert (asked.status_code, asked.headers["Retry-After"]) == (429, "5")
    assert asked.elapsed.total_seconds() >= 0.3
    for odd in ("", "?status=999&delay=x", "?status=soon", "?delay=-1"):
        assert requests.post(url + odd, data=b"{}", timeout=10).status_code == 204
    stopped(process)
