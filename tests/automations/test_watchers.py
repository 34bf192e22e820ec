"""Which automations wait for something in a collection, and how often one acted on what happened there."""

import pytest

from automations import watchers
from automations.models import EventType
from projects.models import Project, User
from registries.models import Collection, Registry
from tests import factories


@pytest.fixture
def model(project: Project) -> Collection:
    return factories.make_version(project, "model").collection


def names(collection: Collection, user: User) -> list[str]:
    return [automation.name for automation in watchers.of_collection(collection, user)]


def test_automations_of_every_scope_around_it_wait_those_of_the_collection_come_first(
    project: Project, model: Collection, alice: User
) -> None:
    for number, scope in enumerate((project.team.organization, project.team, project, model)):
        factories.make_automation(scope, EventType.ADD_ARTIFACT_ALIAS, name=str(number))
    factories.make_automation(project, EventType.RUN_STATE, name="about runs")
    factories.make_automation(
        factories.make_project(project.team, "other"), EventType.CREATE_ARTIFACT, name="elsewhere"
    )

    assert names(model, alice) == ["3", "0", "1", "2"]


def test_what_the_name_or_type_rules_out_does_not_wait(project: Project, model: Collection, alice: User) -> None:
    """A label is not known before it comes, so it rules nothing out."""
    asked = {
        "by name": {"collection": {"$regex": "^mod"}},
        "by type": {"$and": [{"type": "model"}, {"alias": "production"}]},
        "by label": {"alias": {"$regex": "^x"}},
        "either": {"$or": [{"collection": "model"}, {"alias": "x"}]},
        "not by name": {"collection": {"$regex": "^other"}},
        "not by type": {"$and": [{"alias": "production"}, {"type": "dataset"}]},
        "broken": {"collection": {"$regex": "("}},
    }
    for name, document in asked.items():
        factories.make_automation(project, EventType.ADD_ARTIFACT_ALIAS, name=name, filter=document)

    assert names(model, alice) == ["by label", "by name", "by type", "either"]


def test_automations_one_may_not_see_do_not_show(
    project: Project, registry: Registry, alice: User, bob: User, charlie: User
) -> None:
    """AZ1: who sees a registry does not see what its organization's other teams automate."""
    factories.make_organization(member=charlie)
    shelf = factories.make_collection(registry)
    factories.make_automation(shelf, EventType.LINK_ARTIFACT, name="of the shelf")
    factories.make_automation(project, EventType.LINK_ARTIFACT, name="of the project")

    assert names(shelf, charlie) == ["of the shelf"]


def test_executions_are_counted_by_the_collection_of_their_event(project: Project, alice: User, charlie: User) -> None:
    first, second, third = (factories.make_version(project, name).collection for name in ("a", "b", "c"))
    automation = factories.make_automation(project, EventType.CREATE_ARTIFACT)
    for collection in (first, first, second):
        factories.make_execution(automation, factories.make_event(collection=collection))
    wanted = [first.pk, second.pk, third.pk]

    assert watchers.executions_of(wanted, alice) == {first.pk: 2, second.pk: 1, third.pk: 0}
    assert watchers.executions_of(wanted, charlie) == dict.fromkeys(wanted, 0)
