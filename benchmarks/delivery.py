"""From an event to its webhook: one at a time, in a burst, and when something is down, killed or in the way.

python -m benchmarks.delivery --rounds 3
MLFLOW=/path/to/venv/bin/mlflow python -m benchmarks.delivery
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import goals, scenarios
from benchmarks.mlflow_side import MLflow
from benchmarks.served import fresh_server
from benchmarks.sides import Ours, Side

CASES = ("one", "burst", "neighbour", "killed", "down")
# The ladder tries again after 5 s, 30 s and 5 min, each ± 20 %: after a minute without its receiver, an event is on the
# way again at most 395 s after it happened. A worker that was killed leaves a lease that ends within half a minute.
OUR_PATIENCE = 420.0
OUR_QUIET = 120.0
# MLflow repeats within seconds or not at all.
THEIR_QUIET = 30.0


class Measured:
    """The rounds so far; each is printed as a line of JSON as soon as it is over."""

    def __init__(self) -> None:
        self.rounds: list[dict[str, Any]] = []

    def add(self, case: str, side: Side, figures: dict[str, Any]) -> None:
        self.rounds.append({"case": case, "side": side.name, **figures})
        print(json.dumps(self.rounds[-1]), flush=True)


def measure(side: Side, measured: Measured, options: argparse.Namespace) -> None:
    """Every case but the receiver that is down."""
    patience, quiet = (OUR_PATIENCE, OUR_QUIET) if isinstance(side, Ours) else (OUR_PATIENCE, THEIR_QUIET)
    for _ in range(options.rounds):
        if "one" in options.only:
            measured.add("one at a time", side, scenarios.one_at_a_time(side, events=options.events))
        if "burst" in options.only:
            measured.add("burst", side, scenarios.burst(side, events=options.burst, delay=0.1))
    if "neighbour" in options.only:
        figures = scenarios.neighbour(side, events=options.events // 2, seconds=options.seconds)
        measured.add("neighbour", side, figures)
    if "killed" in options.only:
        waiting = {"events": options.burst // 5, "patience": patience, "quiet": quiet}
        figures = scenarios.killed(side, kill=side.crash, restart=side.restart, **waiting)
        measured.add("server killed", side, figures)
        if isinstance(side, Ours):
            figures = scenarios.killed(side, kill=side.crash_workers, restart=lambda: None, **waiting)
            measured.add("workers killed", side, figures)


def take_down(side: Side, measured: Measured, options: argparse.Namespace, *, quiet: float) -> None:
    """The receiver that is down. Nearly all of it is waiting, so that other sides can be measured meanwhile."""
    figures = scenarios.receiver_down(side, events=100, down=options.down, patience=OUR_PATIENCE, quiet=quiet)
    measured.add("receiver down", side, figures)


@contextmanager
def mlflow_of_the_environment() -> Iterator[MLflow | None]:
    """MLflow, started, where MLFLOW says where it is."""
    program = os.environ.get("MLFLOW")
    if not program:
        print("MLFLOW is not set, so that only this server is measured.", file=sys.stderr)
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="automations-bench-mlflow-") as folder:
        side = MLflow(program, Path(folder))
        try:
            side.start()
            yield side
        finally:
            side.crash()


def main(arguments: Sequence[str] | None = None) -> None:
    options = parsed(arguments)
    measured = Measured()
    began = time.monotonic()
    with fresh_server() as server, ThreadPoolExecutor(1) as waiting:
        ours = Ours(server)
        measure(ours, measured, options)
        down = None
        if "down" in options.only:
            down = waiting.submit(take_down, ours, measured, options, quiet=OUR_PATIENCE)
        with mlflow_of_the_environment() as peer:
            if peer is not None:
                measure(peer, measured, options)
                if "down" in options.only:
                    take_down(peer, measured, options, quiet=THEIR_QUIET)
        if down is not None:
            down.result()
    goals.print_table(measured.rounds)
    print(f"\n{time.monotonic() - began:.0f} s, {os.cpu_count()} processors", file=sys.stderr)


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="of one at a time and of the burst")
    parser.add_argument("--events", type=int, default=200, help="of each round, one at a time")
    parser.add_argument("--burst", type=int, default=1_000, help="events of a burst")
    parser.add_argument("--down", type=float, default=60, help="seconds without a receiver")
    parser.add_argument("--seconds", type=float, default=20, help="at most for each case of neighbours")
    parser.add_argument("--only", nargs="+", choices=CASES, default=CASES)
    parser.add_argument("--quick", action="store_true", help="one round of little: whether it works, not how well")
    options = parser.parse_args(arguments)
    if options.quick:
        options.rounds, options.events, options.burst, options.down = 1, 40, 200, 6
    return options


if __name__ == "__main__":
    main()
