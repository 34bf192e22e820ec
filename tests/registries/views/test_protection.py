"""Protected aliases on the pages: shown with a lock, changed by admins of the registry only."""

import pytest
from django.test import Client
from django.urls import reverse

from projects.models import Project, User
from registries import curation
from registries.models import Membership, ProtectedAlias, Registry
from tests import factories

HTMX = {"HX-Request": "true"}


@pytest.fixture
def link(project: Project, registry: Registry, alice: User) -> Membership:
    """A version in production, which is a protected alias."""
    curation.protect_alias(registry, "production", by=None)
    source = factories.make_version(project)
    return factories.make_link(source, factories.make_collection(registry), user=alice, aliases=["production", "fine"])


def change(client: Client, registry: Registry, what: str, name: str, **headers: str) -> tuple[int, str]:
    place = {"organization": "acme", "registry": registry.name, "change": what}
    answer = client.post(reverse("registries:change_protection", kwargs=place), {"name": name}, headers=headers)
    return answer.status_code, answer.content.decode()


def test_admins_of_a_registry_protect_aliases(registry: Registry, alice: User, client: Client) -> None:
    client.force_login(alice)
    assert "Add protected alias" in client.get(registry.get_absolute_url()).content.decode()

    status, part = change(client, registry, "add", "golden", **HTMX)
    assert (status, "Remove protected alias golden" in part) == (200, True)
    status, part = change(client, registry, "add", "v7", **HTMX)
    assert (status, "given automatically" in part) == (422, True)
    assert change(client, registry, "remove", "golden")[0] == 302
    assert not ProtectedAlias.objects.exists()


def test_members_see_which_aliases_are_protected(
    registry: Registry, link: Membership, bob: User, charlie: User, client: Client
) -> None:
    client.force_login(bob)
    page = client.get(registry.get_absolute_url()).content.decode()
    assert ("production" in page, "Add protected alias" in page) == (True, False)
    assert change(client, registry, "add", "golden")[0] == 403
    client.force_login(charlie)
    assert change(client, registry, "add", "golden")[0] == 404


def test_a_lock_stands_where_the_button_to_remove_it_would(
    link: Membership, alice: User, bob: User, client: Client
) -> None:
    client.force_login(bob)
    page = client.get(link.get_absolute_url()).content.decode()
    assert ("Remove alias fine" in page, "Remove alias production" in page) == (True, False)
    assert 'aria-label="Protected"' in page

    client.force_login(alice)
    assert "Remove alias production" in client.get(link.get_absolute_url()).content.decode()


def test_a_member_is_told_why_an_alias_does_not_move(link: Membership, bob: User, client: Client) -> None:
    client.force_login(bob)
    address = reverse("registries:change_label", args=[link.pk, "aliases", "remove"])
    answer = client.post(address, {"name": "production"}, headers=HTMX)
    assert answer.status_code == 422
    assert "only admins of the registry" in answer.content.decode()
    assert link.aliases.filter(name="production").exists()
