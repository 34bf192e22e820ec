"""The unmodified wandb SDK in several scripts at once: nothing may be lost, and no script may have to try again.

python -m benchmarks.sdk --scripts 8 --minutes 5
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.served import cpu_seconds, fresh_server
from tests.journeys import sdk
from tests.journeys.server import Server

SCRIPT = """
import json, random, sys, time
import wandb

seconds, per_second = float(sys.argv[1]), float(sys.argv[2])
with wandb.init(project="soak", config={"rate": per_second}) as run:
    began, lines = time.monotonic(), 0
    while (now := time.monotonic() - began) < seconds:
        run.log({"loss": random.random(), "nested": {"accuracy": random.random()}})
        lines += 1
        time.sleep(max(lines / per_second - now, 0))
    print(json.dumps({"run": run.id, "lines": lines}))
"""
# What the client prints, or writes into its own log, when an answer was not what it wanted.
TROUBLE = ("retry", "ERROR", "429", "error")


def start(server: Server, folder: Path, *, seconds: float, per_second: float) -> subprocess.Popen[str]:
    """One script, with folders of its own as on a machine of its own."""
    environment = sdk.environment(server, folder, WANDB_ENTITY=server.login["team"])
    command = [sys.executable, "-c", SCRIPT, str(seconds), str(per_second)]
    return subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def trouble_in(folder: Path, printed: str) -> list[str]:
    """Lines in which the client, on screen or in its log, speaks of having to try again."""
    logs = [path.read_text(errors="replace") for path in folder.rglob("debug-internal.log")]
    assert any("filestream" in log for log in logs), "the client's own log was not found"
    lines = "\n".join([printed, *logs]).splitlines()
    return [line for line in lines if any(word in line for word in TROUBLE) and '"level":"INFO"' not in line]


def compared(server: Server, scripts: list[tuple[Path, subprocess.Popen[str]]]) -> list[dict[str, Any]]:
    """What each script says it logged, beside what the server has."""
    results = []
    with server.api() as api:
        for folder, script in scripts:
            output, errors = script.communicate()
            assert script.returncode == 0, errors
            said = json.loads(output.splitlines()[-1])
            run = api("GET", f"projects/{server.login['team']}/soak/runs/{said['run']}/")
            results.append(
                {
                    "run": said["run"],
                    "state": run["state"],
                    "logged": said["lines"],
                    "stored": run["history_lines"],
                    "lost": said["lines"] - run["history_lines"],
                    "trouble": trouble_in(folder, errors),
                }
            )
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scripts", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--per-second", type=float, default=50, help="calls of run.log in each script")
    options = parser.parse_args()
    with fresh_server() as server, tempfile.TemporaryDirectory(prefix="automations-bench-") as folder:
        used = cpu_seconds(server)
        folders = [Path(folder) / f"script-{number}" for number in range(options.scripts)]
        scripts = [
            (each, start(server, each, seconds=options.minutes * 60, per_second=options.per_second)) for each in folders
        ]
        results = compared(server, scripts)
        for result in results:
            print(json.dumps(result))
        lost, trouble = sum(abs(one["lost"]) for one in results), sum(len(one["trouble"]) for one in results)
        stored = sum(one["stored"] for one in results)
        print(
            f"{options.scripts} scripts, {stored:,} lines stored, {lost} lost, {trouble} lines of trouble,"
            f" {cpu_seconds(server) - used:.1f} s of server CPU",
            file=sys.stderr,
        )
    sys.exit(1 if lost or trouble else 0)


if __name__ == "__main__":
    main()
