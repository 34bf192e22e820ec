"""Versions that were logged are edited and deleted; what that means where they are linked."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404

from projects import storage
from projects.events import Fact
from projects.models import Blob, Project, User
from registries import access, commits, curation, versions
from registries.models import Artifact, ArtifactState, Collection, Membership, Registry
from registries.uploads import NotPending
from registries.versions import HasAliases
from tests import factories, uploading

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def version(project: Project, alice: User) -> Membership:
    """A version with a file."""
    return uploading.log(project, {"weights.bin": b"0101"}, by=alice)


def fresh(version: Membership) -> Artifact:
    return Artifact.objects.get(pk=version.artifact_id)


def test_one_edit_changes_what_it_names(version: Membership, alice: User, facts: list[Fact]) -> None:
    factories.make_version(version.collection.project)
    versions.update(
        version,
        by=alice,
        at=AT,
        description="Better",
        metadata={"acc": float("nan")},
        ttl_seconds=3600,
        tags_to_add=["good", "new"],
        tags_to_remove=["never there"],
    )
    found = fresh(version)
    assert (found.description, found.metadata, found.ttl_seconds) == ("Better", {"acc": "NaN"}, 3600)
    assert sorted(tag.name for tag in found.tags.all()) == ["good", "new"]

    facts.clear()
    versions.update(version, by=alice, at=AT, ttl_seconds=0, tags_to_remove=["new"])
    found = fresh(version)
    assert (found.description, found.ttl_seconds) == ("Better", None)
    assert [(fact.kind, fact.facts["tag"]) for fact in facts] == [("REMOVE_ARTIFACT_TAG", ["new"])]


def test_a_bad_edit_changes_nothing(version: Membership, alice: User) -> None:
    for wrong in ({"metadata": {"a": "\x00"}}, {"ttl_seconds": -5}, {"tags_to_add": ["a/b"]}):
        with pytest.raises(ValidationError):
            versions.update(version, by=alice, at=AT, description="Changed", **wrong)
        version = access.version_for(version.collection, "v0")
    assert fresh(version).description == ""


def test_a_version_with_aliases_is_deleted_only_with_them(
    project: Project, version: Membership, alice: User, bob: User
) -> None:
    newer = factories.make_version(project, aliases=["best"])
    with pytest.raises(HasAliases, match=r"research/digits/model has aliases: best"):
        versions.delete(newer.artifact, with_aliases=False, by=bob, at=AT)

    versions.delete(newer.artifact, with_aliases=True, by=bob, at=AT)
    versions.delete(newer.artifact, with_aliases=False, by=bob, at=AT)  # again

    assert fresh(newer).state == ArtifactState.DELETED
    with pytest.raises(Http404):
        access.version_for(newer.collection, "best")
    assert access.version_for(newer.collection, "latest") == version
    assert factories.make_version(project).version == "v2", "numbers are not given twice"


def test_a_deleted_version_leaves_nothing_to_find(version: Membership, alice: User) -> None:
    versions.delete(version.artifact, with_aliases=False, by=alice, at=AT)

    assert not Artifact.objects.visible_to(alice).exists()
    assert storage.release_unused() == 2
    assert not Blob.objects.exists()
    with pytest.raises(Http404):
        access.begun_version(alice, version.artifact_id)
    with pytest.raises(NotPending, match="was deleted"):
        commits.commit(fresh(version), by=alice, at=AT)


def test_deleting_a_version_removes_its_links(
    registry: Registry, version: Membership, alice: User, bob: User, facts: list[Fact]
) -> None:
    """Whoever watches the registry hears that the version is gone; its protected aliases are not for members."""
    shelf = factories.make_collection(registry)
    factories.make_link(version, shelf, user=alice, aliases=["production"])
    curation.protect_alias(registry, "production", by=None)
    facts.clear()

    with pytest.raises(PermissionDenied, match="production"):
        versions.delete(version.artifact, with_aliases=True, by=bob, at=AT)
    assert (Membership.objects.count(), facts) == (2, [])

    versions.delete(version.artifact, with_aliases=True, by=alice, at=AT)
    assert [(fact.kind, fact.scopes.registry) for fact in facts] == [("UNLINK_ARTIFACT", registry.pk)]
    assert not Membership.objects.exists()
    assert Collection.objects.count() == 2
