from typing import ClassVar

from automations.actions.base import Invocation, Receipt
from automations.models import ActionKind, Execution


class DoNothing:
    """The record is the point."""

    kind: ClassVar[ActionKind] = ActionKind.NO_OP

    def perform(self, invocation: Invocation) -> Receipt:
        return Receipt(result="Recorded. This automation does nothing else.")

    def rehearse(self, execution: Execution) -> str:
        return ""
