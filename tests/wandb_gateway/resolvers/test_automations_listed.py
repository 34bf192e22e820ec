"""Lists of automations by the client's own operations: what is in them, for whom, and at what cost (SC3, IF5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from wandb.automations._generated.operations import (
    GET_AUTOMATIONS_LEGACY_GQL,
    GET_ENTITY_AUTOMATIONS_GQL,
    GET_ENTITY_AUTOMATIONS_LEGACY_GQL,
)

from automations.models import Automation, EventType
from projects.models import Project, Team, User
from registries.models import Registry
from tests import factories

Ask = Callable[[User | None], Any]

NAN = {"name": "loss", "agg_op": None, "window_size": 1, "cmp_op": "$nonfinite", "threshold": None}


def listed(ask: Any, entity: str, **variables: Any) -> list[dict[str, Any]]:
    found = ask.data(GET_ENTITY_AUTOMATIONS_GQL, entity=entity, **variables)["scope"]["triggers"]
    return [edge["node"] for edge in found["edges"]]


def named(ask: Any, entity: str, **variables: Any) -> list[str]:
    return [node["name"] for node in listed(ask, entity, **variables)]


def test_an_entity_lists_what_is_in_it_and_nothing_else(
    graphql: Ask, project: Project, registry: Registry, bob: User, charlie: User
) -> None:
    team, organization = project.team, registry.organization
    version = factories.make_version(project)
    for scope, name in (
        (team, "team"),
        (project, "project"),
        (version.collection, "collection"),
        (registry, "registry"),
        (factories.make_collection(registry), "registry collection"),
        (organization, "organization"),
        (factories.make_project(charlie.personal_team), "charlie's"),
    ):
        factories.make_automation(scope, EventType.ADD_ARTIFACT_ALIAS, name=name)
    ask = graphql(bob)

    assert named(ask, "research", order="-name") == ["team", "project", "collection"]
    assert sorted(named(ask, "acme")) == ["organization", "registry", "registry collection"]
    assert named(ask, "bob") == []
    assert ask.data(GET_ENTITY_AUTOMATIONS_GQL, entity="charlie") == {"scope": None}
    kinds = {node["name"]: node["scope"] for node in listed(ask, "research") + listed(ask, "acme")}
    assert {name: scope["__typename"] for name, scope in kinds.items()} == {
        "team": "Entity",
        "project": "Project",
        "collection": "ArtifactSequence",
        "registry": "Project",
        "registry collection": "ArtifactPortfolio",
        "organization": "Entity",
    }
    assert [kinds[name]["entityType"] for name in ("team", "organization")] == ["team", "organization"]


def test_a_list_is_narrowed_by_name_and_paged(graphql: Ask, project: Project, alice: User) -> None:
    for number in range(5):
        factories.make_automation(project, name=f"n{number}")
    ask = graphql(alice)

    assert named(ask, "research", filters='{"name":"n3"}') == ["n3"]
    assert named(ask, "research", filters='{"name":"n9"}') == []
    first = ask.data(GET_ENTITY_AUTOMATIONS_GQL, entity="research", perPage=2)["scope"]["triggers"]
    assert first["pageInfo"]["hasNextPage"]
    assert named(ask, "research", perPage=4, cursor=first["pageInfo"]["endCursor"]) == ["n2", "n3", "n4"]
    assert ask(GET_ENTITY_AUTOMATIONS_GQL, entity="research", filters='{"scope":"x"}').status == 400


def test_if5_what_the_client_cannot_express_stays_out_while_the_others_come(
    graphql: Ask, project: Project, team: Team, alice: User
) -> None:
    webhook = factories.make_webhook(team)
    factories.make_automation(project, name="a run fails")
    factories.make_automation(project, EventType.RUN_ALERT, name="an alert", condition={})
    factories.make_automation(project, EventType.RUN_METRIC, name="NaN", condition=NAN)
    factories.make_automation(project, EventType.RUN_STALL, name="a stall")
    of_one = factories.make_version(project).collection
    factories.make_automation(of_one, EventType.ARTIFACT_ABSENCE, name="an absence")
    broken = factories.make_automation(project, name="it turned invalid", webhook=webhook)
    Automation.objects.filter(pk=broken.pk).update(payload="{")
    factories.make_automation(project, name="not bob's", filter={"$nor": [{"user": "bob"}]})
    factories.make_automation(project, name="a list is sent", webhook=webhook, payload='["${run_name}"]')
    ask = graphql(alice)

    assert named(ask, "research") == ["a run fails"]
    legacy = ask.data(GET_AUTOMATIONS_LEGACY_GQL)["scope"]["projects"]["edges"]
    assert [one["name"] for edge in legacy for one in edge["node"]["triggers"]] == ["a run fails"]


def test_the_viewers_projects_show_those_of_projects_and_registries(
    graphql: Ask, project: Project, registry: Registry, bob: User, charlie: User
) -> None:
    version = factories.make_version(project)
    factories.make_automation(project, name="project")
    factories.make_automation(version.collection, EventType.ADD_ARTIFACT_ALIAS, name="collection")
    factories.make_automation(registry, EventType.LINK_ARTIFACT, name="registry")
    factories.make_automation(factories.make_collection(registry), EventType.LINK_ARTIFACT, name="shelf")

    def found(user: User, query: str = GET_AUTOMATIONS_LEGACY_GQL, **variables: str) -> list[list[str]]:
        edges = graphql(user).data(query, **variables)["scope"]["projects"]["edges"]
        return [[one["name"] for one in edge["node"]["triggers"]] for edge in edges]

    assert found(bob) == [["project", "collection"], ["registry", "shelf"]]
    assert found(charlie) == []
    assert found(bob, GET_ENTITY_AUTOMATIONS_LEGACY_GQL, entity="research") == [["project", "collection"]]
    assert found(bob, GET_ENTITY_AUTOMATIONS_LEGACY_GQL, entity="acme") == [["registry", "shelf"]]


@pytest.mark.parametrize(
    "query", [GET_ENTITY_AUTOMATIONS_GQL, GET_AUTOMATIONS_LEGACY_GQL, GET_ENTITY_AUTOMATIONS_LEGACY_GQL]
)
def test_200_automations_cost_as_many_queries_as_2(graphql: Ask, team: Team, alice: User, query: str) -> None:
    projects = [factories.make_project(team, f"p{number}") for number in range(10)]
    webhook = factories.make_webhook(team)
    ask = graphql(alice)
    variables = {"entity": "research"} if "$entity" in query else {}

    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            ask.data(query, perPage=500, **variables)
        return len(asked)

    for project in projects[:2]:
        factories.make_automation(project, webhook=webhook)
    cost()  # the first use of a key is written down
    few = cost()
    for number in range(198):
        factories.make_automation(projects[number % 10], name=f"n{number}", webhook=webhook)

    assert cost() == few
    assert few < 15
