"""What led to an event: the chain of executions, from one webhook to the next (the loop guard).

A webhook is sent with a signed token of its chain. Whoever writes back through the API or the wandb client's addresses
and presents the token in the same header joins the chain: events of that request remember it, and executions that
would make it run in circles are skipped (`automations.loops`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from automations.models import Event, Execution

HEADER = "X-Automation-Cause"
# How many executions may follow one from another; as a token holds no more, its length is bounded, too.
LONGEST_CHAIN = 3
VALID_FOR = timedelta(days=7)
# Above what the longest chain of ours needs; longer ones are not even looked at.
LONGEST_TOKEN = 1_000
SALT = "automations.cause"


@dataclass(frozen=True, slots=True)
class Cause:
    """One execution of a chain: its key, whose it was, and what it was about."""

    execution: UUID
    automation: int | None
    subject: str


Chain = tuple[Cause, ...]
_current: ContextVar[Chain] = ContextVar("chain", default=())


def join(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: what a request with a token changes is caused by the token's chain."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        token = request.META.get("HTTP_X_AUTOMATION_CAUSE")
        if token is None:
            return get_response(request)
        before = _current.set(read(token))
        try:
            return get_response(request)
        finally:
            _current.reset(before)

    return answer


def current() -> Chain:
    """The chain that what happens now belongs to; empty when no automation caused it."""
    return _current.get()


def token_of(execution: Execution) -> str:
    """The token to send with an execution: the chain that led to it, and itself at the end."""
    own = Cause(execution.key, execution.automation_id, subject_of(execution.event))
    return signing.dumps(stored((*chain_of(execution.event), own)[-LONGEST_CHAIN:]), salt=SALT)


def read(token: str) -> Chain:
    """The chain of a token; empty if it is none of ours, or too old. Never an error: who presents it wants to log."""
    if len(token) > LONGEST_TOKEN:
        return ()
    try:
        return _restored(signing.loads(token, salt=SALT, max_age=VALID_FOR))
    except signing.BadSignature:
        return ()


def chain_of(event: Event) -> Chain:
    """The executions that led to an event, the first one first."""
    return _restored(event.chain)


def stored(chain: Chain) -> list[list[Any]]:
    """A chain as JSON, for tokens and for the event."""
    return [[cause.execution.hex, cause.automation, cause.subject] for cause in chain]


def _restored(rows: list[list[Any]]) -> Chain:
    return tuple(Cause(UUID(hex=key), automation, subject) for key, automation, subject in rows)


def subject_of(event: Event) -> str:
    """What an event is about, such as `run:7`: a version is the same one in every collection it is linked to."""
    if event.artifact_id is not None:
        return f"artifact:{event.artifact_id}"
    if event.run_id is not None:
        return f"run:{event.run_id}"
    return f"collection:{event.collection_id}"
