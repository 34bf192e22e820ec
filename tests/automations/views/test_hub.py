"""The hub: every automation one may see, and the places where one may make another (UI4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from automations.access import may_edit
from automations.models import EventType, Status
from automations.views import choosing
from projects.models import OrganizationMember, Role
from registries.models import RegistryMember, RegistryTeam, Visibility
from tests import factories

if TYPE_CHECKING:
    from projects.models import Project, Team, User
    from registries.models import Registry

    Browser = Callable[[User], Client]

pytestmark = pytest.mark.django_db


def listed(client: Client, **query: str) -> list[str]:
    """Names of the automations on the page of the hub, sorted."""
    context: Any = client.get("/automations/", query).context
    return sorted(row["automation"].name for row in context["rows"])


@pytest.fixture
def everywhere(project: Project, registry: Registry, alice: User) -> None:
    """One automation of each scope, called after it."""
    team = project.team
    assert team.organization is not None
    collection = factories.make_version(project).collection
    linked = factories.make_collection(registry, name="classifiers")
    factories.make_automation(project, name="project", created_by=alice)
    factories.make_automation(team, name="team", shadow=True)
    factories.make_automation(team.organization, name="organization", enabled=False)
    factories.make_automation(registry, EventType.ADD_ARTIFACT_ALIAS, name="registry")
    factories.make_automation(collection, EventType.ADD_ARTIFACT_ALIAS, name="collection")
    factories.make_automation(linked, EventType.ADD_ARTIFACT_ALIAS, name="registry collection")


@pytest.mark.usefixtures("everywhere")
def test_ui4_all_scopes_are_in_one_list(browser: Browser, alice: User) -> None:
    """UI4"""
    everything = ["collection", "organization", "project", "registry", "registry collection", "team"]
    assert listed(browser(alice)) == everything


@pytest.mark.usefixtures("everywhere")
def test_az1_a_stranger_sees_none_of_them(browser: Browser, charlie: User) -> None:
    """AZ1"""
    page = browser(charlie).get("/automations/")
    assert page.context["rows"] == []
    assert "No automations yet" in page.content.decode()


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"scope": "collection"}, ["collection", "registry collection"]),
        ({"scope": "organization"}, ["organization"]),
        ({"event": "ADD_ARTIFACT_ALIAS"}, ["collection", "registry", "registry collection"]),
        ({"action": "NOTIFICATION"}, []),
        ({"state": "shadow"}, ["team"]),
        ({"state": "disabled"}, ["organization"]),
        ({"mine": "1"}, ["project"]),
        ({"q": "classif"}, ["registry collection"]),
        ({"q": "DIGITS"}, ["collection", "project"]),
        ({"scope": "planet", "event": "RAIN", "action": "X", "state": "x", "sort": "x", "q": "project"}, ["project"]),
    ],
)
def test_ui4_filters(browser: Browser, alice: User, query: dict[str, str], names: list[str]) -> None:
    """UI4: by scope, event, action, state; the search looks at names of places, too"""
    assert listed(browser(alice), **query) == names


@pytest.mark.usefixtures("everywhere")
def test_htmx_gets_the_list_alone(browser: Browser, alice: User) -> None:
    page = browser(alice).get("/automations/", HTTP_HX_REQUEST="true", HTTP_HX_TARGET="automations")
    assert "<html" not in page.content.decode()
    assert "HX-Request" in page["Vary"]


def test_figures_of_an_organization_are_for_its_admins(
    browser: Browser, alice: User, bob: User, team: Team, project: Project
) -> None:
    """AZ1: they count what happened in teams a member may not see."""
    assert team.organization is not None
    OrganizationMember.objects.get_or_create(organization=team.organization, user=alice, defaults={"role": Role.ADMIN})
    OrganizationMember.objects.filter(user=alice).update(role=Role.ADMIN)
    execution = factories.make_execution(factories.make_automation(team.organization))
    address = f"/executions/{execution.key}/"
    assert address in browser(alice).get("/automations/").content.decode()
    assert address not in browser(bob).get("/automations/").content.decode()


def test_az1_the_order_does_not_tell_when_an_automation_of_an_organization_fired(
    browser: Browser, alice: User, bob: User, project: Project
) -> None:
    """AZ1: alice is an admin of the organization; bob, a member of one of its teams, knows when his own fired."""
    now = timezone.now()
    organization = factories.make_organization(admin=alice)
    factories.make_automation(project, name="a, long ago", last_triggered_at=now - timedelta(days=2))
    factories.make_automation(organization, name="everywhere", last_triggered_at=now - timedelta(days=1))
    factories.make_automation(project, name="lately", last_triggered_at=now)

    def order(reader: User, address: str) -> list[str]:
        context: Any = browser(reader).get(address).context
        return [row["automation"].name for row in context["rows"]]

    assert order(alice, "/automations/") == ["lately", "everywhere", "a, long ago"]
    assert order(bob, "/automations/") == ["lately", "a, long ago", "everywhere"]
    factories.make_automation(organization, name="at no time")
    assert order(alice, "/orgs/acme/automations") == ["everywhere", "at no time"]
    assert order(bob, "/orgs/acme/automations") == ["at no time", "everywhere"]


def test_the_last_failure_leads_to_its_execution(browser: Browser, alice: User, project: Project) -> None:
    """UI4"""
    now = timezone.now()
    rule = factories.make_automation(project, name="flaky", last_failure_at=now)
    failed = factories.make_execution(rule, status=Status.FAILED)
    factories.make_execution(rule, factories.make_event(), status=Status.FINISHED)
    rows: Any = browser(alice).get("/automations/").context["rows"]
    assert [row["failure"] for row in rows] == [failed]
    assert f"/executions/{failed.key}/" in browser(alice).get("/automations/").content.decode()


def test_a_failure_that_retention_took_keeps_its_time(browser: Browser, alice: User, project: Project) -> None:
    factories.make_automation(project, name="once", last_failure_at=timezone.now() - timedelta(days=3))
    page = browser(alice).get("/automations/").content.decode()
    assert "3 d ago" in page
    assert "executions/" not in page


def test_those_that_fail_are_found_by_their_state(
    browser: Browser, alice: User, bob: User, team: Team, project: Project
) -> None:
    """UI4, AZ1: who may not know how an organization's automations fare does not find out by the filter."""
    now = timezone.now()
    factories.make_automation(project, name="fails", failing_since=now)
    factories.make_automation(project, name="failed, disabled", failing_since=now, enabled=False)
    factories.make_automation(project, name="recovered", last_failure_at=now)
    assert team.organization is not None
    factories.make_automation(team.organization, name="everywhere", failing_since=now)
    OrganizationMember.objects.update_or_create(organization=team.organization, user=bob, defaults={"role": Role.ADMIN})
    assert listed(browser(alice), state="failing") == ["fails"]
    assert listed(browser(bob), state="failing") == ["everywhere", "fails"]


