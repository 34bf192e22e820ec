from typing import ClassVar

from automations.actions.base import Composed, Invocation, Receipt
from automations.models import ActionKind


class DoNothing:
    """The record is the point."""

    kind: ClassVar[ActionKind] = ActionKind.NO_OP

    def compose(self, invocation: Invocation) -> Composed:
        return Composed(send=lambda: Receipt(result="Recorded. This automation does nothing else."))
