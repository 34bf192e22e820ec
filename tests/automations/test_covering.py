from __future__ import annotations

from typing import TYPE_CHECKING

from automations import covering
from automations.models import EventType
from tests import factories

if TYPE_CHECKING:
    from projects.models import Project, User
    from registries.models import Registry


def test_a_team_and_an_organization_cover_the_runs_of_their_projects(alice: User, project: Project) -> None:
    other = factories.make_project(project.team, "letters")
    elsewhere = factories.make_project(factories.make_team("vision", admin=alice))
    first, second, third = (factories.make_run(one, user=alice) for one in (project, other, elsewhere))

    assert list(covering.runs_in(project, reader=alice)) == [first]
    assert list(covering.runs_in(project.team, reader=alice)) == [second, first]
    assert list(covering.runs_in(project.team.organization, reader=alice)) == [third, second, first]


def test_a_registry_and_a_collection_have_no_runs(alice: User, project: Project, registry: Registry) -> None:
    factories.make_run(project, user=alice)
    collection = factories.make_version(project).collection

    assert not covering.runs_in(registry, reader=alice).exists()
    assert not covering.runs_in(collection, reader=alice).exists()


def test_az1_what_the_reader_may_not_see_is_not_covered(alice: User, charlie: User, project: Project) -> None:
    factories.make_run(project, user=alice)
    factories.make_version(project)

    assert not covering.runs_in(project, reader=charlie).exists()
    assert not covering.collections_in(project, EventType.ADD_ARTIFACT_ALIAS, reader=charlie).exists()


def test_links_reach_a_project_in_the_registries_its_versions_are_linked_to(
    alice: User, project: Project, registry: Registry
) -> None:
    linked, empty = factories.make_collection(registry, "linked"), factories.make_collection(registry, "empty")
    logged = factories.make_version(project)
    factories.make_link(logged, linked, user=alice)

    assert list(covering.collections_in(project, EventType.LINK_ARTIFACT, reader=alice)) == [linked]
    assert set(covering.collections_in(registry, EventType.LINK_ARTIFACT, reader=alice)) == {linked, empty}
    assert list(covering.collections_in(project, EventType.CREATE_ARTIFACT, reader=alice)) == [logged.collection]


def test_an_organization_covers_collections_of_projects_and_registries(
    alice: User, project: Project, registry: Registry
) -> None:
    linked = factories.make_collection(registry, "linked")
    logged = factories.make_version(project).collection
    organization = project.team.organization
    assert organization is not None

    assert set(covering.collections_in(organization, EventType.ADD_ARTIFACT_TAG, reader=alice)) == {linked, logged}
    assert list(covering.collections_in(organization, EventType.CREATE_ARTIFACT, reader=alice)) == [logged]
