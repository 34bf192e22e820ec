"""How often an automation would have fired: the backtest, asked for one number."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING

from automations import backtest
from automations.models import Automation

if TYPE_CHECKING:
    from projects.models import User

DAYS = 30
# For all automations of a plan together: whoever asks for it waits meanwhile.
LONGEST = 20.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """How often it would have fired; None if there was no time left to look. `notes` say what is not known."""

    count: int | None
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Forecaster:
    """Counts the firings of one automation after the other, as long as there is time."""

    reader: User
    at: datetime
    begun: float = field(default_factory=monotonic)

    def firings(self, automation: Automation) -> Forecast:
        """What the last 30 days would have been with this automation, saved or not."""
        if not automation.enabled:
            return Forecast(0)
        left = LONGEST - (monotonic() - self.begun)
        if left <= 0:
            return Forecast(None, ("There was no time left to look at its history.",))
        period = backtest.Period.of_days(DAYS, until=self.at)
        replay = backtest.replay(automation, period=period, reader=self.reader, within=left)
        for told in replay:
            if isinstance(told, backtest.Result):
                return Forecast(len(told.firings), tuple(told.notes))
        return Forecast(None)
