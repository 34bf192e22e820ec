"""Lists, detail and buttons of automations: who sees them, what they show, what they cost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from automations.models import Automation, Cooldown, Execution
from tests import factories

if TYPE_CHECKING:
    from projects.models import Project, Team, User
    from registries.models import Registry

pytestmark = pytest.mark.django_db


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize("page", ["automations", "automations/new", "history"])
def test_a_stranger_sees_no_page_of_a_project(
    browser: Callable[[User], Client], charlie: User, project: Project, page: str
) -> None:
    """AZ1"""
    assert browser(charlie).get(f"/research/digits/{page}").status_code == 404


@pytest.mark.parametrize("page", ["automations", "automations/new", "history"])
def test_a_stranger_sees_no_page_of_a_registry(
    browser: Callable[[User], Client], charlie: User, registry: Registry, page: str
) -> None:
    """AZ1"""
    assert browser(charlie).get(f"/registries/acme/{registry.name}/{page}").status_code == 404


@pytest.mark.parametrize("page", ["", "edit", "enable", "disable", "duplicate", "delete"])
def test_a_stranger_sees_and_does_nothing_with_an_automation(
    browser: Callable[[User], Client], charlie: User, project: Project, page: str
) -> None:
    """AZ1"""
    automation = factories.make_automation(project)
    address = f"/automations/{automation.pk}/{page}"
    client = browser(charlie)
    response = client.get(address) if page in {"", "edit"} else client.post(address)

    assert response.status_code == 404
    assert Automation.objects.get().enabled


@pytest.mark.parametrize("page", ["enable", "disable", "duplicate", "delete"])
def test_who_may_only_look_changes_nothing(
    browser: Callable[[User], Client], dana: User, bob: User, project: Project, page: str
) -> None:
    """§8: view-only never, members by default not"""
    automation = factories.make_automation(project)
    for user in (dana, bob):
        assert browser(user).post(f"/automations/{automation.pk}/{page}").status_code == 403

    assert Automation.objects.filter(enabled=True).count() == 1


def test_who_may_only_look_is_offered_no_change(
    browser: Callable[[User], Client], dana: User, project: Project
) -> None:
    automation = factories.make_automation(project, description="Watches the night")
    client = browser(dana)
    for address in ("/research/digits/automations", f"/automations/{automation.pk}/"):
        page = client.get(address).content.decode()
        assert "Watches the night" in page
        assert "/edit" not in page
        assert "Create automation" not in page
    assert client.get("/research/digits/automations/new").status_code == 403
    assert client.get(f"/automations/{automation.pk}/edit").status_code == 403


def test_members_edit_where_the_team_lets_them(
    browser: Callable[[User], Client], bob: User, team: Team, project: Project
) -> None:
    """§8"""
    assert browser(bob).get("/research/digits/automations/new").status_code == 403
    team.members_edit_automations = True
    team.save()

    assert browser(bob).get("/research/digits/automations/new").status_code == 200


def test_members_edit_automations_of_a_registry(
    browser: Callable[[User], Client], bob: User, registry: Registry
) -> None:
    """§8"""
    assert browser(bob).get(f"/registries/acme/{registry.name}/automations/new").status_code == 200


def test_nobody_is_sent_to_sign_in(client: Client, project: Project) -> None:
    automation = factories.make_automation(project)
    for address in (f"/automations/{automation.pk}/", "/research/digits/automations", "/research/digits/history"):
        response = client.get(address)
        assert response.status_code == 302
        assert response["Location"].startswith("/login?next=")


def test_ui1_a_row_says_all_of_an_automation(
    browser: Callable[[User], Client], alice: User, project: Project, team: Team
) -> None:
    """UI1"""
    webhook = factories.make_webhook(team)
    automation = factories.make_automation(project, name="Run failure alert", webhook=webhook)
    execution = factories.make_execution(automation)
    page = browser(alice).get("/research/digits/automations").content.decode()

    assert "Run failure alert" in page
    assert "When a run fails" in page
    assert "call webhook pager" in page
    assert f"/executions/{execution.key}/" in page
    assert "finished" in page.lower()


def test_ui1_search_and_sort(browser: Callable[[User], Client], alice: User, project: Project) -> None:
    """UI1"""
    now = timezone.now()
    for name, hours in (("Beta", 1), ("alpha", 2), ("Gamma", None)):
        automation = factories.make_automation(project, name=name)
        if hours:
            Automation.objects.filter(pk=automation.pk).update(last_triggered_at=now - timedelta(hours=hours))
    client = browser(alice)

    def names(**query: str) -> list[str]:
        shown: Any = client.get("/research/digits/automations", query).context
        return [row["automation"].name for row in shown["rows"]]

    assert names() == ["Beta", "alpha", "Gamma"]
    assert names(sort="name") == ["alpha", "Beta", "Gamma"]
    assert names(sort="created") == ["Gamma", "alpha", "Beta"]
    assert names(sort="nonsense") == names()
    assert names(q="am") == ["Gamma"]
    assert names(q="nobody") == []


def test_typing_in_the_search_swaps_the_results_alone(
    browser: Callable[[User], Client], alice: User, project: Project
) -> None:
    factories.make_automation(project)
    headers = {"HX-Request": "true", "HX-Target": "automations"}
    page = browser(alice).get("/research/digits/automations?q=pager", headers=headers).content.decode()

    assert "Tell the pager" in page
    assert "<title>" not in page


def test_a_collections_automations_are_listed_with_its_projects(
    browser: Callable[[User], Client], alice: User, project: Project
) -> None:
    collection = factories.make_version(project, collection="classifier").collection
    factories.make_automation(project, name="Of the project")
    factories.make_automation(collection, "CREATE_ARTIFACT", name="Of the collection", condition={})
    client = browser(alice)
    everything = client.get("/research/digits/automations").content.decode()
    of_collection = client.get("/research/digits/automations?collection=classifier").content.decode()

    assert "Of the project" in everything
    assert "Of the collection" in everything
    assert "Of the project" not in of_collection
    assert "Of the collection" in of_collection


def test_the_list_costs_the_same_for_one_and_for_many(
    browser: Callable[[User], Client], alice: User, project: Project, team: Team
) -> None:
    webhook = factories.make_webhook(team)
    collection = factories.make_version(project, collection="classifier").collection
    client = browser(alice)
    event = factories.make_event()

    def add(number: int) -> None:
        automation = factories.make_automation(project, name=f"P{number}", webhook=webhook)
        factories.make_execution(automation, event)
        factories.make_automation(collection, "CREATE_ARTIFACT", name=f"C{number}", condition={})

    add(0)
    before = queries_of(client, "/research/digits/automations")
    for number in range(1, 20):
        add(number)

    assert queries_of(client, "/research/digits/automations") == before


def test_an_empty_list_says_what_to_do_first(
    browser: Callable[[User], Client], alice: User, dana: User, project: Project
) -> None:
    page = browser(alice).get("/research/digits/automations").content.decode()
    assert "No automations yet." in page
    assert "/research/digits/automations/new" in page
    assert "/automations/new" not in browser(dana).get("/research/digits/automations").content.decode()


def test_the_buttons_of_an_automation_work(browser: Callable[[User], Client], alice: User, project: Project) -> None:
    automation = factories.make_automation(project, name="Loss guard")
    client = browser(alice)
    address = f"/automations/{automation.pk}/"

    assert client.post(f"{address}disable")["Location"] == address
    assert not Automation.objects.get().enabled
    back = {"next": "/research/digits/automations?q=loss"}
    assert client.post(f"{address}enable", back)["Location"] == back["next"]
    assert Automation.objects.get().enabled
    copy = client.post(f"{address}duplicate")
    assert Automation.objects.get(name="Loss guard copy").get_absolute_url() == copy["Location"]
    assert not Automation.objects.get(name="Loss guard copy").enabled


def test_a_button_does_not_lead_to_another_site(
    browser: Callable[[User], Client], alice: User, project: Project
) -> None:
    automation = factories.make_automation(project)
    response = browser(alice).post(f"/automations/{automation.pk}/disable", {"next": "https://evil.example/"})

    assert response["Location"] == f"/automations/{automation.pk}/"


def test_deleting_keeps_the_history(browser: Callable[[User], Client], alice: User, project: Project) -> None:
    automation = factories.make_automation(project, name="Loss guard")
    execution = factories.make_execution(automation)
    client = browser(alice)
    response = client.post(f"/automations/{automation.pk}/delete")

    assert response["Location"] == "/research/digits/automations"
    assert not Automation.objects.exists()
    assert "Loss guard" in client.get("/research/digits/history").content.decode()
    assert client.get(f"/executions/{execution.key}/").status_code == 200


def test_changes_are_posted_not_fetched(browser: Callable[[User], Client], alice: User, project: Project) -> None:
    automation = factories.make_automation(project)
    for page in ("enable", "disable", "duplicate", "delete"):
        assert browser(alice).get(f"/automations/{automation.pk}/{page}").status_code == 405


def test_a_detail_tells_how_often_it_held_back(
    browser: Callable[[User], Client], alice: User, project: Project
) -> None:
    """EV11"""
    automation = factories.make_automation(project)
    run = factories.make_run(project)
    Cooldown.objects.create(automation=automation, run=run, state="FAILED", fired_at=timezone.now(), surplus=14)

    assert "14 times in the last 24 h" in browser(alice).get(f"/automations/{automation.pk}/").content.decode()


def test_a_detail_shows_rule_payload_and_history(
    browser: Callable[[User], Client], alice: User, project: Project, team: Team
) -> None:
    automation = factories.make_automation(
        project,
        webhook=factories.make_webhook(team),
        payload='{"text": "${run_name}"}',
        filter={"display_name": {"$contains": "prod"}},
        created_by=alice,
    )
    execution = factories.make_execution(automation)
    page = browser(alice).get(f"/automations/{automation.pk}/").content.decode()

    for part in ("run name contains prod", "$contains", "${run_name}", "by alice", f"/executions/{execution.key}/"):
        assert part in page


def test_what_an_organizations_automation_did_elsewhere_is_not_shown(
    browser: Callable[[User], Client], alice: User, team: Team
) -> None:
    """AZ1"""
    automation = factories.make_automation(team.organization)
    elsewhere = factories.make_project(factories.make_team("elsewhere"), name="hidden")
    execution = factories.make_execution(automation, factories.make_event(factories.make_run(elsewhere)))
    page = browser(alice).get(f"/automations/{automation.pk}/").content.decode()

    assert Execution.objects.count() == 1
    assert str(execution.key) not in page


def test_text_of_others_is_shown_as_text(browser: Callable[[User], Client], alice: User, project: Project) -> None:
    name = "<script>alert(1)</script>"
    automation = factories.make_automation(project, name=name, description=name)
    factories.make_execution(automation, result=name)
    for address in (f"/automations/{automation.pk}/", "/research/digits/automations", "/research/digits/history"):
        assert name not in browser(alice).get(address).content.decode()


def test_the_side_bar_shows_the_team_of_what_is_looked_at(
    browser: Callable[[User], Client], alice: User, project: Project
) -> None:
    factories.make_team("aardvarks", admin=alice)
    automation = factories.make_automation(project)
    execution = factories.make_execution(automation)
    for address in (automation.get_absolute_url(), execution.get_absolute_url()):
        response = browser(alice).get(address)
        assert response.context["current_team"] == project.team
        assert response.context["nav"] == "projects"


@pytest.mark.parametrize(
    "address",
    [
        "/research/digits/automations?q=%25&collection=none&page=x&sort=x",
        "/research/digits/automations/new?collection=none&event=x&metric=%22",
        "/research/digits/automations/new?draft=x&step=9",
        "/research/digits/history?before=99999999999999999999&after=-1&automation=x&status=x&event=x",
        "/research/digits/history?before=999999999999999999",
    ],
)
def test_addresses_that_make_no_sense_show_the_page(
    browser: Callable[[User], Client], alice: User, project: Project, address: str
) -> None:
    assert browser(alice).get(address).status_code == 200


def test_a_number_that_is_no_automation_is_not_found(browser: Callable[[User], Client], alice: User) -> None:
    for number in (0, 1, 10**18, 10**30):
        assert browser(alice).get(f"/automations/{number}/").status_code == 404


@pytest.mark.parametrize("address", ["disable", "automations:hub", "//elsewhere.example.com/", "a\x00b"])
def test_a_button_leads_back_to_no_address_that_is_none_of_ours(
    browser: Callable[[User], Client], alice: User, project: Project, address: str
) -> None:
    automation = factories.make_automation(project)
    answer = browser(alice).post(f"/automations/{automation.pk}/disable", {"next": address})
    assert answer.status_code == 302
    assert "elsewhere" not in answer["Location"]
