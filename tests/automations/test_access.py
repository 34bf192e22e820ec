"""AZ1: what one may not see does not exist."""

from __future__ import annotations

import pytest
from django.utils import timezone

from automations import access
from automations.models import EventType, Execution
from projects import runs
from projects.models import User
from tests import factories

pytestmark = pytest.mark.django_db


def names(user: User) -> set[str]:
    return {execution.rule["name"] for execution in Execution.objects.visible_to(user)}


def test_az1_of_a_link_registry_readers_see_what_the_registrys_automations_did() -> None:
    """A link happens in a private project and in a registry; the project's automations are its team's business."""
    organization = factories.make_organization()
    alice, bob = factories.make_user("alice"), factories.make_user("bob")
    team = factories.make_team("private-team", organization, admin=alice)
    factories.make_team("other-team", organization, member=bob)
    project = factories.make_project(team)
    collection = factories.make_collection(factories.make_registry(organization))
    factories.make_automation(project, EventType.LINK_ARTIFACT, name="project's own")
    factories.make_automation(collection.registry, EventType.LINK_ARTIFACT, name="registry's")
    factories.make_link(factories.make_version(project), collection)
    assert names(alice) == {"project's own", "registry's"}
    assert names(bob) == {"registry's"}
    for execution in Execution.objects.all():
        assert execution.automation is not None
        execution.automation.delete()
    assert names(alice) == {"project's own", "registry's"}
    assert names(bob) == set()


def test_az1_an_organizations_automation_shows_only_what_it_did_in_projects_one_may_see() -> None:
    organization = factories.make_organization()
    alice, bob = factories.make_user("alice"), factories.make_user("bob")
    private = factories.make_project(factories.make_team("private-team", organization, admin=alice))
    shared = factories.make_project(factories.make_team("other-team", organization, member=bob))
    automation = factories.make_automation(organization)
    for project in (private, shared):
        run = factories.make_run(project)
        runs.finish(run, exit_code=1, by=run.user, at=timezone.now())
    assert access.automation_for(bob, automation.pk) == automation
    assert [execution.project for execution in Execution.objects.visible_to(bob)] == [shared]
    assert Execution.objects.visible_to(factories.make_user("charlie")).count() == 0
