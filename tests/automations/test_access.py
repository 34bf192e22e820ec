"""AZ1: what one may not see does not exist."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone

from automations import access
from automations.models import EventType, Execution
from projects import runs
from projects.models import Organization, User
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


def test_whoever_sees_an_organization_is_told_why_its_automations_are_not_theirs_to_change() -> None:
    """AZ1: seen but not allowed is refused with a sentence; only what one cannot see is not there."""
    organization = factories.make_organization(member=factories.make_user("bob"))
    factories.make_team(organization=organization, admin=factories.make_user("alice"))
    for name in ("alice", "bob"):
        user = User.objects.get(username=name)
        assert organization in Organization.objects.visible_to(user)
        with pytest.raises(PermissionDenied, match="Only admins of the organization acme"):
            access.require_edit(user, organization)
    charlie = factories.make_user("charlie")
    assert not Organization.objects.visible_to(charlie).exists()
    with pytest.raises(Http404, match="There is no organization"):
        access.require_edit(charlie, organization)
    access.require_edit(factories.make_user("operator", superuser=True), organization)
