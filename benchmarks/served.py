"""What every measurement needs: a server of its own, and results as JSON lines and as a table."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from tests.journeys.server import Server


@contextmanager
def fresh_server(**variables: str) -> Iterator[Server]:
    """The server as it comes, on an empty database in a folder of its own; DATABASE_URL puts it on PostgreSQL."""
    if os.environ.get("DATABASE_URL"):
        os.environ.setdefault("TEST_DATABASE_URL", os.environ["DATABASE_URL"])
    with tempfile.TemporaryDirectory(prefix="automations-bench-") as folder:
        server = Server(Path(folder), **variables)
        try:
            print("Starting a server", file=sys.stderr)
            server.start()
            yield server
        finally:
            server.discard()


def cpu_seconds(server: Server) -> float:
    """Processor time that all of the server's processes have used: tells more than rates on a busy machine."""
    used = 0
    for pid in server.processes():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])
    return used / os.sysconf("SC_CLK_TCK")


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def report(rounds: Sequence[dict[str, Any]], *, label: str) -> None:
    """A JSON line for each round, and a table with the median over the rounds of each label."""
    for measured in rounds:
        print(json.dumps(measured))
    labels = list(dict.fromkeys(measured[label] for measured in rounds))
    names = [name for name, value in rounds[0].items() if isinstance(value, int | float) and name != "round"]
    print("", " | ".join([label, *names]), " | ".join(["---"] * (len(names) + 1)), sep="\n", file=sys.stderr)
    for each in labels:
        of_label = [measured for measured in rounds if measured[label] == each]
        medians = [median(measured[name] for measured in of_label) for name in names]
        print(
            " | ".join([each, *(f"{value:,.4g}" if value < 1000 else f"{value:,.0f}" for value in medians)]),
            file=sys.stderr,
        )
