"""A registry's page: its settings, who is in it, deleting it."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from projects import teams
from projects.models import Organization, Role, Team, User
from registries import roster
from registries.models import Registry, RegistryMember, RegistryTeam, Visibility
from tests import factories

SignedIn = Callable[[User], Client]
DIALOGS = ("change_registry", "let_in", "change_registry_role", "let_out")


@pytest.fixture
def signed_in(db: None) -> SignedIn:
    """`signed_in(user)`: a browser in which the user is signed in."""

    def open_browser(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return open_browser


@pytest.fixture
def olga(team: Team) -> User:
    """Admin of the organization acme."""
    olga = factories.make_user("olga")
    teams.set_organization_role(olga, organization=Organization.objects.get(), role=Role.ADMIN)
    return olga


def url(dialog: str, *names: str) -> str:
    if dialog in {"change_registry", "delete_registry"}:
        return reverse(f"registries:{dialog}", args=[Registry.objects.get(name="models").pk])
    return reverse(f"registries:{dialog}", args=["acme", "models", *names])


def test_the_page_shows_who_has_a_role_here(
    signed_in: SignedIn, registry: Registry, team: Team, alice: User, bob: User
) -> None:
    roster.add(registry, teams=[team], role=Role.VIEW_ONLY, by=alice)

    mine = signed_in(alice).get(registry.get_absolute_url()).content.decode()
    his = signed_in(bob).get(registry.get_absolute_url()).content.decode()

    for page in (mine, his):
        assert "Everyone in acme sees this registry" in page
        assert 'title="research"' in page
    assert "Remove research" in mine
    assert "Remove research" not in his
    assert url("delete_registry") not in mine


def test_a_team_and_a_user_are_let_in_changed_and_removed(
    signed_in: SignedIn, registry: Registry, team: Team, alice: User, bob: User
) -> None:
    browser = signed_in(alice)

    for name in ("research", "bob"):
        assert browser.post(url("let_in"), {"name": name, "role": "member"}).status_code == 302
        assert browser.post(url("change_registry_role", name), {"role": "view-only"}).status_code == 302
    assert RegistryTeam.objects.get(team=team).role == RegistryMember.objects.get(user=bob).role == Role.VIEW_ONLY
    for name in ("research", "bob"):
        assert "What they may do here" in browser.get(url("let_out", name)).content.decode()
        assert browser.post(url("let_out", name)).status_code == 302

    assert not RegistryTeam.objects.exists()
    assert [str(row.user) for row in RegistryMember.objects.all()] == ["alice"]


@pytest.mark.parametrize(
    ("name", "said"),
    [("charlie", "among those you know here"), ("nobody", "among those you know here"), ("a b", "Use letters")],
)
def test_who_cannot_be_let_in_is_refused_at_the_field(
    signed_in: SignedIn, registry: Registry, alice: User, charlie: User, *, name: str, said: str
) -> None:
    answer = signed_in(alice).post(url("let_in"), {"name": name, "role": "member"})

    assert answer.status_code == 422
    assert said in answer.content.decode()


def test_the_name_and_the_description_are_for_admins_of_the_registry(
    signed_in: SignedIn, registry: Registry, alice: User
) -> None:
    browser = signed_in(alice)
    assert "visibility" not in browser.get(url("change_registry")).content.decode()

    answer = browser.post(
        url("change_registry"), {"name": "best", "description": "Good ones", "visibility": "restricted"}
    )

    registry.refresh_from_db()
    assert answer.status_code == 302
    assert (registry.name, registry.description, registry.visibility) == ("best", "Good ones", Visibility.ORGANIZATION)


def test_who_sees_it_and_deleting_it_are_for_admins_of_the_organization(
    signed_in: SignedIn, registry: Registry, alice: User, bob: User, olga: User
) -> None:
    browser, deleting = signed_in(olga), url("delete_registry")

    browser.post(url("change_registry"), {"name": "models", "visibility": "restricted"})

    assert "Only these and admins of acme" in browser.get(registry.get_absolute_url()).content.decode()
    assert signed_in(bob).get(registry.get_absolute_url()).status_code == 404
    assert signed_in(alice).post(deleting).status_code == 403
    assert browser.post(deleting).status_code == 302
    assert not Registry.objects.exists()
    for gone in (browser.get(deleting), browser.post(deleting, headers={"HX-Request": "true"})):
        assert gone.status_code == 404
        assert "It is not there any more" in gone.content.decode()


def test_who_saves_after_a_rename_is_shown_the_difference(
    signed_in: SignedIn, registry: Registry, alice: User, olga: User
) -> None:
    second, settings = signed_in(alice), url("change_registry")
    seen = second.get(settings).context["seen"]
    signed_in(olga).post(settings, {"name": "best", "visibility": "organization"})

    refused = second.post(settings, {"name": "models", "description": "Mine.", "seen": seen})

    assert refused.status_code == 422
    differences = refused.context["conflict"].differences
    assert [(one.theirs, one.mine) for one in differences] == [("best", "models"), ("–", "Mine.")]
    again = {"name": "best", "description": "Mine.", "seen": refused.context["seen"]}
    assert second.post(settings, again).headers["Location"] == "/registries/acme/best/"
    registry.refresh_from_db()
    assert registry.description == "Mine."


def test_a_taken_name_is_refused_at_the_field(signed_in: SignedIn, registry: Registry, alice: User) -> None:
    factories.make_registry(registry.organization, "taken")

    answer = signed_in(alice).post(url("change_registry"), {"name": "taken"})

    assert answer.status_code == 422
    assert Registry.objects.filter(name="models").exists()


def test_dialogs_are_for_admins_and_to_strangers_not_there(
    signed_in: SignedIn, registry: Registry, bob: User, charlie: User
) -> None:
    for user, status in ((bob, 403), (charlie, 404)):
        for dialog in DIALOGS:
            names = ["alice"] if dialog in {"change_registry_role", "let_out"} else []
            assert signed_in(user).get(url(dialog, *names)).status_code == status
        assert signed_in(user).post(url("delete_registry")).status_code == status


def test_who_removes_themselves_from_a_restricted_registry_is_led_away(
    signed_in: SignedIn, registry: Registry, alice: User
) -> None:
    Registry.objects.update(visibility=Visibility.RESTRICTED)

    answer = signed_in(alice).post(url("let_out", "alice"))

    assert answer.headers["Location"] == reverse("registries:list")
    assert signed_in(alice).get(url("let_out", "alice")).status_code == 404


def test_the_page_asks_as_often_for_3_as_for_30(signed_in: SignedIn, registry: Registry, olga: User) -> None:
    browser = signed_in(olga)
    costs = []
    for first, last in ((0, 3), (3, 30)):
        for number in range(first, last):
            RegistryTeam.objects.create(registry=registry, team=factories.make_team(f"t{number}"))
            RegistryMember.objects.create(registry=registry, user=factories.make_user(f"u{number}"))
        browser.get(registry.get_absolute_url())
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(registry.get_absolute_url()).status_code == 200
        costs.append(len(queries))

    assert costs[0] == costs[1]
