"""Registries and links over REST."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from projects import teams
from projects.models import Project, Role, Team, User
from registries.models import Membership, Registry, RegistryMember
from tests import factories

Api = Callable[[User | None], APIClient]
MODELS = "/api/registries/acme/models/"
CHAMPION = f"{MODELS}collections/champion/"


@pytest.fixture
def champion(registry: Registry) -> Registry:
    factories.make_collection(registry, "champion")
    return registry


def test_admins_of_the_organization_create_registries(api: Api, alice: User, bob: User, team: Team) -> None:
    assert team.organization is not None
    teams.set_organization_role(alice, organization=team.organization, role=Role.ADMIN)

    made = api(alice).post("/api/registries/acme/", {"name": "models", "description": "Shelf"})
    assert (made.status_code, made.json()["description"]) == (201, "Shelf")
    assert api(alice).post("/api/registries/acme/", {"name": "models"}).status_code == 409

    refused = api(bob).post("/api/registries/acme/", {"name": "mine"})
    assert refused.status_code == 403
    assert refused.json()["detail"] == "You may not create registries in acme. Ask an admin of the organization."
    assert [row["name"] for row in api(bob).get("/api/registries/acme/").json()["results"]] == ["models"]
    assert [row["name"] for row in api(bob).get("/api/registries/").json()["results"]] == ["models"]


def test_a_stranger_finds_no_registry(api: Api, charlie: User, champion: Registry) -> None:
    """AZ1"""
    client = api(charlie)

    assert client.get("/api/registries/").json()["results"] == []
    for hidden in ("/api/registries/acme/", MODELS, f"{MODELS}collections/", CHAMPION, f"{CHAMPION}versions/"):
        assert client.get(hidden).status_code == 404
    assert client.post("/api/registries/acme/", {"name": "mine"}).status_code == 404
    assert client.post(f"{CHAMPION}links/", {"version": "a/b/c:v0"}).status_code == 404


def test_a_version_is_linked_once_and_gets_a_number_of_its_own(
    api: Api, bob: User, project: Project, champion: Registry
) -> None:
    factories.make_version(project)
    factories.make_version(project)
    client = api(bob)

    linked = client.post(f"{CHAMPION}links/", {"version": "research/digits/model:latest", "aliases": ["production"]})
    again = client.post(f"{CHAMPION}links/", {"version": "research/digits/model:v1", "aliases": ["staging"]})

    assert (linked.status_code, again.status_code) == (201, 200)
    found = again.json()
    assert (found["version"], found["collection"]) == ("v0", "acme/models/champion")
    assert found["aliases"] == ["latest", "production", "staging"]
    assert found["source"] == "research/digits/model"
    assert client.get(f"{CHAMPION}versions/production/").json() == found
    assert client.get(f"{CHAMPION}versions/").json()["results"] == [found]


def test_aliases_of_a_link_are_the_links_own(api: Api, bob: User, project: Project, champion: Registry) -> None:
    factories.make_version(project)
    client = api(bob)
    client.post(f"{CHAMPION}links/", {"version": "research/digits/model:v0"})

    assert client.post(f"{CHAMPION}versions/v0/aliases/", {"alias": "production"}).status_code == 201
    assert client.post(f"{CHAMPION}versions/v0/tags/", {"tag": "checked"}).status_code == 201

    source = client.get("/api/projects/research/digits/collections/model/versions/v0/").json()
    assert (source["aliases"], source["tags"]) == (["latest"], ["checked"])
    assert client.delete(f"{CHAMPION}versions/v0/aliases/production/").status_code == 204


def test_unlinking_leaves_the_version_where_it_was_logged(
    api: Api, bob: User, project: Project, champion: Registry
) -> None:
    factories.make_version(project)
    client = api(bob)
    client.post(f"{CHAMPION}links/", {"version": "research/digits/model:v0"})

    assert client.delete(f"{CHAMPION}versions/v0/").status_code == 204
    assert client.get(f"{CHAMPION}versions/v0/").status_code == 404
    own = "/api/projects/research/digits/collections/model/versions/v0/"
    assert client.get(own).status_code == 200
    assert client.delete(own).status_code == 405


@pytest.mark.parametrize(
    "version",
    [
        "model:v0",
        "research/digits/model",
        "research/digits/model:v9",
        "x/y/z:v0",
        "a/b/c/d:v0",
        "",
        7,
        None,
        "a/b/c:\x00",
    ],
)
def test_a_version_that_is_not_there_is_refused_with_its_field(
    api: Api, bob: User, project: Project, champion: Registry, version: object
) -> None:
    factories.make_version(project)

    answer = api(bob).post(f"{CHAMPION}links/", {"version": version})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "version")


def test_who_links_must_see_the_source(api: Api, bob: User, champion: Registry) -> None:
    """AZ1"""
    hidden = factories.make_project(factories.make_team("secret"), "digits")
    factories.make_version(hidden)

    there = api(bob).post(f"{CHAMPION}links/", {"version": "secret/digits/model:v0"})
    nowhere = api(bob).post(f"{CHAMPION}links/", {"version": "nowhere/digits/model:v0"})

    assert there.status_code == nowhere.status_code == 400
    assert there.json()["detail"].replace("secret", "nowhere") == nowhere.json()["detail"]
    assert not Membership.objects.filter(collection__registry=champion).exists()


def test_readers_of_a_registry_do_not_learn_of_projects_they_cannot_see(
    api: Api, bob: User, champion: Registry
) -> None:
    """AZ1"""
    hidden = factories.make_project(factories.make_team("secret"), "digits")
    run = factories.make_run(hidden, run_id="hidden-run")
    source = factories.make_version(hidden, run=run)
    factories.make_link(source, champion.collections.get())

    for address in (f"{CHAMPION}versions/", f"{CHAMPION}versions/v0/"):
        answer = api(bob).get(address)
        assert answer.status_code == 200
        assert b"secret" not in answer.content
        assert b"hidden-run" not in answer.content


def test_another_type_is_a_conflict(api: Api, bob: User, project: Project, champion: Registry) -> None:
    factories.make_version(project, collection="data", type="dataset")

    assert api(bob).post(f"{CHAMPION}links/", {"version": "research/digits/data:v0"}).status_code == 409


def test_a_bad_alias_links_nothing(api: Api, bob: User, project: Project, champion: Registry) -> None:
    factories.make_version(project)

    answer = api(bob).post(
        f"{CHAMPION}links/", {"version": "research/digits/model:v0", "aliases": ["fine", "not fine"]}
    )

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "aliases")
    assert not Membership.objects.filter(collection__registry=champion).exists()


def test_members_of_a_registry_create_collections_and_viewers_do_not(
    api: Api, bob: User, charlie: User, registry: Registry
) -> None:
    RegistryMember.objects.create(registry=registry, user=charlie, role=Role.VIEW_ONLY)
    body = {"name": "champion", "type": "model"}

    assert api(charlie).get(MODELS).status_code == 200
    assert api(charlie).post(f"{MODELS}collections/", body).status_code == 403
    assert api(bob).post(f"{MODELS}collections/", body).status_code == 201
    assert api(bob).post(f"{MODELS}collections/", body).status_code == 409
    assert api(charlie).get(f"{MODELS}collections/").json()["results"][0]["path"] == "acme/models/champion"


def test_lists_cost_the_same_queries_for_3_links_and_for_30(
    api: Api, bob: User, project: Project, champion: Registry
) -> None:
    client = api(bob)
    client.get(f"{CHAMPION}versions/")
    costs = []
    for more in (3, 27):
        for number in range(more):
            source = factories.make_version(project, run=factories.make_run(project))
            factories.make_link(source, champion.collections.get(name="champion"), aliases=[f"a{more}.{number}"])
            factories.make_collection(champion, f"c{more}.{number}")
            factories.make_registry(champion.organization, f"r{more}.{number}")
        with CaptureQueriesContext(connection) as queries:
            for address in (
                "/api/registries/",
                "/api/registries/acme/",
                f"{MODELS}collections/",
                f"{CHAMPION}versions/",
            ):
                client.get(address)
        costs.append(len(queries))

    assert costs[0] == costs[1]
