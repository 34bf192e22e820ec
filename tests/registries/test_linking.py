"""Registries and links: a version gets a number of its own wherever it is linked."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.http import Http404

from projects.events import Fact
from projects.models import Project, Role, User
from registries import access, linking
from registries.access import Permission
from registries.artifacts import HoldsLinks, TypeConflict
from registries.linking import NotALink
from registries.models import Collection, Membership, Registry, RegistryMember
from tests import factories

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def shelf(registry: Registry) -> Collection:
    """An empty collection of the registry."""
    return factories.make_collection(registry)


def test_a_link_has_its_own_number_and_aliases(project: Project, shelf: Collection, alice: User) -> None:
    factories.make_version(project)
    source = factories.make_version(project, aliases=["best"])

    link, is_new = linking.link(source, to=shelf, by=alice, at=AT, aliases=["production"])

    assert is_new
    assert link.is_link
    assert (link.version, source.version) == ("v0", "v1")
    assert (link.alias_names, source.alias_names) == (["production"], ["best"])
    assert link.artifact == source.artifact


def test_a_link_happens_in_the_registry_and_in_the_project(
    project: Project, shelf: Collection, alice: User, facts: list[Fact]
) -> None:
    """SC1, EV1: project, team and organization hear of it, and registry and collection."""
    source = factories.make_version(project)
    facts.clear()
    linking.link(source, to=shelf, by=alice, at=AT, aliases=["production"])

    linked, aliased = facts
    assert linked.kind == "LINK_MODEL"
    assert (linked.scopes.registry, linked.scopes.collection) == (shelf.registry_id, shelf.pk)
    assert (linked.scopes.project, linked.scopes.team) == (project.pk, project.team_id)
    assert linked.details["source"] == "model:v0"
    assert (linked.details["entity"], linked.details["project"]) == ("acme", "models")
    # The alias is the registry's affair.
    assert (aliased.scopes.registry, aliased.scopes.project) == (shelf.registry_id, None)


def test_linking_again_only_adds_aliases(project: Project, shelf: Collection, alice: User, facts: list[Fact]) -> None:
    source = factories.make_version(project)
    first, _ = linking.link(source, to=shelf, by=alice, at=AT)
    facts.clear()

    again, is_new = linking.link(source, to=shelf, by=alice, at=AT, aliases=["production"])

    assert (again, is_new) == (first, False)
    assert [fact.kind for fact in facts] == ["ADD_ARTIFACT_ALIAS"]


@pytest.mark.django_db(transaction=True)
def test_many_links_at_once_get_numbers_without_gaps_and_no_doubles() -> None:
    alice = factories.make_user()
    shelf = factories.make_collection()
    sources = [factories.make_version() for _ in range(5)]

    def link(source: Membership) -> None:
        try:
            linking.link(source, to=Collection.objects.get(pk=shelf.pk), by=alice, at=AT)
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(link, sources * 2))

    assert sorted(shelf.memberships.values_list("version_index", flat=True)) == [0, 1, 2, 3, 4]


def test_only_fitting_versions_are_linked(project: Project, shelf: Collection, alice: User) -> None:
    dataset = factories.make_version(project, collection="train", type="dataset")
    model = factories.make_version(project)

    with pytest.raises(TypeConflict, match="holds artifacts of type model, not dataset"):
        linking.link(dataset, to=shelf, by=alice, at=AT)
    with pytest.raises(HoldsLinks, match="logged, not linked"):
        linking.link(model, to=dataset.collection, by=alice, at=AT)
    with pytest.raises(ValidationError, match="automatically"):
        linking.link(model, to=shelf, by=alice, at=AT, aliases=["good", "latest"])

    assert not shelf.memberships.exists()


def test_a_version_is_linked_to_another_project_of_the_organization(
    project: Project, alice: User, facts: list[Fact]
) -> None:
    """A link to a project happens there; its collection takes no logged versions."""
    source = factories.make_version(project)
    shared = factories.make_project(factories.make_team("serving", admin=alice), "shared")
    facts.clear()

    link, is_new = linking.link_by_name(source, to=shared, name="best", by=alice, at=AT, aliases=["live"])
    again, is_new_again = linking.link_by_name(source, to=shared, name="best", by=alice, at=AT)

    assert (str(link), is_new, again, is_new_again) == ("serving/shared/best:v0", True, link, False)
    assert [fact.kind for fact in facts] == ["LINK_MODEL", "ADD_ARTIFACT_ALIAS"]
    assert (facts[0].scopes.project, facts[0].scopes.collection) == (shared.pk, link.collection_id)
    with pytest.raises(HoldsLinks, match="linked, not logged"):
        factories.make_version(shared, collection="best")


def test_a_link_that_is_refused_leaves_no_collection_behind(project: Project, alice: User) -> None:
    source = factories.make_version(project)
    stranger = factories.make_project(factories.make_team("other", factories.make_organization("elsewhere")), "p")

    with pytest.raises(ValidationError, match="is not of the organization"):
        linking.link_by_name(source, to=stranger, name="best", by=alice, at=AT)

    assert not Collection.objects.filter(name="best").exists()


def test_a_removed_link_is_announced_and_the_version_stays(
    project: Project, shelf: Collection, alice: User, facts: list[Fact]
) -> None:
    source = factories.make_version(project)
    link = factories.make_link(source, shelf, aliases=["production"])
    facts.clear()

    linking.unlink(link, by=alice, at=AT)

    (fact,) = facts
    assert (fact.kind, fact.facts["alias"], fact.artifact_id) == ("UNLINK_ARTIFACT", ["production"], source.artifact_id)
    assert not shelf.memberships.exists()
    assert Membership.objects.get() == source
    # Linking it once more is another occurrence, with the next number.
    assert factories.make_link(source, shelf).version == "v1"


def test_where_a_version_was_logged_it_cannot_be_unlinked(project: Project, alice: User) -> None:
    with pytest.raises(NotALink, match="was logged here"):
        linking.unlink(factories.make_version(project), by=alice, at=AT)


def test_whoever_makes_a_registry_is_its_admin(project: Project, bob: User) -> None:
    registry = linking.create_registry(factories.make_organization(), "datasets", by=bob)

    assert RegistryMember.objects.get(registry=registry).user == bob
    with pytest.raises(ValidationError):
        linking.create_registry(factories.make_organization(), "datasets", by=bob)
    with pytest.raises(ValidationError):
        linking.create_registry(factories.make_organization(), "a/b", by=bob)


@pytest.mark.parametrize(
    ("who", "link", "settings"),
    [
        ("stranger", Http404, Http404),
        ("view-only in a team", PermissionDenied, PermissionDenied),
        ("member of a team", None, PermissionDenied),
        ("admin of a team", None, PermissionDenied),
        ("view-only here", PermissionDenied, PermissionDenied),
        ("admin here", None, None),
        ("organization member", None, PermissionDenied),
        ("organization admin", None, None),
        ("operator", None, None),
    ],
)
def test_each_role_may_what_the_table_says(
    registry: Registry, who: str, link: type[Exception] | None, settings: type[Exception] | None
) -> None:
    """Spec §8: members link and automate in a registry; its admins and the organization's change it."""
    charlie = factories.make_user("charlie", superuser=who == "operator")
    if who.endswith("team"):
        role = {"view-only in a team": "viewer", "member of a team": "member", "admin of a team": "admin"}[who]
        members: dict[str, Any] = {role: charlie}
        factories.make_team(**members)
    elif who.endswith("here"):
        role = Role.ADMIN if who.startswith("admin") else Role.VIEW_ONLY
        RegistryMember.objects.create(registry=registry, user=charlie, role=role)
    elif who.startswith("organization"):
        members = {who.removeprefix("organization "): charlie}
        factories.make_organization(**members)

    for permission, refusal in (
        (Permission.LINK, link),
        (Permission.EDIT_AUTOMATIONS, link),
        (Permission.EDIT_SETTINGS, settings),
    ):
        if refusal is None:
            access.require(charlie, permission, registry)
        else:
            with pytest.raises(refusal):
                access.require(charlie, permission, registry)
    visible = link is not Http404
    assert Registry.objects.visible_to(charlie).filter(pk=registry.pk).exists() is visible


