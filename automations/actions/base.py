"""What a kind of action is: one method that does it, one exception for when it cannot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from automations.models import ActionKind, Execution


@dataclass(frozen=True, slots=True)
class Sending:
    """What is about to leave the house, redacted; recorded as an attempt before it does (RE2)."""

    url: str
    headers: Mapping[str, str]
    payload: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """How the other side answered, redacted. `result` is the outcome as a sentence."""

    result: str
    status_code: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    duration: float | None = None


class ActionError(Exception):
    """The action could not be carried out.

    `permanent` says that trying again is pointless; otherwise the retry ladder goes on, not before `retry_after`
    seconds. `receipt` is what the other side answered, if it did.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool,
        code: str = "",
        retry_after: float | None = None,
        receipt: Receipt | None = None,
        duration: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent
        self.code = code
        self.retry_after = retry_after
        self.receipt = receipt
        self.duration = duration


@dataclass(frozen=True, slots=True)
class Invocation:
    """One try to carry out an execution. `about_to_send` must be called right before anything leaves the house."""

    execution: Execution
    timestamp: int
    about_to_send: Callable[[Sending], None]


class Action(Protocol):
    """One kind of action; `automations.actions.ACTIONS` lists them."""

    kind: ClassVar[ActionKind]

    def perform(self, invocation: Invocation) -> Receipt:
        """Do it.

        Raises:
            ActionError: it did not work, for now or for good.
        """
        ...

    def rehearse(self, execution: Execution) -> str:
        """What would be sent, secrets masked; nothing leaves the house (AC2). "" if nothing ever does.

        Raises:
            ActionError: it could not even be composed.
        """
        ...
