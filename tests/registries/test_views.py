"""Pages of artifacts and registries: who sees and changes what, linking, aliases and tags in place."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from projects.models import Project, User
from registries.models import Collection, Membership, Registry, Tag
from tests import factories

SignedIn = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def signed_in(db: None) -> SignedIn:
    """`signed_in(user)`: a browser in which the user is signed in."""

    def open_browser(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return open_browser


@pytest.fixture
def version(project: Project, bob: User) -> Membership:
    """v0 of the collection model in digits."""
    run = factories.make_run(project, user=bob, display_name="the source run")
    return factories.make_version(project, user=bob, run=run, metadata={"epochs": 3, "data": {"name": "digits"}})


@pytest.fixture
def shelf(registry: Registry) -> Collection:
    """The empty collection classifier of the registry models."""
    return factories.make_collection(registry)


@pytest.fixture
def link(version: Membership, shelf: Collection, bob: User) -> Membership:
    return factories.make_link(version, shelf, user=bob, aliases=["staging"])


@pytest.fixture
def dana(project: Project) -> User:
    """View-only in the team research."""
    user = factories.make_user("dana")
    factories.make_team(viewer=user)
    return user


def label(membership: Membership, kind: str, change: str) -> str:
    return reverse("registries:change_label", args=[membership.pk, kind, change])


# --- looking ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["alice", "bob", "dana"])
def test_everybody_in_the_team_sees_artifacts_and_registries(
    signed_in: SignedIn, link: Membership, dana: User, name: str
) -> None:
    version = Membership.objects.get(artifact=link.artifact_id, collection__project__isnull=False)
    project = version.collection.project
    assert project is not None
    urls = [
        f"{project.get_absolute_url()}artifacts",
        version.collection.get_absolute_url(),
        version.get_absolute_url(),
        "/registries/",
        link.collection.registry.get_absolute_url(),  # type: ignore[union-attr]
        link.collection.get_absolute_url(),
        link.get_absolute_url(),
    ]
    for url in urls:
        assert signed_in(User.objects.get(username=name)).get(url).status_code == 200, url


def test_strangers_find_no_artifacts_and_no_registries(
    signed_in: SignedIn, version: Membership, link: Membership, charlie: User
) -> None:
    """AZ1"""
    browser = signed_in(charlie)
    for row in (version, link):
        for url in (
            row.get_absolute_url(),
            row.collection.get_absolute_url(),
            reverse("registries:link_version", args=[row.pk]),
            reverse("registries:unlink_version", args=[row.pk]),
        ):
            assert browser.get(url).status_code == 404, url
        assert browser.post(label(row, "aliases", "add"), {"name": "x"}).status_code == 404
    assert "classifier" not in browser.get("/registries/").content.decode()
    assert link.alias_names == ["staging"]


def test_a_version_is_found_by_number_latest_and_alias(signed_in: SignedIn, version: Membership, bob: User) -> None:
    project = version.collection.project
    assert project is not None
    factories.make_version(project, user=bob, aliases=["production"])
    base = version.collection.get_absolute_url()
    browser = signed_in(bob)
    names = ("v0", "latest", "production")
    found = {name: browser.get(f"{base}/{name}").context["membership"].version for name in names}
    assert found == {"v0": "v0", "latest": "v1", "production": "v1"}
    assert browser.get(f"{base}/v7").status_code == 404
    assert browser.get(base.replace("/artifacts/model/", "/artifacts/dataset/")).status_code == 404


def test_a_version_shows_where_it_came_from_and_where_it_is_linked(
    signed_in: SignedIn, version: Membership, link: Membership, bob: User
) -> None:
    page = signed_in(bob).get(version.get_absolute_url()).content.decode()
    for text in ("data.name", "the source run", "acme/models/classifier:v0", "staging", "latest"):
        assert text in page, text


def test_a_registry_names_no_project_its_reader_may_not_see(
    signed_in: SignedIn, version: Membership, link: Membership, charlie: User
) -> None:
    """AZ1: a member of the organization sees the registry, not every team's projects."""
    factories.make_organization(member=charlie)
    page = signed_in(charlie).get(link.get_absolute_url()).content.decode()
    assert "the source run" not in page
    assert "digits/" not in page
    assert "In places you may not see" in page