def test_a_strangers_registry_looks_missing(registry: Registry, charlie: User) -> None:
    """AZ1."""
    with pytest.raises(Http404) as hidden:
        access.registry_for(charlie, "acme", "models")
    with pytest.raises(Http404) as missing:
        access.registry_for(charlie, "acme", "nothing")

    assert str(hidden.value).replace("models", "nothing") == str(missing.value)


def test_a_linked_version_is_visible_to_those_who_see_the_registry_only(
    project: Project, shelf: Collection, charlie: User
) -> None:
    source = factories.make_version(project)
    factories.make_link(source, shelf)
    factories.make_organization("acme", member=charlie)

    assert source.artifact in type(source.artifact).objects.visible_to(charlie)
    assert not Collection.objects.visible_to(charlie).filter(pk=source.collection_id).exists()


@pytest.mark.django_db
def test_a_version_of_another_organization_is_not_linked() -> None:
    elsewhere = factories.make_team("elsewhere-team", factories.make_organization("elsewhere"))
    version = factories.make_version(factories.make_project(elsewhere))
    with pytest.raises(ValidationError, match="not of the organization of acme/models"):
        factories.make_link(version, factories.make_collection())


@pytest.mark.django_db
def test_a_version_of_a_personal_project_may_be_linked() -> None:
    alice = factories.make_user()
    version = factories.make_version(factories.make_project(alice.personal_team))
    assert factories.make_link(version, factories.make_collection()).is_link
