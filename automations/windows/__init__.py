"""Rules over the last logged values of one metric: does it hold, and can it be judged at all?

Pure Python and numpy. A rule is a frozen dataclass whose constructor is its validator (InvalidWindow names
the part that is wrong). `judge` gives a verdict with its reason for people, `judge_batch` the same verdicts
point by point for the logging path, `describe` a clause for sentences, and `as_condition` the stored JSON.
Values are floats as logged: NaN and infinities belong to a window, and aggregates pass over them (EV9).
"""

from automations.windows.arithmetic import as_float, digits, pack, unpack
from automations.windows.change import CHANGE_TYPES, Change
from automations.windows.judgement import InvalidWindow, Judgement
from automations.windows.parts import AGGREGATES, DIRECTIONS, MAX_WINDOW, check_name
from automations.windows.threshold import COMPARISONS, NONFINITE, Threshold
from automations.windows.zscore import ZScore

__all__ = [
    "AGGREGATES",
    "CHANGE_TYPES",
    "COMPARISONS",
    "DIRECTIONS",
    "MAX_WINDOW",
    "NONFINITE",
    "Change",
    "InvalidWindow",
    "Judgement",
    "Threshold",
    "ZScore",
    "as_float",
    "check_name",
    "digits",
    "pack",
    "unpack",
]
