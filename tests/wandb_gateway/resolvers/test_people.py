"""Users as the client sees them: whom one knows, and the keys of one's own."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from projects import keys, teams
from projects.models import ApiKey, Organization, Role, Team, User
from tests import factories

Ask = Callable[[User | None], Any]

USER = """
    id name username email admin flags entity deletedAt
    apiKeys { edges { node { id name description } } }
    teams { edges { node { name } } }
"""
SEARCH = f"query SearchUsers($text: String) {{ users(query: $text) {{ edges {{ node {{ {USER} }} }} }} }}"


def found(ask: Any, text: str) -> list[str]:
    return [edge["node"]["username"] for edge in ask.data(SEARCH, text=text)["users"]["edges"]]


def team_names(user: dict[str, Any]) -> list[str]:
    return [edge["node"]["name"] for edge in user["teams"]["edges"]]


def test_the_viewer_has_teams_and_keys(graphql: Ask, team: Team, alice: User) -> None:
    kept, _ = keys.create(alice, by=alice, name="laptop")
    gone, _ = keys.create(alice, by=alice, name="lost")
    keys.revoke(gone, by=None, at=timezone.now())

    viewer = graphql(alice).data(f"{{ viewer {{ {USER} organizations {{ name }} }} }}")["viewer"]

    assert team_names(viewer) == ["alice", "research"]
    assert viewer["organizations"] == [{"name": "acme"}]
    assert (viewer["entity"], viewer["admin"], viewer["deletedAt"]) == ("alice", False, None)
    shown = {edge["node"]["description"]: edge["node"]["name"] for edge in viewer["apiKeys"]["edges"]}
    assert shown["laptop"] == f"…{kept.hint}"
    assert "lost" not in shown


def test_people_of_ones_teams_are_found_by_part_of_name_or_address(graphql: Ask, team: Team, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(email="robert@example.com")
    ask = graphql(factories.make_user("alice"))

    assert found(ask, "bob") == found(ask, "BO") == found(ask, "robert@example.com") == found(ask, "robert") == ["bob"]


def test_a_full_name_finds_nobody_else(graphql: Ask, team: Team, alice: User) -> None:
    factories.make_team(member=factories.make_user("bobby"))

    assert found(graphql(alice), "bob") == ["bob"]
    assert found(graphql(alice), "bo") == ["bob", "bobby"]


def test_strangers_are_not_found(graphql: Ask, team: Team, alice: User, charlie: User) -> None:
    """AZ1"""
    assert found(graphql(charlie), "") == ["charlie"]
    assert found(graphql(charlie), "alice") == []
    assert found(graphql(alice), "charlie") == []


def test_colleagues_of_other_teams_of_the_organization_are_found(graphql: Ask, team: Team, bob: User) -> None:
    assert team.organization is not None
    factories.make_team("vision", team.organization, member=factories.make_user("dora"))
    teams.set_organization_role(factories.make_user("erik"), organization=team.organization, role=Role.MEMBER)

    assert found(graphql(bob), "") == ["alice", "bob", "dora", "erik"]


def test_of_others_only_what_concerns_one_is_shown(graphql: Ask, team: Team, alice: User, bob: User) -> None:
    factories.make_team("secret-lab", Organization.objects.create(name="umbrella"), member=bob)
    factories.make_api_key(bob)

    shown = graphql(alice).data(SEARCH, text="bob")["users"]["edges"][0]["node"]

    assert team_names(shown) == ["research"]
    assert shown["apiKeys"]["edges"] == []


def test_closed_accounts_and_impossible_texts_find_nobody(graphql: Ask, team: Team, alice: User, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(is_active=False)

    assert found(graphql(alice), "bob") == found(graphql(alice), "b\x00b") == []


def test_a_key_is_made_shown_once_and_deleted(graphql: Ask, alice: User) -> None:
    ask = graphql(alice)
    make = "mutation($d: String) { generateApiKey(input: {description: $d}) { apiKey { id name description } } }"

    made = ask.data(make, d="for the cluster")["generateApiKey"]["apiKey"]

    assert keys.user_of(made["name"]) == alice
    assert made["description"] == "for the cluster"
    delete = "mutation($id: String!) { deleteApiKey(input: {id: $id}) { success } }"
    assert ask.data(delete, id=made["id"]) == {"deleteApiKey": {"success": True}}
    assert keys.user_of(made["name"]) is None


def test_nobody_deletes_anothers_key(graphql: Ask, alice: User, bob: User) -> None:
    factories.make_api_key(bob)
    ask = graphql(bob)
    own = ask.data("{ viewer { apiKeys { edges { node { id } } } } }")["viewer"]["apiKeys"]["edges"][0]["node"]["id"]

    answer = graphql(alice)("mutation($id: String!) { deleteApiKey(input: {id: $id}) { success } }", id=own)

    assert (answer.status, answer.errors) == (404, ["You have no such API key."])
    assert not ApiKey.objects.filter(user=bob, revoked_at__isnull=False).exists()


def test_accounts_are_not_made_from_python(graphql: Ask, alice: User) -> None:
    answer = graphql(alice)('mutation { createUser(input: {email: "x@example.com"}) { user { id } } }')

    assert answer.status == 400
    assert "provision" in answer.errors[0]


@pytest.mark.parametrize("text", ["member", ""])
def test_finding_people_costs_the_same_for_3_and_for_30(graphql: Ask, team: Team, alice: User, text: str) -> None:
    ask = graphql(alice)
    costs = []
    for last in (3, 30):
        for number in range(last):
            factories.make_team(member=factories.make_user(f"member{number}"))
        found(ask, text)
        with CaptureQueriesContext(connection) as queries:
            assert len(found(ask, text)) >= last
        costs.append(len(queries))

    assert costs[0] == costs[1]
