"""Entities by name: teams, users and organizations, and changes of teams from Python."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from projects import teams
from projects.models import Organization, Role, Team, User
from tests import factories

Ask = Callable[[User | None], Any]

TEAM = """query GetTeamEntity($name: String!) { entity(name: $name) {
    id name available photoUrl readOnly readOnlyAdmin isTeam entityType privateOnly storageBytes codeSavingEnabled
    defaultAccess isPaid limits xxhashDigestsEnabled organization { name } user { username organizations { name } }
    members { id admin pending email username name photoUrl accountType apiKey role }
} }"""
ORGANIZATION = """query FetchOrganization($org: String!) { organization(name: $org) {
    id name orgEntity { __typename id name entityType organization { name orgEntity { name } } }
    advancedRegistryFeatures { advancedSearch } featureFlags(rampIDType: OrgName) { rampKey isEnabled }
    coreWeaveOrganizationId
} }"""
CREATE_TEAM = """mutation($name: String!, $admin: String, $organization: ID) {
    createTeam(input: {teamName: $name, teamAdminUserName: $admin, organizationId: $organization}) { entity { name } }
}"""
INVITE = """mutation($team: String!, $email: String, $username: String, $admin: Boolean) {
    createInvite(input: {entityName: $team, email: $email, username: $username, admin: $admin}) {
        invite { id name email createdAt toUser { name } } } }"""
REMOVE = """mutation($id: String, $team: String) { deleteInvite(input: {id: $id, entityName: $team}) { success } }"""


def members(ask: Any, team: str) -> dict[str, dict[str, Any]]:
    return {one["username"]: one for one in ask.data(TEAM, name=team)["entity"]["members"]}


def test_a_team_has_members_with_roles(graphql: Ask, team: Team, bob: User) -> None:
    entity = graphql(bob).data(TEAM, name="research")["entity"]

    assert (entity["entityType"], entity["isTeam"], entity["readOnly"]) == ("team", True, False)
    assert entity["organization"] == {"name": "acme"}
    assert entity["user"] is None
    roles = {one["username"]: (one["role"], one["admin"], one["email"]) for one in entity["members"]}
    assert roles == {"alice": ("admin", True, ""), "bob": ("member", False, "")}


def test_who_only_views_may_not_write(graphql: Ask, team: Team) -> None:
    viewer = factories.make_user("vera")
    factories.make_team(viewer=viewer)

    assert graphql(viewer).data(TEAM, name="research")["entity"]["readOnly"] is True


def test_a_users_own_entity_has_the_user_and_their_organizations(graphql: Ask, team: Team, bob: User) -> None:
    entity = graphql(bob).data(TEAM, name="bob")["entity"]

    assert (entity["isTeam"], entity["organization"]) == (False, None)
    assert entity["user"] == {"username": "bob", "organizations": [{"name": "acme"}]}
    assert [(one["username"], one["accountType"]) for one in entity["members"]] == [("bob", "USER")]


def test_an_organization_is_an_entity_of_its_own_name(graphql: Ask, team: Team, bob: User) -> None:
    found = graphql(bob).data(ORGANIZATION, org="acme")["organization"]

    assert (found["orgEntity"]["name"], found["orgEntity"]["entityType"]) == ("acme", "organization")
    assert found["orgEntity"]["organization"] == {"name": "acme", "orgEntity": {"name": "acme"}}
    assert found["advancedRegistryFeatures"] == {"advancedSearch": False}
    assert found["coreWeaveOrganizationId"] is None
    assert {"rampKey": "automation_entity_scope", "isEnabled": True} in found["featureFlags"]
    assert graphql(bob).data(TEAM, name="acme")["entity"]["id"] == found["orgEntity"]["id"]


@pytest.mark.parametrize("name", ["research", "acme", "alice", "nowhere", "", "\x00"])
def test_to_a_stranger_there_is_nothing(graphql: Ask, team: Team, charlie: User, name: str) -> None:
    """AZ1. An empty name is the user's own."""
    ask = graphql(charlie)

    assert (ask.data(TEAM, name=name)["entity"] or {"name": "charlie"})["name"] == "charlie"
    assert ask.data(ORGANIZATION, org=name) == {"organization": None}


def test_a_team_is_no_organization(graphql: Ask, team: Team, bob: User) -> None:
    assert graphql(bob).data(ORGANIZATION, org="research") == {"organization": None}


