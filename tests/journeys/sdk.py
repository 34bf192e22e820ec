"""Scripts with the unmodified wandb client, in processes of their own, against the real server."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.journeys.server import Server, wait_until


def environment(server: Server, folder: Path, **variables: str) -> dict[str, str]:
    """What such a script needs to know, and nothing of this machine: each has a home of its own in the folder."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    places = {f"WANDB_{name}": str(home) for name in ("DIR", "CACHE_DIR", "DATA_DIR", "CONFIG_DIR", "ARTIFACT_DIR")}
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        # Not in the folder: names of sockets, which the client makes there, may have 107 characters at most.
        "TMPDIR": tempfile.gettempdir(),
        "NETRC": str(home / "netrc"),
        "NO_PROXY": "*",
        "PYTHONUNBUFFERED": "1",
        "WANDB_BASE_URL": server.url,
        "WANDB_API_KEY": server.login["api_key"],
        "WANDB_ERROR_REPORTING": "false",
        **places,
        **variables,
    }


def script(
    server: Server, folder: Path, source: str, *, timeout: float = 120, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a script to its end, whatever that is; `variables` are added to its environment."""
    return subprocess.run(
        [sys.executable, str(_written(folder, source))],
        cwd=folder,
        env=environment(server, folder, **variables),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def succeed(server: Server, folder: Path, source: str, **variables: str) -> str:
    """Run a script that must end well; what it printed."""
    outcome = script(server, folder, source, **variables)
    assert outcome.returncode == 0, f"{outcome.stdout}\n{outcome.stderr}\n{server.logs[-3000:]}"
    return outcome.stdout


def ask(server: Server, query: str, **variables: Any) -> Any:
    """What the server answers to a question in GraphQL, signed in as its first user."""
    key = base64.b64encode(f"api:{server.login['api_key']}".encode()).decode()
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    body = json.dumps({"query": query, "variables": variables})
    connection.request("POST", "/graphql", body, {"Authorization": f"Basic {key}", "Content-Type": "application/json"})
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    assert response.status == 200, answer
    return answer["data"]


class Running:
    """A script that runs beside the test, which waits for what it prints and may kill it."""

    def __init__(self, server: Server, folder: Path, source: str, **variables: str) -> None:
        path = _written(folder, source)
        self._output = folder / "printed"
        with self._output.open("w") as output:
            self._process = subprocess.Popen(
                [sys.executable, str(path)],
                cwd=folder,
                env=environment(server, folder, **variables),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def printed(self) -> str:
        return self._output.read_text()

    def wait_for(self, text: str) -> None:
        """Come back when it has printed this."""
        wait_until(lambda: text in self.printed or self._process.poll() is not None, what=lambda: self.printed)
        assert text in self.printed, self.printed

    def end(self, *, timeout: float = 90) -> int:
        """Its exit code, once it has ended by itself."""
        return self._process.wait(timeout)

    def kill(self) -> None:
        """kill -9, with every process it started."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(30)


def _written(folder: Path, source: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "script.py"
    path.write_text(textwrap.dedent(source))
    return path
