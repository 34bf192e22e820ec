"""Ids as the client sees them: base64 of `<Kind>:<number>`. It decodes some of them, so their form is fixed."""

from __future__ import annotations

import base64
import binascii
import re

from projects.models import Organization, Team

# Organizations and teams are both entities to the client, which knows them by one number: those of organizations
# begin here. Numbers stay below 2**53, beyond which JSON readers lose digits.
FIRST_ORGANIZATION = 1_000_000_000_000
SHAPE = re.compile(r"\A([A-Za-z]+):([0-9]{1,15})\Z")


class UnknownId(Exception):
    """No such thing: the id is malformed, or of another kind."""

    def __init__(self, text: str, kinds: tuple[str, ...]) -> None:
        super().__init__(f"“{text[:80]}” is not the id of {' or '.join(kinds)}.")


def encode(kind: str, number: int) -> str:
    """The id of a thing by its kind and primary key."""
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


def of_text(kind: str, text: str) -> str:
    """The id of something that is no row of its own; nobody sends it back."""
    return base64.b64encode(f"{kind}:{text}".encode()).decode()


def decode(text: str, *kinds: str) -> tuple[str, int]:
    """The kind and the number in an id, which must be of one of these kinds.

    Raises:
        UnknownId: it is not.
    """
    try:
        found = SHAPE.match(base64.b64decode(text, validate=True).decode())
    except (binascii.Error, ValueError):
        found = None
    if found is None or found[1] not in kinds:
        raise UnknownId(text, kinds)
    return found[1], int(found[2])


def number(text: str, kind: str) -> int:
    """The number in an id of this kind.

    Raises:
        UnknownId: it is none.
    """
    return decode(text, kind)[1]


def of_entity(entity: Team | Organization) -> str:
    """The id of a team or of an organization, which share one sequence of numbers."""
    offset = FIRST_ORGANIZATION if isinstance(entity, Organization) else 0
    return encode("Entity", entity.pk + offset)


def entity(text: str) -> tuple[type[Team | Organization], int]:
    """The model and primary key of an entity's id.

    Raises:
        UnknownId: it is none.
    """
    found = number(text, "Entity")
    if found >= FIRST_ORGANIZATION:
        return Organization, found - FIRST_ORGANIZATION
    return Team, found
