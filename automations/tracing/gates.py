"""The answer to “Why didn't it fire?”: gates in the order events pass them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from automations.models import Automation, Execution
from projects.models import Run
from registries.models import Membership

Thing = Run | Membership


class Verdict(StrEnum):
    PASSED = "passed"
    STOPPED = "stopped"
    NOT_EVALUABLE = "not_evaluable"
    NOT_REACHED = "not_reached"

    @property
    def lets_pass(self) -> bool:
        return self is Verdict.PASSED


# What a gate is asked, and answers: verdict, sentence and numbers.
Answer = tuple[Verdict, str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Gate:
    """One thing that has to be so before an automation fires; `numbers` is what the sentence says, for machines."""

    code: str
    title: str
    verdict: Verdict
    sentence: str = ""
    numbers: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trace:
    """Every gate, with what it said. `executions` is what the automation did about the subject, newest first, as the
    reader may see it."""

    automation: Automation
    subject: Thing
    gates: list[Gate]
    executions: list[Execution]

    @property
    def stopped_by(self) -> Gate | None:
        """The first gate that said no."""
        return next((gate for gate in self.gates if not gate.verdict.lets_pass), None)

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        return self.stopped_by.sentence if self.stopped_by else self.gates[-1].sentence
