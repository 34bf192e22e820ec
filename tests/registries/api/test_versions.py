"""Versions, aliases and tags over REST, in projects."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from automations.models import Event
from projects.models import Project, Team, User
from registries.models import Artifact, Collection
from tests import factories

Api = Callable[[User | None], APIClient]
HOME = "/api/projects/research/digits/"
VERSIONS = f"{HOME}collections/model/versions/"


def test_a_script_logs_a_version(api: Api, bob: User, project: Project) -> None:
    run = factories.make_run(project, run_id="first")

    answer = api(bob).post(
        f"{HOME}artifacts/",
        {
            "collection": "model",
            "type": "model",
            "metadata": {"accuracy": 0.97},
            "aliases": ["candidate"],
            "tags": ["checked twice"],
            "run": run.run_id,
        },
    )

    assert answer.status_code == 201
    assert answer.json() | {"created_at": ""} == {
        "version": "v0",
        "version_index": 0,
        "collection": "research/digits/model",
        "type": "model",
        "aliases": ["latest", "candidate"],
        "tags": ["checked twice"],
        "metadata": {"accuracy": 0.97},
        "description": "",
        "digest": "",
        "run": "first",
        "user": "bob",
        "source": None,
        "created_at": "",
    }


def test_project_and_collection_are_made_on_demand(api: Api, bob: User, team: Team) -> None:
    client = api(bob)

    assert (
        client.post("/api/projects/research/new/artifacts/", {"collection": "data", "type": "set"}).status_code == 201
    )
    listed = client.get("/api/projects/research/new/collections/").json()["results"]
    assert [(row["name"], row["type"], row["path"]) for row in listed] == [("data", "set", "research/new/data")]
    assert client.get("/api/projects/research/new/collections/data/").json() == listed[0]


def test_a_version_is_found_by_number_alias_and_latest(api: Api, bob: User, project: Project) -> None:
    """EV2"""
    factories.make_version(project, aliases=["production"])
    factories.make_version(project)
    client = api(bob)

    def index(version: str) -> int:
        return client.get(f"{VERSIONS}{version}/").json()["version_index"]

    assert (index("v0"), index("production"), index("v1"), index("latest")) == (0, 0, 1, 1)
    listed = client.get(VERSIONS).json()["results"]
    assert [(row["version"], row["aliases"]) for row in listed] == [("v1", ["latest"]), ("v0", ["production"])]
    for missing in ("v2", "v01", "v99999999999999999999", "staging", "v0%20"):
        assert client.get(f"{VERSIONS}{missing}/").status_code == 404


def test_an_alias_moves_to_the_version_it_is_given_to(api: Api, bob: User, project: Project) -> None:
    """EV2"""
    factories.make_version(project, aliases=["production"])
    factories.make_version(project)
    client = api(bob)

    moved = client.post(f"{VERSIONS}v1/aliases/", {"alias": "production"})
    again = client.post(f"{VERSIONS}v1/aliases/", {"alias": "production"})

    assert (moved.status_code, moved.json()["aliases"]) == (201, ["latest", "production"])
    assert (again.status_code, again.json()) == (200, moved.json())
    assert client.get(f"{VERSIONS}v0/").json()["aliases"] == []


def test_an_alias_is_removed_from_the_version_that_has_it(api: Api, bob: User, project: Project) -> None:
    factories.make_version(project, aliases=["production"])
    factories.make_version(project)
    client = api(bob)

    refused = client.delete(f"{VERSIONS}v1/aliases/production/")
    assert (refused.status_code, refused.json()["detail"]) == (
        404,
        "research/digits/model:v1 has no alias “production”.",
    )
    assert client.delete(f"{VERSIONS}v0/aliases/production/").status_code == 204
    assert client.get(f"{VERSIONS}production/").status_code == 404


def test_tags_come_and_go(api: Api, bob: User, project: Project) -> None:
    factories.make_version(project)
    client = api(bob)

    assert client.post(f"{VERSIONS}v0/tags/", {"tag": "looks good"}).json()["tags"] == ["looks good"]
    assert client.post(f"{VERSIONS}v0/tags/", {"tag": "looks good"}).status_code == 200
    assert client.delete(f"{VERSIONS}v0/tags/looks good/").status_code == 204
    assert client.delete(f"{VERSIONS}v0/tags/looks good/").status_code == 404


@pytest.mark.parametrize(
    "alias", ["to production", "", "a/b", "a:b", "latest", "v7", "x" * 129, 7, None, ["a"], "nul\x00", "\ud800", " a"]
)
def test_a_bad_alias_is_refused_with_its_field(api: Api, bob: User, project: Project, alias: object) -> None:
    factories.make_version(project)
    events = Event.objects.count()

    answer = api(bob).generic("POST", f"{VERSIONS}v0/aliases/", json.dumps({"alias": alias}), "application/json")

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "alias")
    assert Event.objects.count() == events


def test_the_sentence_says_what_an_alias_looks_like(api: Api, bob: User, project: Project) -> None:
    factories.make_version(project)

    answer = api(bob).post(f"{VERSIONS}v0/aliases/", {"alias": "to production"})

    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "alias: “to production” cannot be an alias: use 1 to 128 characters without spaces, “/” and “:”.",
        "errors": [
            {
                "field": "alias",
                "message": "“to production” cannot be an alias: use 1 to 128 characters without spaces, “/” and “:”.",
            }
        ],
    }


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"collection": "a/b"}, "collection"),
        ({"collection": None}, "collection"),
        ({"type": ""}, "type"),
        ({"type": "a:b"}, "type"),
        ({"metadata": "accuracy"}, "metadata"),
        ({"metadata": {"a": "nul\x00"}}, "metadata"),
        ({"aliases": ["fine", "not fine"]}, "aliases"),
        ({"aliases": "production"}, "aliases"),
        ({"aliases": [1]}, "aliases[0]"),
        ({"tags": ["no/slash"]}, "tags"),
        ({"run": "missing"}, "run"),
        ({"digest": "x" * 129}, "digest"),
    ],
)
def test_nothing_is_half_written_when_a_version_is_refused(
    api: Api, bob: User, team: Team, change: dict[str, Any], field: str
) -> None:
    body = {"collection": "model", "type": "model"} | change

    answer = api(bob).post("/api/projects/research/new/artifacts/", body)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert not Project.objects.exists()
    assert not Collection.objects.exists()
    assert not Artifact.objects.exists()


def test_a_collection_keeps_its_type(api: Api, bob: User, project: Project) -> None:
    factories.make_version(project)

    answer = api(bob).post(f"{HOME}artifacts/", {"collection": "model", "type": "dataset"})

    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("Collection model holds artifacts of type model, not dataset.")


def test_lists_cost_the_same_queries_for_3_versions_and_for_30(api: Api, bob: User, project: Project) -> None:
    client = api(bob)
    client.get(VERSIONS)
    costs = []
    for more in (3, 27):
        for number in range(more):
            run = factories.make_run(project)
            factories.make_version(project, aliases=[f"a{more}.{number}"], tags=["t"], run=run)
            factories.make_version(project, collection=f"c{more}.{number}")
        with CaptureQueriesContext(connection) as queries:
            client.get(VERSIONS)
            client.get(f"{HOME}collections/")
        costs.append(len(queries))

    assert costs[0] == costs[1]


def test_a_collection_is_tagged_and_untagged_as_a_whole(api: Api, project: Project, bob: User, charlie: User) -> None:
    factories.make_version(project, "digits")
    address = "/api/projects/research/digits/collections/digits/tags/"
    client = api(bob)

    assert client.post(address, {"tag": "gold"}, format="json").status_code == 201
    again = client.post(address, {"tag": "gold"}, format="json")
    assert (again.status_code, again.json()["tags"]) == (200, ["gold"])
    assert client.post(address, {"tag": "a/b"}, format="json").status_code == 400
    assert api(charlie).post(address, {"tag": "silver"}, format="json").status_code == 404
    listed = client.get("/api/projects/research/digits/collections/").json()["results"]
    assert [collection["tags"] for collection in listed] == [["gold"]]
    assert client.delete(f"{address}gold/").status_code == 204
    assert client.delete(f"{address}gold/").status_code == 404