def test_lists_take_as_many_queries_however_many_rows(
    signed_in: SignedIn,
    version: Membership,
    shelf: Collection,
    bob: User,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    project = version.collection.project
    registry = shelf.registry
    assert project is not None
    assert registry is not None
    factories.make_link(version, shelf, user=bob, aliases=["one"])
    urls = (
        f"{project.get_absolute_url()}artifacts",
        version.collection.get_absolute_url(),
        version.get_absolute_url(),
        registry.get_absolute_url(),
        shelf.get_absolute_url(),
        "/registries/",
    )
    browser = signed_in(bob)
    counts = {}
    for url in urls:
        with CaptureQueriesContext(connection) as first:
            browser.get(url)
        counts[url] = len(first)
    for number in range(6):
        more = factories.make_version(project, user=bob, aliases=[f"alias-{number}"], tags=[f"tag-{number}"])
        factories.make_link(more, shelf, user=bob, aliases=[f"a{number}", f"b{number}"])
        factories.make_version(project, f"other {number}", user=bob, aliases=["best"])
        factories.make_link(version, factories.make_collection(registry, f"shelf {number}"), user=bob)
        factories.make_registry(registry.organization, f"registry {number}")
    for url in urls:
        with django_assert_num_queries(counts[url], info=url):
            browser.get(url)


# --- aliases and tags ---------------------------------------------------------------------------------------


def test_members_add_and_remove_aliases_in_place(signed_in: SignedIn, version: Membership, bob: User) -> None:
    browser = signed_in(bob)
    added = browser.post(label(version, "aliases", "add"), {"name": "production"}, headers=HTMX)
    assert added.status_code == 200
    assert b"production" in added.content
    assert b"<h1" not in added.content
    assert version.aliases.get().name == "production"
    removed = browser.post(label(version, "aliases", "remove"), {"name": "production"}, headers=HTMX)
    assert b"Remove alias production" not in removed.content
    assert not version.aliases.exists()


def test_members_add_and_remove_tags_in_place(signed_in: SignedIn, version: Membership, bob: User) -> None:
    browser = signed_in(bob)
    assert browser.post(label(version, "tags", "add"), {"name": "手書き"}, headers=HTMX).status_code == 200
    assert [tag.name for tag in Tag.objects.filter(artifact=version.artifact_id)] == ["手書き"]
    browser.post(label(version, "tags", "remove"), {"name": "手書き"}, headers=HTMX)
    assert not Tag.objects.exists()


@pytest.mark.parametrize("name", ["", "two words", "latest", "v3", "a/b", "x" * 129, "a:b"])
def test_what_cannot_be_an_alias_is_refused_and_kept_in_the_field(
    signed_in: SignedIn, version: Membership, bob: User, name: str
) -> None:
    answer = signed_in(bob).post(label(version, "aliases", "add"), {"name": name}, headers=HTMX)
    assert answer.status_code == 422
    assert answer.context["problem"]
    assert f'value="{name}"' in answer.content.decode()
    assert not version.aliases.exists()


def test_viewers_see_no_forms_and_change_no_labels(signed_in: SignedIn, version: Membership, dana: User) -> None:
    browser = signed_in(dana)
    assert "Add alias" not in browser.get(version.get_absolute_url()).content.decode()
    refused = browser.post(label(version, "aliases", "add"), {"name": "production"}, headers=HTMX)
    assert refused.status_code == 403
    assert not version.aliases.exists()


def test_labels_are_changed_without_scripts_too(signed_in: SignedIn, version: Membership, bob: User) -> None:
    answer = signed_in(bob).post(label(version, "aliases", "add"), {"name": "production"})
    assert answer.status_code == 302
    assert answer["Location"] == version.get_absolute_url()
    assert version.aliases.get().name == "production"


def test_a_label_needs_the_token_of_its_page(version: Membership, bob: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(bob)
    assert browser.post(label(version, "aliases", "add"), {"name": "production"}).status_code == 403
    assert not version.aliases.exists()


# --- linking ------------------------------------------------------------------------------------------------


def test_a_version_is_linked_from_its_page(
    signed_in: SignedIn, version: Membership, shelf: Collection, bob: User
) -> None:
    factories.make_collection(shelf.registry, "other type", type="dataset")
    url = reverse("registries:link_version", args=[version.pk])
    browser = signed_in(bob)
    offered = browser.get(url, headers=HTMX).content.decode()
    assert "acme/models/classifier" in offered
    assert "other type" not in offered
    answer = browser.post(url, {"collection": shelf.pk, "aliases": "staging, blue"}, headers=HTMX)
    linked = shelf.memberships.get()
    assert answer["HX-Redirect"] == linked.get_absolute_url()
    assert linked.alias_names == ["blue", "staging"]


def test_a_version_is_linked_from_the_registry_by_name(
    signed_in: SignedIn, version: Membership, shelf: Collection, bob: User
) -> None:
    url = reverse("registries:link_into", args=["acme", "models", "classifier"])
    answer = signed_in(bob).post(url, {"version": "research/digits/model:latest"}, headers=HTMX)
    assert answer["HX-Redirect"] == shelf.memberships.get().get_absolute_url()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("model:v0", "names no version"),
        ("research/digits/model", "names no version"),
        ("research/digits/model:v9", "There is no version"),
        ("research/digits/nothing:v0", "There is no collection"),
        ("charlie/secret/model:v0", "There is no collection"),
        ("research/digits/data:v0", "of type model, not dataset"),
        ("\x00/\x00/\x00:v0", "Null characters"),
    ],
)
def test_a_version_that_cannot_be_linked_is_refused_beside_its_field(
    signed_in: SignedIn, version: Membership, shelf: Collection, name: str, said: str
) -> None:
    bob = factories.make_user("bob")
    assert version.collection.project is not None
    factories.make_version(version.collection.project, "data", "dataset", user=bob)
    factories.make_version(factories.make_project(factories.make_user("charlie").personal_team, "secret"))
    url = reverse("registries:link_into", args=["acme", "models", "classifier"])
    answer = signed_in(bob).post(url, {"version": name}, headers=HTMX)
    assert answer.status_code == 422
    assert said in str(answer.context["form"].errors)
    assert not shelf.memberships.exists()


