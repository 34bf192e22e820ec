"""Registries of an organization: what is in them, and who."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from projects import teams
from projects.models import Organization, Project, Role, Team, User
from registries.models import Registry, RegistryMember, RegistryTeam, Visibility
from tests import factories

Ask = Callable[[User | None], Any]

COLLECTIONS = """query($organization: String!, $registryFilter: JSONString, $collectionFilter: JSONString,
        $collectionTypes: [ArtifactCollectionType!] = [PORTFOLIO], $order: String) {
    organization(name: $organization) { orgEntity { name artifactCollections(projectFilters: $registryFilter,
        filters: $collectionFilter, collectionTypes: $collectionTypes, first: 100, order: $order) {
            totalCount edges { node { __typename id name project { name internalId entity { name } }
                type: defaultArtifactType { name } tags { edges { node { name } } } } } } } } }"""
VERSIONS = """query($organization: String!, $registryFilter: JSONString, $collectionFilter: JSONString,
        $artifactFilter: JSONString, $order: String) {
    organization(name: $organization) { orgEntity { artifactMemberships(projectFilters: $registryFilter,
        collectionFilters: $collectionFilter, filters: $artifactFilter, first: 100, order: $order) {
            edges { node { versionIndex aliases { alias } artifactCollection { name }
                artifact { id metadata artifactSequence { name project { name } } } } } } } } }"""
USERS = """query($project: String!) { project(name: $project, entityName: "acme") {
    members { id name username email role { name } } } }"""
TEAMS = """query($project: String!) { project(name: $project, entityName: "acme") { teamMembers { role { name } team {
    __typename id name available photoUrl readOnly readOnlyAdmin isTeam entityType privateOnly storageBytes
    codeSavingEnabled defaultAccess isPaid members {
        __typename id role pending email username name accountType } } } } }"""
ADD = "mutation($input: CreateProjectMembersInput!) { result: createProjectMembers(input: $input) { success } }"
REMOVE = "mutation($input: DeleteProjectMembersInput!) { result: deleteProjectMembers(input: $input) { success } }"
CHANGE = "mutation($input: UpdateProjectMemberInput!) { result: updateProjectMember(input: $input) { success } }"
CHANGE_TEAM = """mutation($input: UpdateProjectTeamMemberInput!) {
    result: updateProjectTeamMember(input: $input) { success } }"""
IDS = """{ project(name: "wandb-registry-models", entityName: "acme") { id }
    entity(name: "research") { id } users(query: "bob") { edges { node { id } } } }"""


@pytest.fixture
def linked(project: Project, registry: Registry) -> None:
    """Two versions of a model in a collection of models, one of a data set in a registry of its own."""
    classifier = factories.make_collection(registry)
    for number in range(2):
        version = factories.make_version(project, metadata={"number": number}, tags=[f"tag{number}"])
        factories.make_link(version, classifier, aliases=[f"alias{number}"])
    shelf = factories.make_collection(factories.make_registry(registry.organization, "data"), "digits", type="dataset")
    factories.make_link(factories.make_version(project, "images", "dataset"), shelf)


def collections(ask: Any, **filters: Any) -> list[str]:
    asked = {name: json.dumps(value) for name, value in filters.items()}
    found = ask.data(COLLECTIONS, organization="acme", **asked)["organization"]["orgEntity"]["artifactCollections"]
    assert found["totalCount"] == len(found["edges"])
    return [edge["node"]["name"] for edge in found["edges"]]


def versions(ask: Any, order: str | None = None, **filters: Any) -> list[str]:
    asked = {name: json.dumps(value) for name, value in filters.items()}
    found = ask.data(VERSIONS, organization="acme", order=order, **asked)["organization"]["orgEntity"]
    nodes = [edge["node"] for edge in found["artifactMemberships"]["edges"]]
    return [f"{node['artifactCollection']['name']}:v{node['versionIndex']}" for node in nodes]


def test_collections_of_all_registries(graphql: Ask, linked: None, registry: Registry, bob: User) -> None:
    ask = graphql(bob)

    assert collections(ask) == ["classifier", "digits"]
    assert collections(ask, registryFilter={"name": "wandb-registry-data"}) == ["digits"]
    assert collections(ask, registryFilter={"id": registry.pk}) == ["classifier"]
    assert collections(ask, collectionFilter={"name": {"$regex": "^class"}}) == ["classifier"]
    found = ask.data(COLLECTIONS, organization="acme", collectionTypes=["SEQUENCE"])
    assert found["organization"]["orgEntity"]["artifactCollections"]["edges"] == []


def test_versions_of_all_registries(graphql: Ask, linked: None, bob: User) -> None:
    ask = graphql(bob)

    assert versions(ask) == ["classifier:v0", "classifier:v1", "digits:v0"]
    assert versions(ask, "-created_at") == ["digits:v0", "classifier:v1", "classifier:v0"]
    assert versions(ask, artifactFilter={"alias": "alias1"}) == ["classifier:v1"]
    assert versions(ask, artifactFilter={"tag": "tag0"}) == ["classifier:v0"]
    assert versions(ask, artifactFilter={"metadata.number": {"$gte": 1}}) == ["classifier:v1"]
    assert versions(ask, collectionFilter={"name": "digits"}) == ["digits:v0"]
    assert versions(ask, registryFilter={"name": {"$in": ["wandb-registry-data"]}}) == ["digits:v0"]


def test_what_one_may_not_see_is_in_no_list(graphql: Ask, linked: None, bob: User, charlie: User) -> None:
    """AZ1"""
    Registry.objects.filter(name="data").update(visibility=Visibility.RESTRICTED)

    assert collections(graphql(bob)) == ["classifier"]
    assert versions(graphql(bob)) == ["classifier:v0", "classifier:v1"]
    assert graphql(charlie).data(COLLECTIONS, organization="acme") == {"organization": None}
    # Who sees the registry, but not the project, is not told where the version was logged.
    vision = factories.make_team("vision", Organization.objects.get(), member=charlie)
    assert vision.organization is not None
    nodes = graphql(charlie).data(VERSIONS, organization="acme")["organization"]["orgEntity"]["artifactMemberships"]
    assert {edge["node"]["artifact"]["artifactSequence"]["name"] for edge in nodes["edges"]} == {"hidden"}


def test_people_and_teams_are_let_in_given_roles_and_removed(
    graphql: Ask, registry: Registry, team: Team, alice: User, bob: User
) -> None:
    ask = graphql(alice)
    found = ask.data(IDS)
    place, group = found["project"]["id"], found["entity"]["id"]
    person = found["users"]["edges"][0]["node"]["id"]

    ask.data(ADD, input={"projectId": place, "userIds": [person], "teamIds": [group]})
    ask.data(ADD, input={"projectId": place, "userIds": [person], "teamIds": []})
    ask.data(CHANGE, input={"projectId": place, "userId": person, "userProjectRole": "admin"})
    ask.data(CHANGE_TEAM, input={"projectId": place, "teamId": group, "teamProjectRole": "viewer"})

    users = ask.data(USERS, project="wandb-registry-models")["project"]["members"]
    assert [(one["username"], one["role"]["name"], one["email"]) for one in users] == [
        ("alice", "admin", ""),
        ("bob", "admin", ""),
    ]
    assert users[1]["id"] == person
    groups = ask.data(TEAMS, project="wandb-registry-models")["project"]["teamMembers"]
    assert [(one["team"]["id"], one["role"]["name"]) for one in groups] == [(group, "viewer")]
    assert [one["username"] for one in groups[0]["team"]["members"]] == ["alice", "bob"]
    assert groups[0]["team"]["readOnly"] is False
    ask.data(REMOVE, input={"projectId": place, "userIds": [person], "teamIds": [group]})
    assert [str(one.user) for one in RegistryMember.objects.all()] == ["alice"]
    assert not RegistryTeam.objects.exists()


def test_new_members_are_members(graphql: Ask, registry: Registry, alice: User, bob: User) -> None:
    found = graphql(alice).data(IDS)

    person = found["users"]["edges"][0]["node"]["id"]
    graphql(alice).data(ADD, input={"projectId": found["project"]["id"], "userIds": [person]})

    assert RegistryMember.objects.get(user=bob).role == Role.MEMBER


def test_only_admins_of_the_registry_change_who_is_in_it(
    graphql: Ask, registry: Registry, alice: User, bob: User, charlie: User
) -> None:
    found = graphql(alice).data(IDS)
    person = {"projectId": found["project"]["id"], "userIds": [found["users"]["edges"][0]["node"]["id"]]}
    role = {"projectId": person["projectId"], "userId": person["userIds"][0], "userProjectRole": "admin"}

    for user, status in ((bob, 403), (charlie, 404)):
        for query in (ADD, REMOVE):
            assert graphql(user)(query, input=person).status == status
    missing = graphql(alice)(CHANGE, input=role)
    odd = graphql(alice)(CHANGE, input=role | {"userProjectRole": "restricted_viewer"})
    graphql(alice).data(ADD, input=person)
    unknown = graphql(alice)(CHANGE, input=role | {"userProjectRole": "restricted_viewer"})

    assert (missing.status, odd.status, unknown.status) == (404, 404, 400)
    assert "admin, member, viewer" in unknown.errors[0]


def test_people_of_elsewhere_and_organizations_are_not_let_in(
    graphql: Ask, registry: Registry, project: Project, alice: User, charlie: User
) -> None:
    umbrella = factories.make_team("umbrella-lab", factories.make_organization("umbrella"), member=charlie)
    teams.set_role(alice, team=umbrella, role=Role.MEMBER)
    ask = graphql(alice)
    ids = ask.data("""{ users(query: "charlie") { edges { node { id } } } lab: entity(name: "umbrella-lab") { id }
        acme: entity(name: "acme") { id } project(name: "digits", entityName: "research") { id } }""")
    place = ask.data(IDS)["project"]["id"]

    for members in ({"userIds": [ids["users"]["edges"][0]["node"]["id"]]}, {"teamIds": [ids["lab"]["id"]]}):
        refused = ask(ADD, input={"projectId": place} | members)
        assert (refused.status, "Not of the organization acme" in refused.errors[0]) == (400, True)
    assert ask(ADD, input={"projectId": place, "teamIds": [ids["acme"]["id"]]}).status == 400
    assert ask(ADD, input={"projectId": ids["project"]["id"], "teamIds": []}).status == 400
    assert ask(ADD, input={"projectId": place, "userIds": ["VXNlcjo5OTk5OQ=="]}).status == 404
    assert ask(ADD, input={"projectId": place, "userIds": ["junk"]}).status == 404


def test_members_of_a_project_are_those_of_its_team(graphql: Ask, project: Project, bob: User) -> None:
    query = """{ project(name: "digits", entityName: "research") { members { username role { name } }
        teamMembers { role { name } } } }"""

    assert graphql(bob).data(query)["project"] == {
        "members": [
            {"username": "alice", "role": {"name": "admin"}},
            {"username": "bob", "role": {"name": "member"}},
        ],
        "teamMembers": [],
    }


@pytest.mark.parametrize("query", [COLLECTIONS, VERSIONS, USERS, TEAMS])
def test_lists_cost_the_same_for_3_and_for_30(graphql: Ask, registry: Registry, alice: User, query: str) -> None:
    ask = graphql(alice)
    acme = Organization.objects.get()
    teams.set_organization_role(alice, organization=acme, role=Role.ADMIN)
    costs = []
    for first, last in ((0, 3), (3, 30)):
        for number in range(first, last):
            version = factories.make_version(collection=f"model{number}", tags=["t"])
            factories.make_link(version, factories.make_collection(registry, f"c{number}"), aliases=["a"])
            RegistryMember.objects.create(registry=registry, user=factories.make_user(f"user{number}"))
            RegistryTeam.objects.create(registry=registry, team=factories.make_team(f"team{number}", acme, admin=alice))
        asked = {"organization": "acme", "project": "wandb-registry-models"}
        ask.data(query, **asked)
        with CaptureQueriesContext(connection) as queries:
            ask.data(query, **asked)
        costs.append(len(queries))

    assert costs[0] == costs[1]
