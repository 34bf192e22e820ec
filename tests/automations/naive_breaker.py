"""A breaker as anybody would expect it (WH8), to hold the real one against."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from automations import breaker, executions
from automations.models import Status


@dataclass
class Waiting:
    """An execution, as the naive model knows it."""

    due: datetime
    steps: int = 0
    held: bool = False
    status: Status = Status.PENDING


@dataclass
class Model:
    """One endpoint, one worker, and what anybody would expect of them."""

    last_success: datetime  # or when it was made
    waiting: dict[int, Waiting] = field(default_factory=dict)
    failures: int = 0
    opened: datetime | None = None
    probe: datetime | None = None

    def work(self, now: datetime, *, answers: bool) -> list[int]:
        sent = []
        while due := sorted((one.due, pk) for pk, one in self.waiting.items() if self._is_due(one, now)):
            pk = due[0][1]
            if self._send(self.waiting[pk], now, answers=answers):
                sent.append(pk)
        return sent

    def _is_due(self, one: Waiting, now: datetime) -> bool:
        return one.status == Status.PENDING and one.due <= now

    def _send(self, one: Waiting, now: datetime, *, answers: bool) -> bool:
        probing = False
        if self.opened is not None and self.probe is not None:
            if self.probe > now:
                one.held, one.due = True, self.probe
                return False
            probing, self.probe = True, now + breaker.PROBE_EVERY
            self._move(self.probe)
        if answers:
            one.status, one.held = Status.FINISHED, False
            self.failures, self.last_success = 0, now
            if self.opened is not None:
                self.opened = self.probe = None
                self._release(now)
            return True
        self.failures += 1
        one.steps += 0 if probing else 1
        fresh = now - self.last_success < breaker.NO_SUCCESS_FOR
        if self.opened is None and self.failures >= breaker.FAILURES and not fresh:
            self.opened, self.probe = now, now + breaker.PROBE_EVERY
        if one.steps > len(executions.LADDER):
            one.status, one.held = Status.FAILED, False
        elif self.probe is not None:
            one.held, one.due = True, self.probe
        else:
            one.held, one.due = False, now + executions.LADDER[one.steps - 1]
        return True

    def _move(self, due: datetime) -> None:
        for one in self.waiting.values():
            if one.held and one.status == Status.PENDING:
                one.due = max(one.due, due)

    def _release(self, now: datetime) -> None:
        for one in self.waiting.values():
            if one.held and one.status == Status.PENDING:
                one.due, one.held = now, False
