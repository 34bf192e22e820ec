"""Roles by the words of the client."""

from __future__ import annotations

from projects.models import Role
from wandb_gateway.refusals import Unsupported

WORDS = {Role.ADMIN: "admin", Role.MEMBER: "member", Role.VIEW_ONLY: "viewer"}


def word(role: str) -> str:
    """What the client calls a role."""
    return WORDS[Role(role)]


def meant(text: str) -> Role:
    """The role that a word of the client means.

    Raises:
        Unsupported: there is no such role here.
    """
    for role, known in WORDS.items():
        if known == text:
            return role
    raise Unsupported(f"There is no role “{text[:40]}” on this server. Use {', '.join(WORDS.values())}.")
