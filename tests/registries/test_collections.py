"""Collections are described, renamed, moved to another type, deleted."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from projects import storage
from projects.events import Fact
from projects.models import Blob, Project, User
from registries import collections, curation
from registries.artifacts import HoldsLinks
from registries.collections import LinkedElsewhere
from registries.models import Artifact, Collection, Membership, Registry
from tests import factories, uploading

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def version(project: Project, alice: User) -> Membership:
    """A version with a file."""
    return uploading.log(project, {"weights.bin": b"0101"}, by=alice)


@pytest.fixture
def link(registry: Registry, version: Membership, alice: User) -> Membership:
    """The same version in a registry."""
    return factories.make_link(version, factories.make_collection(registry), user=alice, aliases=["production"])


def test_a_collection_is_described_and_renamed(version: Membership) -> None:
    factories.make_version(version.collection.project, "other")
    collections.update(version.collection, description="All of them")
    collections.update(version.collection, name="net")

    found = Collection.objects.get(pk=version.collection_id)
    assert (found.name, found.description) == ("net", "All of them")
    with pytest.raises(ValidationError, match="There is a collection “other” in research/digits already"):
        collections.update(found, name="other")
    with pytest.raises(ValidationError, match="may not contain"):
        collections.update(found, name="a/b")


def test_versions_change_their_type_with_their_collection(version: Membership) -> None:
    collections.move(version.collection, to_type="network")
    assert Collection.objects.get().type == "network"
    with pytest.raises(ValidationError, match="may not contain"):
        collections.move(version.collection, to_type="a:b")


def test_what_is_linked_keeps_its_type(link: Membership, version: Membership) -> None:
    with pytest.raises(LinkedElsewhere, match="linked elsewhere as model"):
        collections.move(version.collection, to_type="network")
    with pytest.raises(HoldsLinks):
        collections.move(link.collection, to_type="network")


def test_a_deleted_collection_of_links_unlinks_its_versions(
    link: Membership, version: Membership, bob: User, alice: User, facts: list[Fact]
) -> None:
    curation.protect_alias(link.collection.registry, "production", by=None)
    facts.clear()
    with pytest.raises(PermissionDenied):
        collections.delete(link.collection, by=bob, at=AT)

    collections.delete(link.collection, by=alice, at=AT)

    assert [fact.kind for fact in facts] == ["UNLINK_ARTIFACT"]
    assert list(Membership.objects.all()) == [version]
    assert Artifact.objects.count() == 1


def test_a_deleted_collection_takes_its_versions_along(
    link: Membership, version: Membership, alice: User, facts: list[Fact]
) -> None:
    shelf = link.collection
    facts.clear()

    collections.delete(version.collection, by=alice, at=AT)

    assert [(fact.kind, fact.details["collection"]) for fact in facts] == [("UNLINK_ARTIFACT", "classifier")]
    assert list(Collection.objects.all()) == [shelf]
    assert not Artifact.objects.exists()
    assert storage.release_unused() == 2
    assert not Blob.objects.exists()
