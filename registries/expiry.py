"""What is not kept for ever: versions whose time has come, and uploads that nobody ended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from registries import versions
from registries.models import Artifact, ArtifactState, CollectionKind, Membership

# Clients try again for minutes; addresses to upload to are good for a day.
ABANDONED_AFTER = timedelta(days=7)


def delete_expired(*, at: datetime) -> int:
    """Delete versions that were to be kept for a time that is over, and uploads nobody ended. Returns how many.

    What is linked somewhere stays: others rely on it.
    """
    expired = list(_expired(at))
    for artifact in expired:
        versions.delete(artifact, with_aliases=True, by=None, at=at)
    abandoned = Artifact.objects.filter(state=ArtifactState.PENDING, created_at__lt=at - ABANDONED_AFTER)
    count = len(expired) + abandoned.count()
    abandoned.delete()
    return count


def _expired(at: datetime) -> Iterator[Artifact]:
    links = Membership.objects.exclude(collection__kind=CollectionKind.SEQUENCE).values("artifact")
    limited = Artifact.objects.filter(state=ArtifactState.COMMITTED, ttl_seconds__isnull=False, created_at__lt=at)
    for artifact in limited.exclude(pk__in=links).select_related("collection"):
        if artifact.expires_at is not None and artifact.expires_at <= at:
            yield artifact
