"""Registries changed over REST, and who is in them."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from projects import teams
from projects.models import Organization, Role, Team, User
from registries.models import Registry, RegistryMember, RegistryTeam
from tests import factories

Api = Callable[[User | None], APIClient]
MODELS = "/api/registries/acme/models/"


@pytest.fixture
def olga(team: Team) -> User:
    """Admin of the organization acme."""
    olga = factories.make_user("olga")
    teams.set_organization_role(olga, organization=Organization.objects.get(), role=Role.ADMIN)
    return olga


def test_a_registry_is_opened_with_its_options(api: Api, olga: User) -> None:
    wanted = {"name": "shelf", "visibility": "restricted", "accepts_all_types": False, "accepted_types": ["model"]}

    made = api(olga).post("/api/registries/acme/", wanted)

    assert made.status_code == 201
    assert {name: made.json()[name] for name in wanted} == wanted


def test_a_registry_is_changed_renamed_and_deleted(api: Api, registry: Registry, alice: User, olga: User) -> None:
    factories.make_registry(registry.organization, "taken")
    changed = api(alice).patch(MODELS, {"description": "Best", "accepted_types": ["model"]})
    taken = api(alice).patch(MODELS, {"name": "taken"})
    hidden = api(alice).patch(MODELS, {"visibility": "restricted"})
    renamed = api(olga).patch(MODELS, {"name": "best", "visibility": "restricted"})
    kept = api(alice).delete("/api/registries/acme/best/")
    gone = api(olga).delete("/api/registries/acme/best/")

    assert (changed.status_code, changed.json()["description"], changed.json()["accepted_types"]) == (
        200,
        "Best",
        ["model"],
    )
    assert (taken.status_code, taken.json()["errors"][0]["field"]) == (409, "name")
    assert hidden.status_code == kept.status_code == 403
    assert (renamed.json()["name"], renamed.json()["visibility"]) == ("best", "restricted")
    assert gone.status_code == 204
    assert not Registry.objects.filter(name="best").exists()


@pytest.mark.parametrize(("place", "field", "name"), [("members", "username", "bob"), ("teams", "team", "research")])
def test_users_and_teams_come_change_and_go(
    api: Api, registry: Registry, alice: User, *, place: str, field: str, name: str
) -> None:
    client = api(alice)
    before = client.get(f"{MODELS}{place}/").json()["results"]

    added = client.post(f"{MODELS}{place}/", {field: name})
    changed = client.patch(f"{MODELS}{place}/{name}/", {"role": "view-only"})
    listed = client.get(f"{MODELS}{place}/").json()["results"]
    removed = client.delete(f"{MODELS}{place}/{name}/")

    assert (added.status_code, added.json()) == (201, {field: name, "role": "member"})
    assert changed.json() == {field: name, "role": "view-only"}
    assert listed == [*before, {field: name, "role": "view-only"}]
    assert removed.status_code == 204
    assert client.delete(f"{MODELS}{place}/{name}/").status_code == 404
    assert client.patch(f"{MODELS}{place}/{name}/", {"role": "admin"}).status_code == 404


@pytest.mark.parametrize(("place", "field"), [("members", "username"), ("teams", "team")])
def test_who_may_not_is_told_so_and_strangers_nothing(
    api: Api, registry: Registry, alice: User, bob: User, charlie: User, *, place: str, field: str
) -> None:
    for user, status in ((bob, 403), (charlie, 404)):
        client = api(user)
        assert client.post(f"{MODELS}{place}/", {field: "charlie"}).status_code == status
        assert client.patch(f"{MODELS}{place}/alice/", {"role": "admin"}).status_code == status
        assert client.delete(f"{MODELS}{place}/alice/").status_code == status
    assert api(charlie).get(f"{MODELS}{place}/").status_code == 404
    unknown = api(alice).post(f"{MODELS}{place}/", {field: "charlie"})
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (400, field)


def test_teams_one_may_not_see_are_not_listed(api: Api, registry: Registry, bob: User) -> None:
    """AZ1"""
    hidden = factories.make_team("vision", registry.organization)
    RegistryTeam.objects.create(registry=registry, team=hidden)

    assert api(bob).get(f"{MODELS}teams/").json()["results"] == []


@pytest.mark.parametrize("address", [f"{MODELS}members/", f"{MODELS}teams/", "/api/registries/acme/"])
def test_lists_cost_the_same_queries_for_3_rows_and_for_30(
    api: Api, registry: Registry, olga: User, address: str
) -> None:
    client = api(olga)
    costs = []
    for first, last in ((0, 3), (3, 30)):
        for number in range(first, last):
            team = factories.make_team(f"team{number}", registry.organization)
            RegistryTeam.objects.create(registry=registry, team=team)
            RegistryMember.objects.create(registry=registry, user=factories.make_user(f"user{number}"))
            factories.make_registry(registry.organization, f"r{number}")
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert len(client.get(address).json()["results"]) >= last
        costs.append(len(queries))

    assert costs[0] == costs[1]
