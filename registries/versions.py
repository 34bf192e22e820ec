"""Changing and deleting versions that were logged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from projects.jsonvalues import check_size, storable
from projects.models import User
from registries import labels, protection
from registries.access import with_facts
from registries.events import UNLINK_ARTIFACT, announce_artifact
from registries.locking import lock_collection
from registries.models import Artifact, ArtifactFile, ArtifactManifest, ArtifactState, Collection, Membership


class HasAliases(Exception):
    """A version that has aliases is deleted only if they are to go with it."""

    def __init__(self, artifact: Artifact, names: Sequence[str]) -> None:
        super().__init__(
            f"A version of {artifact.collection} has aliases: {', '.join(names)}. Remove them first, or delete it with"
            " its aliases (delete_aliases=True)."
        )


def update(
    membership: Membership,
    *,
    by: User,
    at: datetime,
    description: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    ttl_seconds: int | None = None,
    tags_to_add: Sequence[str] = (),
    tags_to_remove: Sequence[str] = (),
) -> None:
    """Change what is given of a version, as seen in this collection. The metadata is replaced; it is kept for
    `ttl_seconds` after it was logged, 0 being for ever.

    Raises:
        ValidationError: by field, or a tag is none.
        Http404: the version was removed meanwhile.
    """
    artifact = membership.artifact
    if description is not None:
        artifact.description = description
    if metadata is not None:
        artifact.metadata = _checked(metadata)
    if ttl_seconds is not None:
        artifact.ttl_seconds = _lifetime(ttl_seconds)
    with transaction.atomic():
        artifact.save(update_fields=["description", "metadata", "ttl_seconds", "updated_at"])
        labels.tag_version(membership, tags_to_add, by=by, at=at)
        for name in tags_to_remove:
            labels.remove_tag(membership, name, by=by, at=at)


def _lifetime(seconds: int) -> int | None:
    if not 0 <= seconds < 2**53:
        raise ValidationError({"ttl": "A version is kept for one second or more; 0 means for ever."})
    return seconds or None


def delete(artifact: Artifact, *, with_aliases: bool, by: User | None, at: datetime) -> None:
    """Delete the version wherever it is, with its files. Deleting it again changes nothing.

    Raises:
        HasAliases: it has some, and they are not to go with it.
        PermissionDenied: it has a protected alias.
        Http404: a collection it is in was deleted meanwhile.
    """
    with transaction.atomic():
        memberships = lock_memberships(Membership.objects.filter(artifact=artifact))
        names = sorted({name for membership in memberships for name in membership.alias_names})
        if names and not with_aliases:
            raise HasAliases(artifact, names)
        take_out(memberships, by=by, at=at)
        ArtifactFile.objects.filter(artifact=artifact).delete()
        ArtifactManifest.objects.filter(artifact=artifact).delete()
        artifact.state = ArtifactState.DELETED
        artifact.save(update_fields=["state", "updated_at"])


def lock_memberships(memberships: QuerySet[Membership], *, also: Collection | None = None) -> list[Membership]:
    """These places of versions, whose collections are held until the caller's transaction ends."""
    collections = set(memberships.values_list("collection", flat=True)) | ({also.pk} if also else set())
    # In one order, so that two who do this at once do not wait for each other.
    for pk in sorted(collections):
        lock_collection(pk)
    return list(with_facts(memberships))


def take_out(memberships: Sequence[Membership], *, by: User | None, at: datetime) -> None:
    """Remove versions from collections; whoever watches a collection they were linked to hears of it.

    Raises:
        PermissionDenied: one has a protected alias.
    """
    for membership in memberships:
        protection.require_aliases(by, membership.collection, membership.alias_names)
    for membership in memberships:
        if membership.is_link:
            announce_artifact(UNLINK_ARTIFACT, membership, dedupe_key=f"unlink:{membership.pk}", by=by, at=at)
    Membership.objects.filter(pk__in=[membership.pk for membership in memberships]).delete()


def _checked(metadata: Mapping[str, Any]) -> dict[str, Any]:
    try:
        kept: dict[str, Any] = storable(dict(metadata))
        check_size(kept)
    except ValidationError as error:
        raise ValidationError({"metadata": error.messages}) from error
    return kept
