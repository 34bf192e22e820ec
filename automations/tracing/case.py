"""What the gates are asked about, found out once for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from automations.models import Automation, Execution
from automations.tracing.gates import Thing
from automations.tracing.moments import in_words
from automations.tracing.occurrences import Occurrence
from automations.triggers import Rule, Trigger
from projects.models import Run, User


@dataclass(frozen=True, slots=True)
class Case:
    """An automation and a run or version, with what happened that came nearest to firing it, and what that started.

    `problem` says why the automation cannot be evaluated, if so.
    """

    automation: Automation
    subject: Thing
    trigger: Trigger
    reader: User
    at: datetime
    compiled: Rule | None
    problem: str
    nearest: Occurrence | None
    execution: Execution | None

    @property
    def rule(self) -> Rule:
        """For gates that are reached only where it can be evaluated."""
        assert self.compiled is not None
        return self.compiled

    @property
    def found(self) -> Occurrence:
        """For gates that are reached only where something happened."""
        assert self.nearest is not None
        return self.nearest

    @property
    def word(self) -> str:
        """“run” or “version”, in the reader's language."""
        return _("run") if isinstance(self.subject, Run) else _("version")

    def told(self, moment: datetime) -> str:
        """A time in words."""
        return in_words(moment, at=self.at)
