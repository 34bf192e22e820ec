"""Labels changed in place: what was done is said with the way back, and a refusal stands beside the field."""

import pytest
from django.test import Client
from django.urls import reverse

from projects.models import Project, User
from registries import curation, labels
from registries.models import Collection, Membership, Registry
from tests import factories

HTMX = {"HX-Request": "true"}


@pytest.fixture
def version(project: Project) -> Membership:
    return factories.make_version(project, "model")


def change(client: Client, version: Membership, kind: str, what: str, name: str) -> tuple[int, str]:
    answer = client.post(
        reverse("registries:change_label", args=[version.pk, kind, what]), {"name": name}, headers=HTMX
    )
    return answer.status_code, answer.content.decode()


def change_tag(client: Client, collection: Collection, what: str, name: str, **headers: str) -> tuple[int, str]:
    url = reverse("registries:change_collection_tag", args=[collection.pk, what])
    answer = client.post(url, {"name": name}, headers=headers)
    return answer.status_code, answer.content.decode()


def undo(page: str) -> str:
    """The address of the Undo button, "" without one."""
    said = page.partition('id="labels-said"')[2]
    return said.partition('action="')[2].partition('"')[0]


@pytest.mark.parametrize("kind", ["aliases", "tags"])
def test_what_was_done_is_said_and_can_be_undone(client: Client, version: Membership, bob: User, kind: str) -> None:
    client.force_login(bob)
    status, page = change(client, version, kind, "add", "staging")
    assert status == 200
    assert "staging added." in page
    assert undo(page) == reverse("registries:change_label", args=[version.pk, kind, "remove"])

    client.post(undo(page), {"name": "staging"}, headers=HTMX)
    assert not version.aliases.exists()
    assert not version.artifact.tags.exists()

    change(client, version, kind, "add", "staging")
    _, page = change(client, version, kind, "remove", "staging")
    assert "staging removed." in page
    assert undo(page) == reverse("registries:change_label", args=[version.pk, kind, "add"])


def test_an_alias_that_moves_says_where_it_was(
    client: Client, project: Project, version: Membership, bob: User
) -> None:
    """EV2: one version of a collection holds it at a time."""
    labels.add_alias(version, "production", by=bob, at=version.created_at)
    newer = factories.make_version(project, "model")
    client.force_login(bob)
    _, page = change(client, newer, "aliases", "add", "production")

    assert "production moved here from v0." in page
    assert undo(page) == ""


def test_what_changes_nothing_says_so(client: Client, version: Membership, bob: User) -> None:
    client.force_login(bob)
    change(client, version, "tags", "add", "fine")
    assert "fine is there already." in change(client, version, "tags", "add", "fine")[1]
    assert "gone was gone already." in change(client, version, "tags", "remove", "gone")[1]


def test_a_refusal_stands_beside_the_field_and_keeps_what_was_typed(
    client: Client, version: Membership, bob: User
) -> None:
    client.force_login(bob)
    status, page = change(client, version, "aliases", "add", "a/b")
    assert status == 422
    assert 'value="a/b" aria-invalid="true" aria-describedby="problem-aliases"' in " ".join(page.split())
    assert "cannot be an alias" in page
    assert change(client, version, "tags", "add", " ")[0] == 422


def test_members_are_told_which_aliases_are_not_theirs(
    client: Client, version: Membership, registry: Registry, alice: User, bob: User
) -> None:
    curation.protect_alias(registry, "production", by=None)
    link = factories.make_link(version, factories.make_collection(registry), user=alice, aliases=["production"])
    sentence = "Only admins of the registry add, move or remove these: production."
    client.force_login(bob)
    assert sentence in client.get(link.get_absolute_url()).content.decode()
    client.force_login(alice)
    assert sentence not in client.get(link.get_absolute_url()).content.decode()


def test_tags_of_a_collection_are_changed_on_its_page(
    client: Client, version: Membership, bob: User, charlie: User
) -> None:
    collection = version.collection
    client.force_login(bob)
    assert "Add tag" in client.get(collection.get_absolute_url()).content.decode()
    status, page = change_tag(client, collection, "add", "golden", **HTMX)
    assert status == 200
    assert "golden added." in page
    assert undo(page) == reverse("registries:change_collection_tag", args=[collection.pk, "remove"])
    assert change_tag(client, collection, "add", "a/b", **HTMX)[0] == 422
    # Without htmx one comes back to the page.
    assert change_tag(client, collection, "remove", "golden")[0] == 302
    assert not collection.tags.exists()
    client.force_login(charlie)
    assert change_tag(client, collection, "add", "golden")[0] == 404


def test_who_only_looks_changes_no_label(client: Client, version: Membership, registry: Registry) -> None:
    viewer = factories.make_user("bob")
    factories.make_team(viewer=viewer)
    client.force_login(viewer)
    assert "Add tag" not in client.get(version.collection.get_absolute_url()).content.decode()
    assert change_tag(client, version.collection, "add", "golden")[0] == 403
    assert change(client, version, "tags", "add", "golden")[0] == 403
