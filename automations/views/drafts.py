"""What was typed into an automation's form, kept in the session from step to step, so that a reload loses nothing.

Each form that somebody opened has a token of its own, so that two tabs do not write over each other.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any

    from django.contrib.sessions.backends.base import SessionBase

Answers = dict[str, list[str]]
KEY = "automation_drafts"
# As many forms as one person has open at a time; the oldest makes room.
KEPT = 8
LONGEST_ANSWER = 100_000
# In place of answers, once the automation is saved: the same form sent twice leads to it.
SAVED = "saved as"


def new_token() -> str:
    return secrets.token_urlsafe(9)


def load(session: SessionBase, token: str) -> Answers | None:
    """What was typed into this form so far, None if nothing is known of it."""
    answers = _drafts(session).get(token)
    return {name: list(values) for name, values in answers.items()} if answers is not None else None


def keep(session: SessionBase, token: str, answers: Answers) -> None:
    """Remember what was typed, except for what is too long to be saved anyway: a session is read with every page."""
    drafts = _drafts(session)
    drafts.pop(token, None)
    drafts[token] = {name: values for name, values in answers.items() if sum(map(len, values)) <= LONGEST_ANSWER}
    for oldest in list(drafts)[:-KEPT]:
        del drafts[oldest]
    session[KEY] = drafts


def note_saved(session: SessionBase, token: str, pk: int) -> None:
    """The form became this automation."""
    keep(session, token, {SAVED: [str(pk)]})


def saved_as(answers: Answers | None) -> int | None:
    """The automation that the form became already."""
    return int(answers[SAVED][0]) if answers and SAVED in answers else None


def _drafts(session: SessionBase) -> MutableMapping[str, Any]:
    drafts: MutableMapping[str, Any] = session.get(KEY, {})
    return drafts
