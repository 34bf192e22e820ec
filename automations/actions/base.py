"""What a kind of action is: one method that composes it, and what comes of carrying that out.

Composing and sending are apart, so that one thread that owns the database can have many sends in flight.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from automations.models import ActionKind, Execution
from automations.unsealing import Keyring


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
    """One try to carry out an execution; `keyring` has what its integration is sent with."""

    execution: Execution
    timestamp: int
    keyring: Keyring


@dataclass(frozen=True, slots=True)
class Composed:
    """An execution that only has to be sent. `sending` is what will leave the house, None if nothing does. `send` may
    be called in any thread, does not touch the database, and returns a receipt or raises an ActionError."""

    send: Callable[[], Receipt]
    sending: Sending | None = None


class Action(Protocol):
    """One kind of action; `automations.actions.ACTIONS` lists them."""

    kind: ClassVar[ActionKind]

    def compose(self, invocation: Invocation) -> Composed:
        """Do everything but send: this is all that happens in shadow mode (AC2).

        Raises:
            ActionError: it could not even be composed, for now or for good.
        """
        ...
