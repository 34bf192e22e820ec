"""Scripts that say what they saw, and automations that call a receiver for what they do."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.journeys import sdk
from tests.journeys.server import ROOT, Server
from tests.receiver import Receiver

# One line of JSON each time.
SAY = """
import json, pathlib, wandb
def say(**seen):
    print("SAID " + json.dumps(seen))

def refusal(call, *args, **options):
    try:
        call(*args, **options)
    except Exception as error:
        return str(error)
    return "not refused"
"""

PAYLOAD = {
    "event": "${event_type}",
    "version": "${artifact_version_string}",
    "alias": "${alias}",
    "tag": "${tag}",
    "by": "${event_author}",
}


def said(server: Server, folder: Path, source: str, **variables: str) -> dict[str, Any]:
    """What a script, which must end well, said; it logs to the first team unless told otherwise."""
    printed = sdk.succeed(server, folder, SAY + source, **{"WANDB_ENTITY": server.login["team"], **variables})
    seen: dict[str, Any] = {}
    for line in printed.splitlines():
        if line.startswith("SAID "):
            seen |= json.loads(line.removeprefix("SAID "))
    return seen


def user(server: Server, name: str, *, team: str = "", role: str = "") -> str:
    """A key of another user, who is in a team if that is said."""
    key = f"local-{secrets.token_hex(20)}"
    membership = ["--team", team, "--role", role] if team else []
    subprocess.run(
        [sys.executable, "manage.py", "provision", "--user", name, "--api-key", key, *membership],
        cwd=ROOT,
        env=server.environment,
        check=True,
        capture_output=True,
    )
    return key


def watch(server: Server, receiver: Receiver, *events: str, collection: str) -> None:
    """Call the receiver for these events of a collection of this name, wherever in the first organization."""
    with server.api() as api:
        team = server.login["team"]
        api("POST", f"teams/{team}/webhooks/", {"name": collection, "url": receiver.url})
        for event in events:
            automation = {
                "name": f"{event} in {collection}",
                "scope": {"kind": "organization", "name": server.login["organization"]},
                "event_type": event,
                "filter": {"collection": collection},
                "action_kind": "GENERIC_WEBHOOK",
                "webhook": f"{team}/{collection}",
                "payload": json.dumps(PAYLOAD),
            }
            api("POST", "automations/", automation)
