"""Who am I, and the teams, organizations and projects one may see."""

import json
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from projects import teams
from projects.models import Organization, Project, Role, Team, User
from tests import factories

Api = Callable[[User | None], APIClient]


def names(answer: object) -> list[str]:
    return [row["name"] for row in answer.json()["results"]]  # type: ignore[attr-defined]


def test_me_tells_the_teams_and_roles_of_whoever_asks(api: Api, bob: User, team: Team) -> None:
    found = api(bob).get("/api/me/").json()

    assert found["username"] == "bob"
    assert found["is_instance_admin"] is False
    assert {(row["name"], row["role"], row["is_personal"]) for row in found["teams"]} == {
        ("bob", "admin", True),
        ("research", "member", False),
    }
    assert found["organizations"] == [{"name": "acme", "role": None}]


def test_an_admin_of_the_organization_is_admin_of_its_teams(api: Api, charlie: User, team: Team) -> None:
    assert team.organization is not None
    teams.set_organization_role(charlie, organization=team.organization, role=Role.ADMIN)

    assert api(charlie).get("/api/teams/research/").json()["role"] == "admin"
    assert api(charlie).get("/api/organizations/").json()["results"] == [{"name": "acme", "role": "admin"}]


def test_an_instance_admin_sees_all_as_admin(api: Api, team: Team) -> None:
    root = factories.make_user("operator", superuser=True)

    assert api(root).get("/api/teams/research/").json()["role"] == "admin"
    assert api(root).get("/api/me/").json()["organizations"] == [{"name": "acme", "role": "admin"}]


def test_an_admin_says_in_which_language_messages_of_the_team_are(api: Api, alice: User, bob: User, team: Team) -> None:
    changed = api(alice).patch("/api/teams/research/", {"language": "ja"})
    assert changed.json()["language"] == "ja"
    assert api(bob).get("/api/teams/research/").json()["language"] == "ja"
    assert api(bob).patch("/api/teams/research/", {"language": "en"}).status_code == 403
    assert api(alice).patch("/api/teams/research/", {"language": "tlh"}).status_code == 400


def test_a_stranger_sees_only_their_own_team(api: Api, charlie: User, team: Team, project: Project) -> None:
    """AZ1"""
    client = api(charlie)

    assert names(client.get("/api/teams/")) == ["charlie"]
    assert client.get("/api/organizations/").json()["results"] == []
    for hidden in ("/api/teams/research/", "/api/teams/research/projects/", "/api/projects/research/digits/"):
        there, nowhere = client.get(hidden), client.get(hidden.replace("research", "nowhere"))
        assert there.status_code == nowhere.status_code == 404
        assert there.json()["detail"].replace("research", "nowhere") == nowhere.json()["detail"]


def test_a_member_creates_a_project_once(api: Api, bob: User, team: Team) -> None:
    client = api(bob)

    made = client.post("/api/teams/research/projects/", {"name": "digits", "description": "Digits"})
    again = client.post("/api/teams/research/projects/", {"name": "digits"})

    assert made.status_code == 201
    assert made.json() | {"created_at": ""} == {
        "team": "research",
        "name": "digits",
        "description": "Digits",
        "created_at": "",
    }
    assert again.status_code == 409
    assert names(client.get("/api/teams/research/projects/")) == ["digits"]


@pytest.mark.parametrize("name", ["a/b", "a:b", "..", "", "x" * 129, 7, None, ["digits"], "nul\x00", "\ud800"])
def test_a_name_that_cannot_be_an_address_is_refused_with_its_field(
    api: Api, bob: User, team: Team, name: object
) -> None:
    answer = api(bob).generic("POST", "/api/teams/research/projects/", json.dumps({"name": name}), "application/json")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "name"
    assert not Project.objects.exists()


def test_lists_are_paged_by_cursor(api: Api, bob: User, team: Team) -> None:
    """IF3"""
    for number in range(5):
        factories.make_project(team, f"p{number}")
    client = api(bob)

    seen, address = [], "/api/teams/research/projects/?page_size=2"
    while address:
        page = client.get(address).json()
        assert len(page["results"]) <= 2
        seen += [row["name"] for row in page["results"]]
        address = page["next"]

    assert seen == ["p0", "p1", "p2", "p3", "p4"]


def test_a_page_has_at_most_500_rows(api: Api, bob: User, team: Team) -> None:
    Project.objects.bulk_create(Project(team=team, name=f"p{number}") for number in range(501))

    assert len(api(bob).get("/api/teams/research/projects/?page_size=100000").json()["results"]) == 500


@pytest.mark.parametrize("cursor", ["x", "cD0lMDA=", "bz05OTk5OTk5OTk5OTk5", "cD1hJnI9MQ==", "%00", "cD3tn4A="])
@pytest.mark.parametrize("place", ["teams", "projects/research/digits/runs", "registries", "automations", "executions"])
def test_a_cursor_nobody_made_is_no_fault_of_the_server(
    api: Api, bob: User, project: Project, cursor: str, place: str
) -> None:
    assert api(bob).get(f"/api/{place}/?cursor={cursor}").status_code in {200, 400, 404}


@pytest.mark.parametrize("address", ["/api/teams/", "/api/organizations/", "/api/teams/research/projects/", "/api/me/"])
def test_lists_cost_the_same_queries_for_3_rows_and_for_30(api: Api, bob: User, team: Team, address: str) -> None:
    client = api(bob)
    client.get(address)
    costs = []
    for last in (3, 30):
        for number in range(last - 3 if last > 3 else 0, last):
            organization = Organization.objects.get_or_create(name=f"o{number}")[0]
            other = factories.make_team(f"t{number}", organization, member=bob)
            factories.make_project(team, f"p{number}")
            factories.make_project(other)
        with CaptureQueriesContext(connection) as queries:
            client.get(address)
        costs.append(len(queries))

    assert costs[0] == costs[1]
