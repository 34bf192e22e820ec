"""What a registry accepts, who sees it, and which aliases only its admins move."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError

from projects.models import Project, Role, User
from registries import access, curation, labels, linking, listing
from registries.access import Permission
from registries.models import Alias, Collection, CollectionKind, Membership, Registry, RegistryMember, Visibility
from tests import factories

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def shelf(registry: Registry) -> Collection:
    """A collection of the registry, in which “production” is protected."""
    curation.protect_alias(registry, "production", by=None)
    return factories.make_collection(registry)


@pytest.fixture
def link(project: Project, shelf: Collection, alice: User) -> Membership:
    """A version in the shelf that is in production."""
    return factories.make_link(factories.make_version(project), shelf, user=alice, aliases=["production"])


def test_a_type_that_the_registry_does_not_accept_is_refused(project: Project, registry: Registry, alice: User) -> None:
    curation.change_registry(registry, accepts_all_types=False, accept=["model", "model"])
    dataset = factories.make_version(project, "train", "dataset")

    with pytest.raises(ValidationError, match=r"does not accept artifacts of type “dataset”. It accepts: “model”"):
        linking.link_by_name(dataset, to=registry, name="train", by=alice, at=AT)
    with pytest.raises(ValidationError, match="does not accept"):
        linking.create_collection(registry, "train", type="dataset")
    linking.link_by_name(factories.make_version(project), to=registry, name="model", by=alice, at=AT)

    curation.change_registry(registry, accept=["dataset"])
    linking.link_by_name(dataset, to=registry, name="train", by=alice, at=AT)


def test_a_bad_option_changes_nothing(registry: Registry) -> None:
    with pytest.raises(ValidationError, match="secret"):
        curation.change_registry(registry, visibility="secret")
    registry.refresh_from_db()
    with pytest.raises(ValidationError, match="control characters"):
        curation.change_registry(registry, description="New", accept=["a/b"])

    registry.refresh_from_db()
    assert (registry.description, registry.visibility) == ("", Visibility.ORGANIZATION)


def test_a_restricted_registry_exists_for_its_members_only(registry: Registry, alice: User, bob: User) -> None:
    """AZ1; admins of the organization see all of them."""
    chief = factories.make_user("chief")
    factories.make_organization(admin=chief)
    curation.change_registry(registry, visibility=Visibility.RESTRICTED)

    assert registry in Registry.objects.visible_to(alice)
    assert registry in Registry.objects.visible_to(chief)
    assert registry not in Registry.objects.visible_to(bob)
    assert access.role_in(bob, registry) is None
    assert not listing.registries_open_to(bob).exists()

    RegistryMember.objects.create(registry=registry, user=bob, role=Role.VIEW_ONLY)
    assert access.role_in(bob, registry) is Role.VIEW_ONLY
    assert not listing.registries_open_to(bob).exists()
    assert not access.may(bob, Permission.LINK, registry)


def test_a_protected_alias_is_not_for_members(project: Project, link: Membership, bob: User) -> None:
    other = factories.make_version(project)

    for attempt in (
        lambda: labels.add_alias(link, "production", by=bob, at=AT),
        lambda: labels.remove_alias(link, "production", by=bob),
        lambda: linking.link(other, to=link.collection, by=bob, at=AT, aliases=["fine", "production"]),
        lambda: linking.unlink(link, by=bob, at=AT),
    ):
        with pytest.raises(PermissionDenied, match="“production” in acme/models: only admins of the registry"):
            attempt()

    assert Alias.objects.get(name="production").membership == link
    assert labels.add_alias(link, "fine", by=bob, at=AT)


def test_admins_of_the_registry_and_above_move_protected_aliases(
    project: Project, link: Membership, alice: User
) -> None:
    chief = factories.make_user("chief")
    factories.make_organization(admin=chief)
    other = factories.make_version(project)

    newer, _ = linking.link(other, to=link.collection, by=chief, at=AT, aliases=["production"])
    assert labels.remove_alias(newer, "production", by=factories.make_user("root", superuser=True))
    assert labels.add_alias(link, "production", by=alice, at=AT)


def test_what_is_protected_in_a_registry_is_free_elsewhere(project: Project, shelf: Collection, bob: User) -> None:
    version = factories.make_version(project)

    assert labels.add_alias(version, "production", by=bob, at=AT)
    assert curation.unprotect_alias(shelf.registry, "production", by=None)
    assert not curation.unprotect_alias(shelf.registry, "production", by=None)
    linking.link(version, to=shelf, by=bob, at=AT, aliases=["production"])


@pytest.mark.parametrize("name", ["latest", "v3", "no spaces"])
def test_only_what_can_be_an_alias_is_protected(registry: Registry, name: str) -> None:
    with pytest.raises(ValidationError):
        curation.protect_alias(registry, name, by=None)


def test_the_database_keeps_logged_versions_out_of_registries(registry: Registry) -> None:
    with pytest.raises(IntegrityError, match="collections_of_registries_hold_links"):
        Collection.objects.create(registry=registry, name="m", type="model", kind=CollectionKind.SEQUENCE)