def test_the_hub_costs_the_same_for_one_and_for_twenty(
    browser: Browser, alice: User, project: Project, registry: Registry
) -> None:
    client = browser(alice)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/automations/").status_code == 200
        return len(captured)

    webhook, now = factories.make_webhook(project.team), timezone.now()
    first = factories.make_automation(project, webhook=webhook, last_failure_at=now)
    factories.make_execution(first, status=Status.FAILED)
    few = queries()
    for number in range(20):
        place = factories.make_project(project.team, name=f"project-{number}")
        rule = factories.make_automation(place, last_failure_at=now)
        factories.make_execution(rule, factories.make_event(), status=Status.FAILED)
        collection = factories.make_collection(registry, name=f"collection-{number}")
        factories.make_automation(collection, EventType.ADD_ARTIFACT_ALIAS)
    assert queries() == few


# --- where one may make another ----------------------------------------------------------------------------


def names(user: User, text: str = "") -> dict[str, list[str]]:
    return {
        group.label.partition(",")[0]: [place.name for place in group.places] for group in choosing.places(user, text)
    }


@pytest.mark.parametrize("lets_members", [False, True])
@pytest.mark.parametrize("restricted", [False, True])
@pytest.mark.parametrize("role", [None, *Role])
@pytest.mark.parametrize("in_organization", [None, *Role])
@pytest.mark.parametrize("in_registry", [None, "own", "team"])
def test_places_are_those_whose_automations_one_may_edit(
    project: Project,
    registry: Registry,
    charlie: User,
    *,
    role: Role | None,
    in_organization: Role | None,
    in_registry: str | None,
    lets_members: bool,
    restricted: bool,
) -> None:
    """§8: the list agrees with the rule, for every combination of roles."""
    team = project.team
    assert team.organization is not None
    team.members_edit_automations = lets_members
    team.save()
    registry.visibility = Visibility.RESTRICTED if restricted else Visibility.ORGANIZATION
    registry.save()
    if role:
        team.memberships.create(user=charlie, role=role)
    if in_organization:
        team.organization.memberships.create(user=charlie, role=in_organization)
    if in_registry == "own":
        RegistryMember.objects.create(registry=registry, user=charlie, role=Role.MEMBER)
    if in_registry == "team":
        RegistryTeam.objects.create(registry=registry, team=team, role=Role.MEMBER)

    found = names(charlie)
    own = charlie.username
    assert ("research" in found.get("Teams", [])) is may_edit(charlie, team)
    assert own in found["Teams"]
    assert found.get("Projects", []) == (["research/digits"] if may_edit(charlie, project) else [])
    assert found.get("Registries", []) == ([f"acme/{registry.name}"] if may_edit(charlie, registry) else [])
    assert found.get("Organizations", []) == (["acme"] if may_edit(charlie, team.organization) else [])


def test_places_are_searched_by_name_and_lead_to_the_form(browser: Browser, alice: User, project: Project) -> None:
    factories.make_project(project.team, name="letters")
    client = browser(alice)
    page = client.get("/automations/new", {"q": "dig"}).content.decode()
    assert "/research/digits/automations/new" in page
    assert "letters" not in page
    assert "No place is called that" in client.get("/automations/new", {"q": "nowhere"}).content.decode()


def test_of_many_places_the_first_are_offered(alice: User, project: Project) -> None:
    for number in range(choosing.OFFERED):
        factories.make_project(project.team, name=f"p{number}")
    group = next(group for group in choosing.places(alice, "") if group.label == "Projects")
    assert len(group.places) == choosing.OFFERED
    assert group.more
