"""MLflow's webhooks under the same events: an alias of a registered model, which is MLflow's nearest to ours.

The server as it comes, on SQLite, but for two settings that let webhooks reach this machine.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any

from benchmarks.sides import Event, RefusedRequest, Script
from tests.journeys.server import free_port, wait_until

# MLflow reads all aliases of a model with each new one: events are spread over many models, as in real use.
MODELS = 100
WEBHOOKS = "/api/2.0/mlflow/webhooks"


class MLflow:
    """`mlflow server` in a session of its own, with its files in a folder."""

    name = "MLflow"

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._aliases = 0
        self.port = free_port()

    def start(self) -> None:
        """Start it on an empty store and register the models."""
        self.restart()
        for number in range(MODELS):
            self._ask("POST", "/api/2.0/mlflow/registered-models/create", {"name": f"model-{number}"})
            version = {"name": f"model-{number}", "source": "s3://bucket/model"}
            self._ask("POST", "/api/2.0/mlflow/model-versions/create", version)

    def prepare(self, urls: Sequence[str], *, events: int) -> list[Event]:
        for old in self._ask("GET", WEBHOOKS, {}).get("webhooks", []):
            self._ask("DELETE", f"{WEBHOOKS}/{old['webhook_id']}", {})
        for number, url in enumerate(urls):
            on = [{"entity": "MODEL_VERSION_ALIAS", "action": "CREATED"}]
            self._ask("POST", WEBHOOKS, {"name": f"webhook-{number}", "url": url, "events": on})
        # It remembers for a minute whom to call.
        self.crash()
        self.restart()
        first = self._aliases
        self._aliases += events
        return [self._event(number) for number in range(first, self._aliases)]

    def script(self) -> Script:
        return Script(self.port, {})

    def event_in(self, document: Any) -> str:
        return str(document["data"]["alias"])

    def crash(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        with (self._folder / "log").open("ab") as log:
            at = ["--host", "127.0.0.1", "--port", str(self.port)]
            store = ["--backend-store-uri", f"sqlite:///{self._folder}/mlflow.db"]
            files = ["--artifacts-destination", str(self._folder / "artifacts")]
            self._process = subprocess.Popen(
                [self._program, "server", *at, *store, *files],
                cwd=self._folder,
                env={**os.environ, **SETTINGS},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self._answers, what=lambda: (self._folder / "log").read_text()[-2000:], timeout=180)

    def _ask(self, method: str, path: str, body: Any) -> Any:
        """Get ready what is measured afterwards. On a busy machine its supervisor kills workers that are slow to start,
        with the request they had."""
        for _ in range(5):
            try:
                with self.script() as script:
                    return script.answer(method, path, body)
            except (OSError, HTTPException):
                continue
            except RefusedRequest as refusal:
                if "RESOURCE_ALREADY_EXISTS" not in str(refusal):
                    raise
                return {}
        raise RefusedRequest(f"{method} {path} was not answered")

    def _event(self, number: int) -> Event:
        alias = f"alias-{number}"
        body = {"name": f"model-{number % MODELS}", "alias": alias, "version": "1"}
        return Event(alias, "/api/2.0/mlflow/registered-models/alias", body)

    def _answers(self) -> bool:
        try:
            with self.script() as script:
                script.answer("GET", WEBHOOKS, {})
        except (OSError, HTTPException, RefusedRequest):
            return False
        return True


SETTINGS = {
    "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
    # Any key; the same over restarts, or it cannot read its own webhooks.
    "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": "YmVuY2htYXJrcy1vZi10aGUtYXV0b21hdGlvbnMtc3Y=",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}
