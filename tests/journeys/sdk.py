"""Scripts with the unmodified wandb client, in processes of their own, against the real server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.journeys.server import Server, wait_until


def environment(server: Server, folder: Path, **variables: str) -> dict[str, str]:
    """What such a script needs to know, and nothing of this machine: each has a home of its own in the folder."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    places = {f"WANDB_{name}": str(home) for name in ("DIR", "CACHE_DIR", "DATA_DIR", "CONFIG_DIR", "ARTIFACT_DIR")}
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(home),
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
