"""The receiver kit: its commands and its code are run, against a real delivery (WH3)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from automations import executions, kit, signing
from automations.models import Execution
from automations.redaction import MASK
from projects import runs
from tests import factories
from tests.receiver import Received, Receiver

pytestmark = pytest.mark.django_db

PLAIN = "s3cret with 'quotes' and $dollars"
ENCODED = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NAME = '夜間 "7" it\'s $HOME `id` \\n ${ACCESS_TOKEN}'
PAYLOAD = '{"run": "${run_name}", "token": "${ACCESS_TOKEN}", "key": ["${SIGNING}"]}'
RUNNERS = {
    "python": """
import pathlib, sys
sys.path.insert(0, ".")
from verify import is_genuine
headers = {
    "X-Wandb-Signature": sys.argv[1], "Webhook-Id": sys.argv[2],
    "webhook-timestamp": sys.argv[3], "webhook-signature": sys.argv[4],
}
sys.exit(0 if is_genuine(pathlib.Path("body").read_bytes(), headers, sys.argv[5]) else 1)
""",
    "javascript": """
const { isGenuine } = require("./verify.js");
const [wandb, id, timestamp, signature, secret] = process.argv.slice(2);
const headers = {
  "x-wandb-signature": wandb, "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature,
};
process.exit(isGenuine(require("node:fs").readFileSync("body"), headers, secret) ? 0 : 1);
""",
}


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with Receiver() as receiver:
        yield receiver


def delivered(receiver: Receiver, *, secret: str = PLAIN, payload: str = "", **webhook: Any) -> Execution:
    """An execution that was sent to the receiver, signed with the secret."""
    signing_key = factories.make_secret(name="SIGNING", value=secret)
    token = factories.make_secret(name="TOKEN", value="t0ken-canary")
    hook = factories.make_webhook(url=receiver.url, secret=signing_key, access_token=token, **webhook)
    factories.make_automation(webhook=hook, payload=payload)
    run = factories.make_run(display_name=NAME)
    runs.finish(run, exit_code=1, by=run.user, at=timezone.now())
    executions.run(Execution.objects.get().pk)
    return Execution.objects.get()


def kit_of(execution: Execution) -> kit.Kit:
    found = kit.of(execution)
    assert found is not None
    return found


def sh(script: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    # Bytes: as text, Python would read a carriage return as the end of a line.
    return subprocess.run(
        ["/bin/sh", "-c", script], env={"PATH": os.environ["PATH"], **environment}, capture_output=True, check=False
    )


@pytest.mark.parametrize("secret", [PLAIN, ENCODED])
@pytest.mark.parametrize("encoding", ["base64", "hex"])
@pytest.mark.parametrize("payload", ["", PAYLOAD])
def test_the_curl_sends_the_same_message_with_signatures_that_verify(
    receiver: Receiver, secret: str, encoding: str, payload: str
) -> None:
    """WH3: also where the payload holds secrets, which the history does not keep."""
    key = factories.make_secret(name="API_KEY", value="k3y-canary")
    headers = {"X-Api-Key": ("key ${API_KEY}", key), "X-Team": "it's us"}
    if payload:
        secret = secret.replace("'", "").replace("$", "")  # a secret goes into JSON as it is
    execution = delivered(receiver, secret=secret, payload=payload, signature_encoding=encoding, headers=headers)
    command = kit_of(execution).curl

    done = sh(command, WEBHOOK_SECRET=secret, ACCESS_TOKEN="t0ken-canary", API_KEY="k3y-canary")

    assert done.stderr == b""
    assert done.stdout.startswith(b"HTTP/1.1 200")
    first, second = receiver.requests
    assert second.body == first.body
    assert signing.verify(second.body, second.headers, secret=secret, now=second.at) == []
    for name in ("Authorization", "Content-Type", "X-Api-Key", "X-Team", "webhook-id"):
        assert second.headers[name] == first.headers[name]
    assert len(second.headers["X-Wandb-Signature"]) == len(first.headers["X-Wandb-Signature"])
    for canary in ("canary", secret, MASK):
        assert canary not in command


def test_the_curl_asks_for_secrets_that_are_not_set(receiver: Receiver) -> None:
    command = kit_of(delivered(receiver)).curl
    done = sh(command, ACCESS_TOKEN="t0ken")
    assert done.returncode != 0
    assert b"WEBHOOK_SECRET" in done.stderr
    assert len(receiver.requests) == 1


def test_what_has_not_been_sent_yet_has_its_kit_too(receiver: Receiver) -> None:
    execution = delivered(receiver, payload=PAYLOAD.replace(', "key": ["${SIGNING}"]', ""))
    Execution.objects.update(payload="")
    execution.attempts.all().delete()
    sh(kit_of(Execution.objects.get()).curl, WEBHOOK_SECRET=PLAIN, ACCESS_TOKEN="t0ken-canary")
    first, second = receiver.requests
    assert second.body == first.body
    assert second.headers["Authorization"] == first.headers["Authorization"]


def test_what_can_no_longer_be_told_apart_stays_masked(receiver: Receiver) -> None:
    execution = delivered(receiver, payload=PAYLOAD)
    execution.payload = execution.payload.replace("夜間", "renamed")
    command = kit_of(execution).curl
    assert f"# {MASK} stands for" in command
    assert "renamed" in command


def test_without_a_secret_nothing_is_signed(receiver: Receiver) -> None:
    factories.make_automation(webhook=factories.make_webhook(url=receiver.url))
    run = factories.make_run()
    runs.finish(run, exit_code=1, by=run.user, at=timezone.now())
    executions.run(Execution.objects.get().pk)
    found = kit_of(Execution.objects.get())
    assert found.snippets == []
    sh(found.curl)
    first, second = receiver.requests
    assert second.body == first.body
    assert "X-Wandb-Signature" not in second.headers


def test_only_webhooks_have_a_kit(db: None) -> None:
    assert kit.of(factories.make_execution()) is None


TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=60)


@settings(max_examples=40, deadline=None)
@given(TEXT, st.text("AB_", min_size=1))
def test_no_text_gets_out_of_its_quotes(text: str, name: str) -> None:
    shell = kit.Shell()
    word = shell.quoted(f"{text}{shell.variable(name)}{text}")
    assert sh(f"printf %s {word}", **{name: "$(value)"}).stdout == f"{text}$(value){text}".encode()


# --- snippets -------------------------------------------------------------------------------------------------


@pytest.fixture
def verdict(tmp_path: Path) -> Any:
    """`verdict(language, request, secret)`: whether the snippet takes it for genuine."""

    def run(language: str, request: Received, secret: str, *, encoding: str = "base64", **changed: Any) -> bool:
        _, ending = kit.LANGUAGES[language]
        (tmp_path / f"verify.{ending}").write_text(kit.snippet(language, encoding))
        (tmp_path / "body").write_bytes(changed.pop("body", request.body))
        names = ("X-Wandb-Signature", "webhook-id", "webhook-timestamp", "webhook-signature")
        given = {name: request.headers[name] for name in names} | changed
        environment = {"PATH": os.environ["PATH"]}
        if language == "shell":
            command = ["/bin/sh", "verify.sh", "body"]
            environment |= {name.upper().replace("-", "_"): value for name, value in given.items()}
            environment["WEBHOOK_SECRET"] = secret
        else:
            (tmp_path / f"run.{ending}").write_text(RUNNERS[language])
            program = {"python": sys.executable, "javascript": "node"}[language]
            command = [program, f"run.{ending}", *(given[name] for name in names), secret]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode in {0, 1}, done.stderr
        assert "Traceback" not in done.stderr
        return done.returncode == 0

    return run


LANGUAGES = [
    "python",
    "shell",
    pytest.param("javascript", marks=pytest.mark.skipif(not shutil.which("node"), reason="Node.js is missing")),
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("secret", "encoding"), [(PLAIN, "base64"), (ENCODED, "hex")])
def test_a_snippet_takes_what_is_genuine_and_nothing_else(
    receiver: Receiver, verdict: Any, language: str, secret: str, encoding: str
) -> None:
    """WH3"""
    delivered(receiver, secret=secret, signature_encoding=encoding)
    (request,) = receiver.requests
    signature = request.headers["webhook-signature"]
    old = int(time.time()) - signing.TOLERANCE - 60
    late = signing.headers(request.body, secret=secret, message_id="msg_old", timestamp=old, encoding=encoding)

    def genuine(**changed: Any) -> bool:
        return bool(verdict(language, request, changed.pop("secret", secret), encoding=encoding, **changed))

    assert genuine()
    assert genuine(**{"webhook-signature": f"v1,bm90aGluZw== {signature}"})
    assert not genuine(body=request.body + b" ")
    assert not genuine(secret="another secret")
    assert not genuine(**{"webhook-id": "msg_other"})
    assert not genuine(**{"webhook-signature": ""})
    assert not genuine(**{"X-Wandb-Signature": "x"})
    assert not genuine(**{"webhook-timestamp": "soon"})
    assert not genuine(**late)
    ahead = signing.headers(request.body, secret=secret, message_id="m", timestamp=old + 800, encoding=encoding)
    assert not genuine(**ahead)
