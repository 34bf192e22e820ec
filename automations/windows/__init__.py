"""Rules over the last logged values of one metric of one run: does it hold, and can it be judged at all?

Pure Python and numpy. A rule is a frozen dataclass whose constructor is its validator (InvalidWindow names
the part that is wrong). `judge` gives a verdict with its reason for people, `judge_batch` the same verdicts
point by point for the logging path, `describe` a clause for sentences, and `as_condition` the stored JSON.
Values are floats as logged: NaN and infinities belong to a window, and aggregates pass over them (EV9).
"""

from automations.windows.arithmetic import as_float, digits, pack, unpack
from automations.windows.judgement import InvalidWindow, Judgement
from automations.windows.threshold import AGGREGATES, COMPARISONS, MAX_WINDOW, NONFINITE, Threshold

__all__ = [
    "AGGREGATES",
    "COMPARISONS",
    "MAX_WINDOW",
    "NONFINITE",
    "InvalidWindow",
    "Judgement",
    "Threshold",
    "as_float",
    "digits",
    "pack",
    "unpack",
]
