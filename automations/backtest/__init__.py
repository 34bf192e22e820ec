"""What an automation would have done (HI7): stored history, judged again by the triggers and windows that judge live.

`replay` reads what is stored a few rows at a time and tells how far it is; EV11 and EV12 are simulated on what matches.
"""

from automations.backtest.occurrences import events_of
from automations.backtest.replay import LONGEST, PERIODS, Progress, outcome, replay
from automations.backtest.result import Firing, Mark, Period, Result, Subject
from automations.backtest.turns import ReplaysAreRunning, in_turn, turn

__all__ = [
    "LONGEST",
    "PERIODS",
    "Firing",
    "Mark",
    "Period",
    "Progress",
    "ReplaysAreRunning",
    "Result",
    "Subject",
    "events_of",
    "in_turn",
    "outcome",
    "replay",
    "turn",
]
