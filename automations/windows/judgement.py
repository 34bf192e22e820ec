"""What every rule over windows answers with, and how it refuses to be made."""

from dataclasses import dataclass
from typing import Self

from automations.words import gettext as _


class InvalidWindow(ValueError):
    """A rule that cannot be saved: `field` is the part that is wrong, `message` a sentence."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a rule says of a window: what is not `evaluable` never holds, and has no `value`."""

    holds: bool
    evaluable: bool
    value: float | None
    reason: str

    @classmethod
    def not_evaluable(cls, why: str) -> Self:
        return cls(False, False, None, _("not evaluable: %(why)s") % {"why": why})
