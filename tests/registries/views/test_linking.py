"""The dialog that links a version to a registry's collection: versions are found in every project one may see."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from projects.models import Project, User
from registries import labels
from registries.models import Collection, Membership, Registry
from tests import factories

FOUND = {"HX-Request": "true", "HX-Target": "found-versions"}


@pytest.fixture
def shelf(registry: Registry) -> Collection:
    return factories.make_collection(registry, "shelf")


@pytest.fixture
def model(project: Project) -> Membership:
    return factories.make_version(project, "classifier")


def address(shelf: Collection) -> str:
    return reverse("registries:link_into", args=["acme", "models", shelf.name])


def names(client: Client, shelf: Collection, search: str = "") -> list[str]:
    answer = client.get(address(shelf), {"search": search}, headers=FOUND)
    return [name for _, name, _ in answer.context["found"]]


def test_the_newest_versions_of_the_type_are_offered_first(
    client: Client, project: Project, model: Membership, shelf: Collection, bob: User
) -> None:
    factories.make_version(project, "images", "dataset")
    newer = factories.make_version(factories.make_project(project.team, "other"), "segmenter")
    client.force_login(bob)
    page = client.get(address(shelf), headers={"HX-Request": "true"})

    assert [name for _, name, _ in page.context["found"]] == [str(newer), str(model)]
    assert f'value="{model}"' in page.content.decode()


def test_words_of_the_search_are_names_aliases_and_numbers(
    client: Client, project: Project, model: Membership, shelf: Collection, bob: User
) -> None:
    labels.add_alias(model, "candidate", by=None, at=model.created_at)
    newer = factories.make_version(project, "classifier")
    client.force_login(bob)

    assert names(client, shelf, "CLASS") == [str(newer), str(model)]
    assert names(client, shelf, "class v1") == [str(newer)]
    assert names(client, shelf, "candi") == [str(model)]
    assert names(client, shelf, "research/digits/classifier:v0") == [str(model)]
    assert names(client, shelf, "digits nothing") == []


def test_what_one_may_not_see_or_link_is_not_found(
    client: Client, model: Membership, shelf: Collection, bob: User, charlie: User
) -> None:
    """AZ1; and links stay within an organization, but for what is in somebody's own projects."""
    factories.make_version(factories.make_project(charlie.personal_team, "hidden"), "hidden", user=charlie)
    elsewhere = factories.make_team("elsewhere", factories.make_organization("other"), member=bob)
    factories.make_version(factories.make_project(elsewhere), "of another organization")
    own = factories.make_version(factories.make_project(bob.personal_team, "own"), "own", user=bob)
    client.force_login(bob)

    assert names(client, shelf) == [str(own), str(model)]


def test_a_version_that_is_picked_is_linked(client: Client, model: Membership, shelf: Collection, bob: User) -> None:
    client.force_login(bob)
    client.post(address(shelf), {"version": str(model), "search": "class", "aliases": "staging"})
    assert shelf.memberships.get().artifact_id == model.artifact_id
    (_, _, there) = client.get(address(shelf), headers=FOUND).context["found"][0]
    assert there.version == "v0"
    assert "linked as v0 already" in client.get(address(shelf), headers=FOUND).content.decode()


def test_what_was_typed_is_linked_if_it_names_a_version(
    client: Client, model: Membership, shelf: Collection, bob: User
) -> None:
    client.force_login(bob)
    assert client.post(address(shelf), {"search": "research/digits/classifier:latest"}).status_code == 302
    assert shelf.memberships.count() == 1
    refused = client.post(address(shelf), {"search": "classifier"})
    assert refused.status_code == 422
    assert "names no version" in refused.content.decode()
    assert "Choose the version to link." in client.post(address(shelf), {"search": ""}).content.decode()


def test_finding_takes_few_queries_however_much_is_found(
    client: Client,
    project: Project,
    shelf: Collection,
    bob: User,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(15):
        labels.add_alias(factories.make_version(project, f"n{number}"), "a", by=None, at=project.created_at)
    client.force_login(bob)
    with django_assert_max_num_queries(14):
        answer = client.get(address(shelf), {"search": "n a"}, headers=FOUND)
    assert len(answer.context["found"]) == 12
    assert answer.context["has_more"]


def test_the_version_that_is_picked_stays_picked_while_one_searches_on(
    client: Client, model: Membership, shelf: Collection, bob: User
) -> None:
    factories.make_version(model.collection.project, "classifier")
    client.force_login(bob)
    page = client.get(address(shelf), {"search": "class", "version": str(model)}, headers=FOUND).content.decode()
    assert page.count("checked") == 1
    assert f'value="{model}" checked' in page
