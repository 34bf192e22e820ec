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
from registries import protection
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
    artifact: Artifact, *, description: str | None = None, metadata: Mapping[str, Any] | None = None
) -> Artifact:
    """Change what is given. The metadata is replaced.

    Raises:
        ValidationError: by field.
    """
    if description is not None:
        artifact.description = description
    if metadata is not None:
        artifact.metadata = _checked(metadata)
    artifact.save(update_fields=["description", "metadata", "updated_at"])
    return artifact


def keep_for(artifact: Artifact, seconds: int | None) -> Artifact:
    """Say how long the version is to be kept after it was logged; None is for ever.

    Raises:
        ValidationError: not a time.
    """
    if seconds is not None and not 0 < seconds < 2**53:
        raise ValidationError({"ttl": "A version is kept for one second or more."})
    artifact.ttl_seconds = seconds
    artifact.save(update_fields=["ttl_seconds", "updated_at"])
    return artifact


def delete(artifact: Artifact, *, with_aliases: bool, by: User, at: datetime) -> None:
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


def take_out(memberships: Sequence[Membership], *, by: User, at: datetime) -> None:
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
