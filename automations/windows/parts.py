"""What the parts of a rule may be: each `check_…` raises InvalidWindow, which names the part and says what is wrong."""

import math
import unicodedata
from collections.abc import Container, Iterable, Sequence
from typing import Any, Final

from automations.windows.arithmetic import as_float
from automations.windows.judgement import InvalidWindow
from automations.words import gettext as _
from automations.words import gettext_noop, named

MAX_WINDOW = 10_000
MAX_NAME_LENGTH = 500
AGGREGATES: Final = {"AVERAGE": gettext_noop("average"), "MIN": gettext_noop("minimum"), "MAX": gettext_noop("maximum")}
_AGGREGATED: Final = {
    "AVERAGE": gettext_noop("average of the last %(count)s values"),
    "MIN": gettext_noop("minimum of the last %(count)s values"),
    "MAX": gettext_noop("maximum of the last %(count)s values"),
}
# Which way a value may move: of a change, and of a distance from other runs.
DIRECTIONS: Final = ("INCREASE", "DECREASE", "ANY")


def take_parts(condition: object, keys: Sequence[str], *, what: str) -> dict[str, Any]:
    """The parts of stored JSON, which has to have all of them and no others."""
    if not isinstance(condition, dict):
        raise InvalidWindow("", _("%(what)s is an object with %(keys)s.") % {"what": what, "keys": ", ".join(keys)})
    for key in condition:
        if key not in keys:
            raise InvalidWindow(
                str(key)[:80],
                _("%(what)s has no such part; it has %(keys)s.") % {"what": what, "keys": ", ".join(keys)},
            )
    for key in keys:
        if key not in condition:
            raise InvalidWindow(key, _("This part is missing; write null where there is nothing to say."))
    return condition


def check_name(name: object) -> None:
    if not isinstance(name, str) or not name.strip():
        raise InvalidWindow("name", _("The metric is missing; write the key under which it is logged."))
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidWindow(
            "name",
            _("The metric's key may have at most %(most_name_length)s characters.")
            % {"most_name_length": MAX_NAME_LENGTH},
        )
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in name):
        raise InvalidWindow(
            "name", _("The metric's key may not hold line breaks, control characters or lone surrogates.")
        )


def check_size(size: object, *, part: str, of: str = "", least: int = 1, most: int = MAX_WINDOW) -> None:
    if isinstance(size, bool) or not isinstance(size, int) or not least <= size <= most:
        raise InvalidWindow(
            part,
            _("The window is a whole number of %(of)s from %(least)s to %(most)s.")
            % {"of": of or _("values"), "least": least, "most": f"{most:,}"},
        )


def check_aggregate(agg_op: object) -> None:
    if agg_op is not None and not among(agg_op, AGGREGATES):
        raise InvalidWindow(
            "agg_op",
            _("The aggregate is %(aggregates)s, or null for the latest value.") % {"aggregates": ", ".join(AGGREGATES)},
        )


def check_choice(value: object, known: Iterable[str], *, part: str, what: str) -> None:
    if not among(value, list(known)):
        raise InvalidWindow(part, _("%(what)s is one of %(known)s.") % {"what": what, "known": ", ".join(known)})


def check_number(value: object, *, part: str, what: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidWindow(part, _("%(what)s is a number.") % {"what": what})


def check_amount(value: object, *, part: str, what: str) -> None:
    check_number(value, part=part, what=what)
    if not (math.isfinite(as_float(value)) and as_float(value) > 0):  # type: ignore[arg-type]  # a number by now
        raise InvalidWindow(part, _("%(what)s is finite and above 0.") % {"what": what})


def aggregated(agg_op: str, count: int) -> str:
    """What is compared: `average of the last 5 values`."""
    return _(_AGGREGATED[agg_op]) % {"count": count}


def measured(name: str, agg_op: str | None, count: int) -> str:
    """The metric with what is compared of it: `loss (average of the last 5 values)`, or `loss` for its latest value."""
    if agg_op is None:
        return named(name)
    return _("%(metric)s (%(aggregate)s)") % {"metric": name, "aggregate": aggregated(agg_op, count)}


def among(value: object, known: Container[str]) -> bool:
    return isinstance(value, str) and value in known
