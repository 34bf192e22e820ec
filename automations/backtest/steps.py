"""What every kind of replay is made of: one thing of history after the other, and what it would have started."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime

from automations.backtest.result import Firing


@dataclass(frozen=True, slots=True)
class Candidate:
    """What an automation would have reacted to. `once` is what it fires for once in 24 hours, None if that does not
    apply; `times` counts the points of the batch that would have done. What it is about, and why, is found out by
    `tell` only for those that are not held back."""

    at: datetime
    tell: Callable[[], Firing]
    once: Hashable | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class Step:
    """Some of the history was looked at: so many rows or events of it."""

    count: int
    candidate: Candidate | None
