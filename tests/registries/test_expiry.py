"""What is not kept for ever goes when its time has come, and nothing else does."""

from datetime import UTC, datetime, timedelta

from projects.models import Project, User
from registries import expiry, versions
from registries.models import Artifact, ArtifactState, Registry
from tests import factories, uploading

AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_versions_go_when_their_time_has_come(project: Project, registry: Registry, alice: User) -> None:
    short, long, for_ever, linked = (factories.make_version(project, at=AT, aliases=[name]) for name in "abcd")
    for version, seconds in ((short, 60), (long, 120), (linked, 60)):
        versions.update(version, by=alice, at=AT, ttl_seconds=seconds)
    factories.make_link(linked, factories.make_collection(registry))

    assert expiry.delete_expired(at=AT + timedelta(seconds=59)) == 0
    assert expiry.delete_expired(at=AT + timedelta(seconds=60)) == 1
    assert expiry.delete_expired(at=AT + timedelta(seconds=60)) == 0

    left = set(Artifact.objects.filter(state=ArtifactState.COMMITTED))
    assert left == {long.artifact, for_ever.artifact, linked.artifact}


def test_a_lifetime_beyond_the_calendar_is_for_ever_and_keeps_nothing_else_alive(project: Project, alice: User) -> None:
    endless, short = (factories.make_version(project, at=AT, aliases=[name]) for name in "ab")
    versions.update(endless, by=alice, at=AT, ttl_seconds=2**53 - 1)
    versions.update(short, by=alice, at=AT, ttl_seconds=60)

    assert expiry.delete_expired(at=AT + timedelta(days=1)) == 1
    assert Artifact.objects.get(state=ArtifactState.COMMITTED) == endless.artifact
    endless.artifact.refresh_from_db()
    assert endless.artifact.expires_at is None


def test_uploads_that_nobody_ends_are_dropped(project: Project, alice: User) -> None:
    begun = uploading.begin(project, by=alice)
    uploading.send_files(begun, {"w": b"12"})

    assert expiry.delete_expired(at=begun.created_at + timedelta(days=6)) == 0
    assert expiry.delete_expired(at=begun.created_at + timedelta(days=8)) == 1
    assert not Artifact.objects.exists()