def test_an_admin_of_the_organization_makes_a_team_for_somebody(graphql: Ask, team: Team, alice: User) -> None:
    teams.set_organization_role(alice, organization=Organization.objects.get(), role=Role.ADMIN)

    made = graphql(alice).data(CREATE_TEAM, name="vision", admin="bob")

    assert made == {"createTeam": {"entity": {"name": "vision"}}}
    assert [(one.user.username, one.role) for one in Team.objects.get(name="vision").memberships.all()] == [
        ("bob", "admin")
    ]


def test_in_which_organization_must_be_clear(graphql: Ask, team: Team, alice: User) -> None:
    acme = Organization.objects.get()
    none = graphql(alice)(CREATE_TEAM, name="vision")
    for organization in (acme, factories.make_organization("umbrella")):
        teams.set_organization_role(alice, organization=organization, role=Role.ADMIN)
    two = graphql(alice)(CREATE_TEAM, name="vision")
    number = graphql(alice).data(ORGANIZATION, org="umbrella")["organization"]["id"]
    graphql(alice).data(CREATE_TEAM, name="vision", organization=number)

    assert (none.status, two.status) == (400, 400)
    assert "more than one" in two.errors[0]
    assert str(Team.objects.get(name="vision").organization) == "umbrella"


def test_only_admins_of_the_organization_make_teams(graphql: Ask, team: Team, alice: User, charlie: User) -> None:
    teams.set_organization_role(alice, organization=Organization.objects.get(), role=Role.ADMIN)
    number = graphql(alice).data(ORGANIZATION, org="acme")["organization"]["id"]
    bob = factories.make_user("bob")

    assert graphql(bob)(CREATE_TEAM, name="vision", organization=number).status == 403
    assert graphql(charlie)(CREATE_TEAM, name="vision", organization=number).status == 404
    taken = graphql(alice)(CREATE_TEAM, name="research")
    assert (taken.status, taken.errors) == (409, ["name: There is a team or a user with this name already."])


def test_a_member_is_added_by_name_or_address_and_removed(graphql: Ask, team: Team, alice: User) -> None:
    factories.make_user("dora", email="dora@example.com")
    factories.make_user("erik")
    ask = graphql(alice)

    ask.data(INVITE, team="research", email="DORA@example.com")
    ask.data(INVITE, team="research", username="erik", admin=True)

    found = members(ask, "research")
    assert (found["dora"]["role"], found["erik"]["role"]) == ("member", "admin")
    assert ask.data(REMOVE, team="research", id=found["dora"]["id"]) == {"deleteInvite": {"success": True}}
    assert "dora" not in members(ask, "research")


def test_who_has_no_address_is_not_invited_by_none(graphql: Ask, team: Team, alice: User) -> None:
    factories.make_user("operator")
    User.objects.filter(username="operator").update(email="")
    for nothing in ({}, {"email": ""}, {"username": "", "email": None}):
        assert graphql(alice)(INVITE, team="research", **nothing).status == 400
    assert "operator" not in members(graphql(alice), "research")


def test_members_are_for_admins_of_the_team(graphql: Ask, team: Team, alice: User, bob: User, charlie: User) -> None:
    number = members(graphql(alice), "research")["alice"]["id"]

    for user, status in ((bob, 403), (charlie, 404)):
        assert graphql(user)(INVITE, team="research", username="charlie").status == status
        assert graphql(user)(INVITE, team="research", email="x@example.com").status == status
        assert graphql(user)(REMOVE, team="research", id=number).status == status
    assert graphql(alice)(REMOVE, team="alice", id=number).status == 404
    last = graphql(alice)(REMOVE, team="research", id=number)
    assert (last.status, "only admin" in last.errors[0]) == (400, True)
    assert "Nobody has the e-mail address" in graphql(alice)(INVITE, team="research", email="x@y").errors[0]


def test_what_this_server_does_in_another_way_is_refused_with_how(graphql: Ask, team: Team, alice: User) -> None:
    answer = graphql(alice)(
        'mutation { createServiceAccount(input: {entityName: "research", description: "ci"}) { user { id } } }'
    )

    assert answer.status == 400
    assert "manage.py provision" in answer.errors[0]


def test_members_cost_the_same_for_3_and_for_30(graphql: Ask, team: Team, alice: User) -> None:
    ask = graphql(alice)
    costs = []
    for last in (3, 30):
        for number in range(last):
            factories.make_team(member=factories.make_user(f"member{number}"))
        members(ask, "research")
        with CaptureQueriesContext(connection) as queries:
            assert len(members(ask, "research")) == last + 2
        costs.append(len(queries))

    assert costs[0] == costs[1]
