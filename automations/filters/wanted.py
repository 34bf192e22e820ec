"""What conditions compare with: each `take_…` returns a value ready for use or raises InvalidFilter."""

import math
from typing import Any

import re2

from automations.filters.fields import Field, InvalidFilter, Kind
from automations.filters.wording import number_text, show
from automations.words import gettext as _

MAX_PATTERN_LENGTH = 1_000
MAX_TEXT_LENGTH = 10_000
MAX_LIST_LENGTH = 1_000
MAX_NUMBER_BITS = 4_096
# Patterns of one condition: so many, so much text and so many of RE2's instructions together. Compiling them is done
# inside of requests and transactions, and must not be felt there.
MAX_PATTERNS = 20
MAX_PATTERNS_LENGTH = 1_000
MAX_PATTERNS_PROGRAM = 10_000
# What RE2 may spend on one pattern's program and on its cache of states, in bytes.
PATTERN_MEMORY = 1 << 18


def check_text(value: str, path: str) -> str:
    """Text that databases can keep. Raises InvalidFilter otherwise."""
    if len(value) > MAX_TEXT_LENGTH:
        raise InvalidFilter(
            path,
            _("Text may have at most %(most_text_length)s characters here.")
            % {"most_text_length": f"{MAX_TEXT_LENGTH:,}"},
        )
    if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise InvalidFilter(path, _("Text may not hold NUL characters or lone surrogates; remove them."))
    return value


def take_number(value: Any, field: Field, path: str) -> int | float:
    value = field.number(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidFilter(
            path, _("This is compared with a number, not with %(value)s; write a number.") % {"value": show(value)}
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidFilter(
            path, _("%(value)s cannot be compared with; write a finite number.") % {"value": number_text(value)}
        )
    if isinstance(value, int) and value.bit_length() > MAX_NUMBER_BITS:
        raise InvalidFilter(path, _("The number has too many digits; write a smaller one."))
    return value


def take_text(value: Any, field: Field, path: str) -> str:
    if not isinstance(value, str):
        raise InvalidFilter(
            path, _("This is compared with text, not with %(value)s; write text in quotes.") % {"value": show(value)}
        )
    return check_text(value, path)


def take_scalar(value: Any, field: Field, path: str) -> Any:
    if isinstance(value, list | dict):
        raise InvalidFilter(
            path, _("This takes one value, not a list or an object; write $in, $all or $size for lists.")
        )
    if value is None or (isinstance(value, bool) and field.kind is Kind.ANY):
        return value
    if field.kind is Kind.NUMBER or (field.kind is Kind.ANY and not isinstance(value, str)):
        return take_number(value, field, path)
    return take_text(value, field, path)


def take_scalars(value: Any, field: Field, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidFilter(
            path, _("This takes a list of values, not %(value)s; put it in brackets.") % {"value": show(value)}
        )
    if len(value) > MAX_LIST_LENGTH:
        raise InvalidFilter(
            path,
            _("A list may have at most %(most_list_length)s values.") % {"most_list_length": f"{MAX_LIST_LENGTH:,}"},
        )
    return [take_scalar(one, field, f"{path}[{index}]") for index, one in enumerate(value)]


def take_bound(value: Any, field: Field, path: str) -> int | float | str:
    textual = field.kind in (Kind.TEXT, Kind.TEXTS)
    return take_text(value, field, path) if textual else take_number(value, field, path)


def take_part(value: Any, field: Field, path: str) -> Any:
    if field.kind is Kind.ANY and not isinstance(value, str) and value is not None:
        return take_scalar(value, field, path)
    return take_text(value, field, path)


def take_flag(value: Any, field: Field, path: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidFilter(path, _("$exists takes true or false, not %(value)s.") % {"value": show(value)})
    return value


def take_count(value: Any, field: Field, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 31:
        raise InvalidFilter(
            path, _("$size takes a whole number of values, 0 or more, not %(value)s.") % {"value": show(value)}
        )
    return value


def take_pattern(value: Any, field: Field, path: str) -> str:
    pattern = take_text(value, field, path)
    if len(pattern) > MAX_PATTERN_LENGTH:
        raise InvalidFilter(
            path,
            _("A pattern may have at most %(most_pattern_length)s characters.")
            % {"most_pattern_length": f"{MAX_PATTERN_LENGTH:,}"},
        )
    try:
        compiled(pattern)
    except re2.error as error:
        reason = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        raise InvalidFilter(
            path,
            _("RE2 cannot run this pattern: %(reason)s. Its syntax has no look-around and no back-references.")
            % {"reason": reason},
        ) from None
    return pattern


class Patterns:
    """What the patterns of one condition have cost so far."""

    def __init__(self) -> None:
        self.number = self.length = self.program = 0

    def announce(self, value: Any, path: str) -> None:
        """Count a pattern before RE2 is given it, as reading it costs time too. Raises InvalidFilter."""
        self.number += 1
        self.length += len(value) if isinstance(value, str) else 0
        if self.number > MAX_PATTERNS:
            raise InvalidFilter(
                path,
                _("A condition may have at most %(most_patterns)s patterns; join some with |.")
                % {"most_patterns": MAX_PATTERNS},
            )
        # One that is too long by itself is told so by take_pattern.
        if self.length > MAX_PATTERNS_LENGTH and self.number > 1:
            raise InvalidFilter(
                path,
                _(
                    "The patterns of a condition may have at most %(most_patterns_length)s characters together;"
                    " shorten them, or compare with $in."
                )
                % {"most_patterns_length": f"{MAX_PATTERNS_LENGTH:,}"},
            )

    def add(self, pattern: str, path: str) -> None:
        """Count what RE2 made of it. Raises InvalidFilter."""
        self.program += compiled(pattern).programsize
        if self.program > MAX_PATTERNS_PROGRAM:
            raise InvalidFilter(
                path,
                _(
                    "The patterns of a condition may become at most %(most_patterns_program)s instructions"
                    " together; these are %(program)s. Use smaller repetitions and character classes."
                )
                % {"most_patterns_program": f"{MAX_PATTERNS_PROGRAM:,}", "program": f"{self.program:,}"},
            )


def compiled(pattern: str) -> Any:
    """The pattern as RE2 runs it: on bytes, silently, without capturing. Raises re2.error."""
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = PATTERN_MEMORY
    return re2.compile(pattern.encode(), options=options)
