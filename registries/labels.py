"""Aliases and tags of versions, and tags of whole collections."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from projects.models import User
from registries import protection
from registries.events import (
    ADD_ARTIFACT_ALIAS,
    ADD_ARTIFACT_TAG,
    ADD_COLLECTION_TAG,
    REMOVE_ARTIFACT_TAG,
    REMOVE_COLLECTION_TAG,
    announce_artifact,
    announce_collection,
)
from registries.locking import lock_collection, lock_version
from registries.models import Alias, Artifact, Collection, CollectionTag, Membership, Tag

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
            _("“%(name)s” cannot be an alias: use 1 to 128 characters without spaces, “/” and “:”.") % {"name": name},
            code="invalid_alias",
        )
    if AUTOMATIC_ALIAS.match(name):
        raise ValidationError(
            _("“%(name)s” is given automatically (latest, v0, v1, …); choose another alias.") % {"name": name},
            code="automatic_alias",
        )


def validate_tag(name: object) -> None:
    """Refuse what cannot be a tag.

    Raises:
        ValidationError: says what a tag looks like.
    """
    if not isinstance(name, str) or not TAG_SHAPE.match(name):
        raise ValidationError(
            _("“%(name)s” cannot be a tag: use 1 to 128 letters, digits, “-”, “_” and inner spaces.") % {"name": name},
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


def add_tag(membership: Membership, name: str, *, by: User | None, at: datetime) -> bool:
    """Tag the version, as seen in this collection.

    Returns False, and nothing happens, if it has the tag already.

    Raises:
        ValidationError: not a tag.
        Http404: the version was removed meanwhile.
    """
    return bool(tag_version(membership, [name], by=by, at=at))


def remove_tag(membership: Membership, name: str, *, by: User | None, at: datetime) -> bool:
    """Take the tag from the version, as seen in this collection; False if it did not have it.

    Raises:
        Http404: the version was removed meanwhile.
    """
    with transaction.atomic():
        membership = lock_version(membership)
        tag = Tag.objects.filter(artifact=membership.artifact_id, name=name).first()
        # Linked elsewhere, the version may be untagged there in this moment: what counts is who deletes the row.
        if tag is None or not Tag.objects.filter(pk=tag.pk).delete()[0]:
            return False
        announce_tags(REMOVE_ARTIFACT_TAG, membership, [tag], by=by, at=at)
    return True


def tag_version(membership: Membership, names: Sequence[str], *, by: User | None, at: datetime) -> list[str]:
    """Give the version these tags, and return those it did not have yet.

    Raises:
        ValidationError: one of them is not a tag.
        Http404: the version was removed meanwhile.
    """
    for name in names:
        validate_tag(name)
    with transaction.atomic():
        membership = lock_version(membership)
        placed = place_tags(membership.artifact, names)
        announce_tags(ADD_ARTIFACT_TAG, membership, placed, by=by, at=at)
    return [tag.name for tag in placed]


def place_tags(artifact: Artifact, names: Iterable[str]) -> list[Tag]:
    """Write the tags the version does not have yet, and announce nothing."""
    made = [Tag.objects.get_or_create(artifact=artifact, name=name) for name in dict.fromkeys(names)]
    return [tag for tag, is_new in made if is_new]


def announce_tags(kind: str, membership: Membership, tags: Iterable[Tag], *, by: User | None, at: datetime) -> None:
    """One event for each tag that was added or removed."""
    for tag in tags:
        announce_artifact(
            kind,
            membership,
            dedupe_key=f"{kind}:{tag.pk}",
            by=by,
            at=at,
            tags=[tag.name],
            tag=tag.name,
        )


def tag_collection(collection: Collection, names: Sequence[str], *, by: User | None, at: datetime) -> list[str]:
    """Give the collection these tags, and return those it did not have yet.

    Raises:
        ValidationError: one of them is not a tag.
        Http404: the collection was deleted meanwhile.
    """
    for name in names:
        validate_tag(name)
    with transaction.atomic():
        collection = lock_collection(collection.pk)
        made = [CollectionTag.objects.get_or_create(collection=collection, name=name) for name in dict.fromkeys(names)]
        placed = [tag for tag, is_new in made if is_new]
        _announce_collection_tags(ADD_COLLECTION_TAG, collection, placed, by=by, at=at)
    return [tag.name for tag in placed]


def untag_collection(collection: Collection, names: Sequence[str], *, by: User | None, at: datetime) -> list[str]:
    """Take these tags from the collection, and return those it had.

    Raises:
        Http404: the collection was deleted meanwhile.
    """
    with transaction.atomic():
        collection = lock_collection(collection.pk)
        found = CollectionTag.objects.filter(collection=collection, name__in=names)
        removed = list(found)
        found.delete()
        _announce_collection_tags(REMOVE_COLLECTION_TAG, collection, removed, by=by, at=at)
    return [tag.name for tag in removed]


def _announce_collection_tags(
    kind: str, collection: Collection, tags: Iterable[CollectionTag], *, by: User | None, at: datetime
) -> None:
    for tag in tags:
        announce_collection(kind, collection, tag=tag.name, dedupe_key=f"{kind}:{tag.pk}", by=by, at=at)