def test_a_bad_alias_links_nothing(signed_in: SignedIn, version: Membership, shelf: Collection, bob: User) -> None:
    url = reverse("registries:link_version", args=[version.pk])
    answer = signed_in(bob).post(url, {"collection": shelf.pk, "aliases": "good v3"}, headers=HTMX)
    assert answer.status_code == 422
    assert "given automatically" in str(answer.context["form"].errors["aliases"])
    assert not shelf.memberships.exists()


def test_without_a_fitting_collection_the_dialog_says_so(signed_in: SignedIn, version: Membership, bob: User) -> None:
    page = signed_in(bob).get(reverse("registries:link_version", args=[version.pk]), headers=HTMX).content.decode()
    assert "has a collection of type “model”" in page
    assert 'type="submit"' not in page


def test_unlinking_is_confirmed_and_leaves_the_source(signed_in: SignedIn, link: Membership, bob: User) -> None:
    url = reverse("registries:unlink_version", args=[link.pk])
    browser = signed_in(bob)
    assert "staging" in browser.get(url, headers=HTMX).content.decode()
    answer = browser.post(url, headers=HTMX)
    assert answer["HX-Redirect"] == link.collection.get_absolute_url()
    assert not link.collection.memberships.exists()
    assert Membership.objects.filter(artifact=link.artifact_id).count() == 1
    assert browser.post(url, headers=HTMX).status_code == 404


def test_a_logged_version_cannot_be_unlinked(signed_in: SignedIn, version: Membership, bob: User) -> None:
    answer = signed_in(bob).post(reverse("registries:unlink_version", args=[version.pk]), headers=HTMX)
    assert answer.status_code == 422
    assert Membership.objects.filter(pk=version.pk).exists()


def test_viewers_neither_link_nor_unlink(
    signed_in: SignedIn, version: Membership, link: Membership, dana: User
) -> None:
    browser = signed_in(dana)
    assert browser.post(reverse("registries:unlink_version", args=[link.pk])).status_code == 403
    into = reverse("registries:link_into", args=["acme", "models", "classifier"])
    assert browser.post(into, {"version": "research/digits/model:v0"}).status_code == 403
    browser.post(reverse("registries:link_version", args=[version.pk]), {"collection": link.collection_id})
    assert link.collection.memberships.count() == 1


# --- creating -----------------------------------------------------------------------------------------------


def test_admins_of_the_organization_create_registries(signed_in: SignedIn, project: Project, alice: User) -> None:
    organization = factories.make_organization(admin=alice)
    answer = signed_in(alice).post(
        "/registries/new", {"organization": organization.name, "name": "models"}, headers=HTMX
    )
    assert answer["HX-Redirect"] == Registry.objects.get().get_absolute_url()
    again = signed_in(alice).post(
        "/registries/new", {"organization": organization.name, "name": "models"}, headers=HTMX
    )
    assert again.status_code == 422


def test_others_create_no_registries(signed_in: SignedIn, project: Project, bob: User) -> None:
    assert signed_in(bob).get("/registries/new").status_code == 403
    assert "Create registry" not in signed_in(bob).get("/registries/").content.decode()


def test_members_create_collections_in_a_registry(
    signed_in: SignedIn, registry: Registry, bob: User, dana: User
) -> None:
    url = reverse("registries:create_collection", args=["acme", "models"])
    assert signed_in(dana).post(url, {"name": "mine", "type": "model"}).status_code == 403
    answer = signed_in(bob).post(url, {"name": "判別器", "type": "model"}, headers=HTMX)
    assert answer["HX-Redirect"] == Collection.objects.get().get_absolute_url()
    assert signed_in(bob).post(url, {"name": "a/b", "type": ""}, headers=HTMX).status_code == 422
