"""What the parts of a rule may be: each `check_…` raises InvalidWindow, which names the part and says what is wrong."""

import math
import unicodedata
from collections.abc import Container, Iterable, Sequence
from typing import Any, Final

from automations.windows.arithmetic import as_float
from automations.windows.judgement import InvalidWindow

MAX_WINDOW = 10_000
MAX_NAME_LENGTH = 500
AGGREGATES: Final = {"AVERAGE": "average", "MIN": "minimum", "MAX": "maximum"}
# Which way a value may move, in words: of a change, and of a distance from other runs.
DIRECTIONS: Final = {"INCREASE": "increases", "DECREASE": "decreases", "ANY": "changes"}


def take_parts(condition: object, keys: Sequence[str], *, what: str) -> dict[str, Any]:
    """The parts of stored JSON, which has to have all of them and no others."""
    if not isinstance(condition, dict):
        raise InvalidWindow("", f"{what} is an object with {', '.join(keys)}.")
    for key in condition:
        if key not in keys:
            raise InvalidWindow(str(key)[:80], f"{what} has no such part; it has {', '.join(keys)}.")
    for key in keys:
        if key not in condition:
            raise InvalidWindow(key, "This part is missing; write null where there is nothing to say.")
    return condition


def check_name(name: object) -> None:
    if not isinstance(name, str) or not name.strip():
        raise InvalidWindow("name", "The metric is missing; write the key under which it is logged.")
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidWindow("name", f"The metric's key may have at most {MAX_NAME_LENGTH} characters.")
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in name):
        raise InvalidWindow("name", "The metric's key may not hold line breaks, control characters or lone surrogates.")


def check_size(size: object, *, part: str, of: str = "values", least: int = 1, most: int = MAX_WINDOW) -> None:
    if isinstance(size, bool) or not isinstance(size, int) or not least <= size <= most:
        raise InvalidWindow(part, f"The window is a whole number of {of} from {least} to {most:,}.")


def check_aggregate(agg_op: object) -> None:
    if agg_op is not None and not among(agg_op, AGGREGATES):
        raise InvalidWindow("agg_op", f"The aggregate is {', '.join(AGGREGATES)}, or null for the latest value.")


def check_choice(value: object, known: Iterable[str], *, part: str, what: str) -> None:
    if not among(value, list(known)):
        raise InvalidWindow(part, f"{what} is one of {', '.join(known)}.")


def check_number(value: object, *, part: str, what: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidWindow(part, f"{what} is a number.")


def check_amount(value: object, *, part: str, what: str) -> None:
    check_number(value, part=part, what=what)
    if not (math.isfinite(as_float(value)) and as_float(value) > 0):  # type: ignore[arg-type]  # a number by now
        raise InvalidWindow(part, f"{what} is finite and above 0.")


def among(value: object, known: Container[str]) -> bool:
    return isinstance(value, str) and value in known
