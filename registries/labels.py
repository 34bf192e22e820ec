"""Aliases and tags of versions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from projects.models import User
from registries import protection
from registries.events import ADD_ARTIFACT_ALIAS, announce_artifact
from registries.locking import lock_version
from registries.models import Alias, Artifact, Membership, Tag

ALIAS_SHAPE = re.compile(r"\A[^\s/:\x00-\x1f\x7f]{1,128}\Z")
TAG_SHAPE = re.compile(r"\A[\w-](?:[\w -]{0,126}[\w-])?\Z")
AUTOMATIC_ALIAS = re.compile(r"\A(?:latest|v[0-9]+)\Z")


def validate_alias(name: object) -> None:
    """Refuse what cannot be an alias.

    Raises:
        ValidationError: says what an alias looks like, or that this one is automatic.
    """
    if not isinstance(name, str) or not ALIAS_SHAPE.match(name):
        raise ValidationError(
            f"“{name}” cannot be an alias: use 1 to 128 characters without spaces, “/” and “:”.",
            code="invalid_alias",
        )
    if AUTOMATIC_ALIAS.match(name):
        raise ValidationError(
            f"“{name}” is given automatically (latest, v0, v1, …); choose another alias.",
            code="automatic_alias",
        )


def validate_tag(name: object) -> None:
    """Refuse what cannot be a tag.

    Raises:
        ValidationError: says what a tag looks like.
    """
    if not isinstance(name, str) or not TAG_SHAPE.match(name):
        raise ValidationError(
            f"“{name}” cannot be a tag: use 1 to 128 letters, digits, “-”, “_” and inner spaces.",
            code="invalid_tag",
        )


def add_alias(membership: Membership, name: str, *, by: User | None, at: datetime) -> bool:
    """Give the version this alias, taking it from the version of the collection that had it.

    Returns False, and nothing happens, if this version has it already.

    Raises:
        ValidationError: not an alias.
        PermissionDenied: it is protected.
        Http404: the version was removed meanwhile.
    """
    validate_alias(name)
    protection.require_aliases(by, membership.collection, [name])
    with transaction.atomic():
        membership = lock_version(membership)
        added = place_aliases(membership, [name], at=at)
        announce_aliases(membership, added, by=by, at=at)
    return bool(added)


def place_aliases(membership: Membership, names: Sequence[str], *, at: datetime) -> list[Alias]:
    """Write the aliases the version does not have yet, and announce nothing.

    The caller has locked the collection, so that two moves of one alias do not meet in the middle.
    """
    if not names:
        return []
    own = set(membership.aliases.filter(name__in=names).values_list("name", flat=True))
    fresh = [name for name in names if name not in own]
    Alias.objects.filter(collection=membership.collection_id, name__in=fresh).delete()
    return [
        Alias.objects.create(collection_id=membership.collection_id, membership=membership, name=name, created_at=at)
        for name in fresh
    ]


def announce_aliases(membership: Membership, aliases: Iterable[Alias], *, by: User | None, at: datetime) -> None:
    """One event for each alias that was added."""
    for alias in aliases:
        announce_artifact(
            ADD_ARTIFACT_ALIAS,
            membership,
            dedupe_key=f"alias:{alias.pk}",
            by=by,
            at=at,
            aliases=[alias.name],
            alias=alias.name,
        )


def remove_alias(membership: Membership, name: str, *, by: User | None) -> bool:
    """Take the alias from the version; False if it did not have it.

    Raises:
        PermissionDenied: it is protected.
        Http404: the version was removed meanwhile.
    """
    protection.require_aliases(by, membership.collection, [name])
    with transaction.atomic():
        membership = lock_version(membership)
        deleted, _ = Alias.objects.filter(membership=membership, name=name).delete()
    return deleted > 0


def add_tag(artifact: Artifact, name: str) -> bool:
    """Tag the version; False if it has the tag.

    Raises:
        ValidationError: not a tag.
    """
    validate_tag(name)
    return bool(tag_version(artifact, [name]))


def tag_version(artifact: Artifact, names: Sequence[str]) -> list[str]:
    """Write the tags the version does not have yet, and return those."""
    fresh = []
    for name in names:
        _, created = Tag.objects.get_or_create(artifact=artifact, name=name)
        if created:
            fresh.append(name)
    return fresh


def remove_tag(artifact: Artifact, name: str) -> bool:
    """Take the tag from the version; False if it did not have it."""
    deleted, _ = Tag.objects.filter(artifact=artifact, name=name).delete()
    return deleted > 0
