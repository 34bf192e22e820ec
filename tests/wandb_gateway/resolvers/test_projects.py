"""Projects and registries as one kind of thing: listed, made, renamed, deleted."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from projects import teams
from projects.models import Organization, Project, Role, Run, Team, User
from registries.models import Collection, Registry, RegistryMember
from tests import factories

Ask = Callable[[User | None], Any]

PROJECT = """query GetProject($name: String!, $entity: String) { project(name: $name, entityName: $entity) {
    __typename id internalId name entityName createdAt updatedAt isBenchmark user { username } description access views
    readOnly allowAllArtifactTypesInRegistry totalSweeps sweeps(first: 5) { edges { node { id } } }
} }"""
PROJECTS = """query GetProjects($entity: String, $cursor: String, $perPage: Int = 50) {
    models(entityName: $entity, after: $cursor, first: $perPage) {
        pageInfo { endCursor hasNextPage } edges { node { name entityName isBenchmark } } } }"""
REGISTRIES = """query($org: String!, $filters: JSONString, $order: String) { organization(name: $org) { orgEntity {
    projects(filters: $filters, order: $order, first: 50) { edges { node { name access } } } } } }"""
UPSERT = """mutation($input: UpsertModelInput!) { result: upsertModel(input: $input) {
    inserted model { name }
    project { id name entityName description access views allowAllArtifactTypesInRegistry } } }"""
RENAME = """mutation($input: RenameProjectInput!) { renameProject(input: $input) { inserted project { name } } }"""
DELETE = "mutation($id: String!) { deleteModel(input: {id: $id}) { success } }"


@pytest.fixture
def olga(team: Team) -> User:
    """Admin of the organization acme."""
    user = factories.make_user("olga")
    teams.set_organization_role(user, organization=Organization.objects.get(), role=Role.ADMIN)
    return user


def id_of(ask: Any, name: str, entity: str) -> str:
    found: str = ask.data(PROJECT, name=name, entity=entity)["project"]["id"]
    return found


def names(found: dict[str, Any]) -> list[str]:
    return [edge["node"]["name"] for edge in found["edges"]]


def test_a_project_is_found_by_its_name(graphql: Ask, project: Project, bob: User) -> None:
    found = graphql(bob).data(PROJECT, name="digits", entity="research")["project"]

    assert (found["__typename"], found["name"], found["entityName"]) == ("Project", "digits", "research")
    assert (found["isBenchmark"], found["readOnly"], found["user"], found["totalSweeps"]) == (False, False, None, 0)


def test_a_viewer_and_a_stranger_see_less(graphql: Ask, project: Project, team: Team, charlie: User) -> None:
    viewer = factories.make_user("vera")
    factories.make_team(viewer=viewer)

    assert graphql(viewer).data(PROJECT, name="digits", entity="research")["project"]["readOnly"] is True
    for name in ("digits", "nothing", "a\x00b"):
        assert graphql(charlie).data(PROJECT, name=name, entity="research") == {"project": None}
    assert graphql(charlie)(PROJECTS, entity="research").status == 404


def test_without_an_entity_ones_own_is_meant(graphql: Ask, bob: User) -> None:
    factories.make_project(Team.objects.get(name="bob"), "mine")

    assert graphql(bob).data(PROJECT, name="mine")["project"]["entityName"] == "bob"
    assert names(graphql(bob).data(PROJECTS)["models"]) == ["mine"]


def test_projects_are_paged_by_name(graphql: Ask, team: Team, bob: User) -> None:
    for number in range(5):
        factories.make_project(team, f"p{number}")
    ask = graphql(bob)

    seen, cursor = [], None
    while True:
        page = ask.data(PROJECTS, entity="research", perPage=2, cursor=cursor)["models"]
        seen += names(page)
        if not page["pageInfo"]["hasNextPage"]:
            break
        cursor = page["pageInfo"]["endCursor"]

    assert seen == ["p0", "p1", "p2", "p3", "p4"]


def test_a_project_is_made_once(graphql: Ask, team: Team, bob: User) -> None:
    wanted = {"name": "digits", "entityName": "research", "description": "Digits"}

    first = graphql(bob).data(UPSERT, input=wanted)["result"]
    again = graphql(bob).data(UPSERT, input=wanted | {"description": "Other"})["result"]

    assert (first["inserted"], again["inserted"]) == (True, False)
    assert first["project"]["id"] == again["project"]["id"]
    assert first["project"]["description"] == again["project"]["description"] == "Digits"


def test_who_may_not_log_makes_no_project(graphql: Ask, team: Team, charlie: User) -> None:
    viewer = factories.make_user("vera")
    factories.make_team(viewer=viewer)

    for user, status in ((viewer, 403), (charlie, 404)):
        assert graphql(user)(UPSERT, input={"name": "x", "entityName": "research"}).status == status
    for name in ("a/b", "", "a\x00b"):
        assert graphql(factories.make_user("bob"))(UPSERT, input={"name": name, "entityName": "bob"}).status == 400
    assert not Project.objects.exists()


def test_a_project_is_renamed_by_an_admin(graphql: Ask, project: Project, alice: User, bob: User) -> None:
    factories.make_project(project.team, "taken")
    wanted = {"entityName": "research", "oldProjectName": "digits", "newProjectName": "numbers"}

    assert graphql(bob)(RENAME, input=wanted).status == 403
    assert graphql(alice)(RENAME, input=wanted | {"newProjectName": "taken"}).status == 409
    assert graphql(alice).data(RENAME, input=wanted)["renameProject"]["project"] == {"name": "numbers"}
    assert graphql(alice)(RENAME, input=wanted).status == 404


def test_a_project_is_deleted_by_an_admin_with_all_it_holds(
    graphql: Ask, project: Project, registry: Registry, alice: User, bob: User
) -> None:
    run = factories.make_run(project)
    version = factories.make_version(project, run=run)
    factories.make_link(version, factories.make_collection(registry))
    factories.make_execution(factories.make_automation(project), factories.make_event(run))
    number = id_of(graphql(alice), "digits", "research")

    assert graphql(bob)(DELETE, id=number).status == 403
    assert graphql(alice).data(DELETE, id=number) == {"deleteModel": {"success": True}}

    assert not Project.objects.filter(pk=project.pk).exists()
    assert not Run.objects.exists()
    assert [collection.memberships.count() for collection in Collection.objects.all()] == [0]
    assert graphql(alice)(DELETE, id=number).status == graphql(alice)(DELETE, id="nonsense").status == 404


def test_a_registry_is_made_by_an_admin_of_the_organization(graphql: Ask, olga: User, bob: User) -> None:
    wanted = {
        "name": "wandb-registry-shelf",
        "entityName": "acme",
        "access": "RESTRICTED",
        "allowAllArtifactTypesInRegistry": False,
        "artifactTypes": [{"name": "model"}],
        "description": "Good ones",
    }

    assert graphql(bob)(UPSERT, input=wanted).status == 403
    made = graphql(olga).data(UPSERT, input=wanted)["result"]

    assert (made["inserted"], made["project"]["access"]) == (True, "RESTRICTED")
    registry = Registry.objects.get(name="shelf")
    assert (registry.accepts_all_types, registry.description) == (False, "Good ones")
    assert [one.name for one in registry.accepted_types.all()] == ["model"]
    assert RegistryMember.objects.get(registry=registry, user=olga).role == Role.ADMIN
    assert names(graphql(bob).data(REGISTRIES, org="acme")["organization"]["orgEntity"]["projects"]) == []


def test_saving_a_registry_adds_types_and_changes_the_rest(
    graphql: Ask, registry: Registry, alice: User, olga: User
) -> None:
    wanted = {"name": "wandb-registry-models", "entityName": "acme", "description": "Best", "access": "PRIVATE"}
    types = {"allowAllArtifactTypesInRegistry": False, "artifactTypes": [{"name": "model"}]}

    saved = graphql(alice).data(UPSERT, input=wanted | types)["result"]
    graphql(alice).data(UPSERT, input=wanted | {"artifactTypes": [{"name": "dataset"}]})

    assert (saved["inserted"], saved["project"]["description"]) == (False, "Best")
    registry.refresh_from_db()
    assert [one.name for one in registry.accepted_types.all()] == ["dataset", "model"]
    assert registry.accepts_all_types is False
    hidden = {"name": "wandb-registry-models", "entityName": "acme", "access": "RESTRICTED"}
    assert graphql(alice)(UPSERT, input=hidden).status == 403
    assert graphql(olga).data(UPSERT, input=hidden)["result"]["project"]["access"] == "RESTRICTED"


def test_what_is_no_registry_is_not_made_in_an_organization(graphql: Ask, olga: User) -> None:
    plain = graphql(olga)(UPSERT, input={"name": "digits", "entityName": "acme"})
    odd = graphql(olga)(UPSERT, input={"name": "wandb-registry-x", "entityName": "acme", "access": "USER_READ"})

    assert (plain.status, odd.status) == (400, 400)
    assert "wandb-registry-" in plain.errors[0]
    assert "USER_READ" in odd.errors[0]


def test_a_registry_is_renamed_and_deleted(graphql: Ask, registry: Registry, alice: User, olga: User) -> None:
    factories.make_registry(registry.organization, "taken")
    wanted = {"entityName": "acme", "oldProjectName": "wandb-registry-models", "newProjectName": "wandb-registry-best"}

    assert graphql(alice)(RENAME, input=wanted | {"newProjectName": "wandb-registry-taken"}).status == 409
    assert graphql(alice)(RENAME, input=wanted | {"newProjectName": "best"}).status == 400
    renamed = graphql(alice).data(RENAME, input=wanted)["renameProject"]
    assert renamed == {"inserted": False, "project": {"name": "wandb-registry-best"}}
    number = id_of(graphql(alice), "wandb-registry-best", "acme")
    assert graphql(alice)(DELETE, id=number).status == 403
    assert graphql(olga).data(DELETE, id=number) == {"deleteModel": {"success": True}}
    assert [one.name for one in Registry.objects.all()] == ["taken"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("{}", ["data", "models", "old"]),
        ('{"name": "wandb-registry-data"}', ["data"]),
        ('{"name": {"$regex": "dels$"}}', ["models"]),
        ('{"description": {"$contains": "dust"}}', ["old"]),
        ('{"created_at": {"$gte": "2020-01-01"}}', ["data", "models", "old"]),
        ('{"created_at": {"$lt": "2020-01-01T00:00:00Z"}}', []),
        ('{"$or": [{"name": "wandb-registry-old"}, {"updated_at": {"$lt": "2020"}}]}', None),
    ],
)
def test_registries_are_filtered(
    graphql: Ask, registry: Registry, bob: User, filters: str, expected: list[str] | None
) -> None:
    factories.make_registry(registry.organization, "data")
    old = factories.make_registry(registry.organization, "old")
    Registry.objects.filter(pk=old.pk).update(description="gathers dust")

    answer = graphql(bob)(REGISTRIES, org="acme", filters=filters)

    if expected is None:
        assert (answer.status, "no date" in answer.errors[0]) == (400, True)
    else:
        found = names(answer.data["organization"]["orgEntity"]["projects"])
        assert [name.removeprefix("wandb-registry-") for name in found] == expected


def test_a_registry_is_found_by_the_number_in_its_id(graphql: Ask, registry: Registry, bob: User) -> None:
    factories.make_registry(registry.organization, "data")
    filters = f'{{"id": {registry.pk}}}'

    found = graphql(bob).data(REGISTRIES, org="acme", filters=filters, order="-created_at")

    assert names(found["organization"]["orgEntity"]["projects"]) == ["wandb-registry-models"]


def test_a_user_has_all_projects_and_registries_they_may_see(graphql: Ask, registry: Registry, bob: User) -> None:
    factories.make_project(Team.objects.get(name="bob"), "mine")
    factories.make_project(name="digits")
    factories.make_project(Team.objects.get(name="alice"), "hers")
    query = """query($after: String) { viewer { projects(first: 2, after: $after) {
        pageInfo { endCursor hasNextPage } totalCount edges { node { name } } } } }"""

    first = graphql(bob).data(query)["viewer"]["projects"]
    second = graphql(bob).data(query, after=first["pageInfo"]["endCursor"])["viewer"]["projects"]

    assert names(first) + names(second) == ["mine", "digits", "wandb-registry-models"]
    assert (first["totalCount"], second["pageInfo"]["hasNextPage"]) == (3, False)


@pytest.mark.parametrize("query", [PROJECTS, REGISTRIES])
def test_lists_cost_the_same_for_3_and_for_30(graphql: Ask, registry: Registry, bob: User, query: str) -> None:
    ask = graphql(bob)
    costs = []
    for first, last in ((0, 3), (3, 30)):
        for number in range(first, last):
            factories.make_project(name=f"p{number}")
            factories.make_registry(registry.organization, f"r{number}")
        ask.data(query, entity="research", org="acme")
        with CaptureQueriesContext(connection) as queries:
            ask.data(query, entity="research", org="acme", filters='{"id": {"$gt": 0}}')
        costs.append(len(queries))

    assert costs[0] == costs[1]
