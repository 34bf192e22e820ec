"""The first page: what is going on, and how to begin, where nothing is yet."""

import re
from datetime import timedelta
from random import Random

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from automations.home import EXECUTIONS_SHOWN, recent_executions
from automations.models import Automation, Execution, Status
from projects.models import Project, Team, User
from registries.models import Registry
from tests import factories


def home(user: User, **headers: str) -> str:
    client = Client()
    client.force_login(user)
    return client.get("/", headers=headers).content.decode()


def steps_done(page: str) -> list[str]:
    """The titles of the steps that are checked off."""
    return [" ".join(title.split()) for title in re.findall(r'<li class="done">\s*<h3>\s*([^<]+)<', page)]


def test_somebody_new_learns_how_to_log_a_run(charlie: User) -> None:
    page = home(charlie)
    assert f"curl -sS {settings.PUBLIC_URL}/api/projects/charlie/digits/runs/" in page
    assert "examples/train_digits.py" in page
    assert "/teams/charlie/settings/keys/new" in page
    assert steps_done(page) == []
    assert "Needs attention" not in page


def test_each_first_step_is_checked_off_by_what_is_there(project: Project, alice: User) -> None:
    factories.make_run(project, user=alice)
    page = home(alice)
    assert steps_done(page) == ["Connect a script"]
    assert "/teams/research/settings/webhooks/new?name=alerts&amp;then=home" in page

    webhook = factories.make_webhook(project.team)
    page = home(alice)
    assert steps_done(page) == ["Connect a script", "Add a webhook or a Slack channel"]
    assert f"action=GENERIC_WEBHOOK&amp;webhook={webhook.pk}" in page

    automation = factories.make_automation(project.team, webhook=webhook)
    page = home(alice)
    assert len(steps_done(page)) == 3
    assert automation.get_absolute_url() in page
    assert "/api/projects/research/digits/runs/" in page

    Automation.objects.update(last_success_at=timezone.now())
    assert "Get started" not in home(alice)


def test_who_watches_the_first_steps_is_told_that_the_last_one_is_done(project: Project, alice: User) -> None:
    """The page asks for its part again and again; what it gets last asks no more."""
    factories.make_run(project, user=alice)
    factories.make_automation(project, webhook=factories.make_webhook(project.team), last_success_at=timezone.now())
    part = home(alice, HX_Request="true", HX_Target="first-steps")
    assert "the first delivery is Finished" in part
    assert "data-live" not in part
    assert "<html" not in part


def test_an_automation_that_sends_nothing_is_no_first_delivery(project: Project, alice: User) -> None:
    factories.make_automation(project, last_success_at=timezone.now())
    assert steps_done(home(alice)) == []


def test_who_may_not_add_webhooks_is_told_whom_to_ask(project: Project, bob: User) -> None:
    factories.make_run(project, user=bob)
    page = home(bob)
    assert "Admins of research add webhooks" in page
    assert "webhooks/new" not in page


def test_the_first_steps_are_hidden_and_shown_again_by_a_button(charlie: User) -> None:
    client = Client()
    client.force_login(charlie)
    assert client.post("/home/first-steps").status_code == 302
    page = client.get("/").content.decode()
    assert "Get started" not in page
    assert "Show how to get started" in page
    client.post("/home/first-steps", {"show": "yes"})
    assert "Get started" in client.get("/").content.decode()


def test_the_link_to_the_first_automation_fills_in_all_of_the_form(team: Team, alice: User) -> None:
    """Two clicks on Next and one on Create make it, with nothing typed."""
    webhook = factories.make_webhook(team)
    factories.make_run(factories.make_project(team), user=alice)
    link = re.search(r'href="(/teams/research/automations/new[^"]+)"', home(alice))
    assert link
    client = Client()
    client.force_login(alice)
    first = client.get(link[1].replace("&amp;", "&")).content.decode()
    token = re.search(r'name="draft" value="([^"]+)"', first)
    assert token
    client.post(
        "/teams/research/automations/new",
        {"draft": token[1], "step": "1", "event_type": "RUN_STATE", "states": ["FINISHED", "FAILED"], "go": "next"},
    )
    second = client.get(f"/teams/research/automations/new?draft={token[1]}&step=2").content.decode()
    assert f'value="{webhook.pk}" selected' in second
    third = client.get(f"/teams/research/automations/new?draft={token[1]}&step=3")
    assert "Run finished or failed" in third.content.decode()


def test_the_newest_executions_come_first(project: Project, bob: User) -> None:
    run = factories.make_run(project, user=bob)
    for name, status in (("early failure", Status.FAILED), ("fine", Status.FINISHED), ("waiting", Status.PENDING)):
        automation = factories.make_automation(project, name=name)
        factories.make_execution(automation, factories.make_event(run), status=status)
    page = home(bob)
    assert page.index("waiting") < page.index("fine") < page.index("early failure")


@pytest.mark.parametrize("seed", range(5))
def test_the_newest_executions_are_those_of_all_places_together(seed: int, project: Project, bob: User) -> None:
    """However they are spread over places, of which others have some."""
    random = Random(seed)  # noqa: S311  nothing secret
    elsewhere = factories.make_project(factories.make_team("elsewhere"))
    places = [project, factories.make_project(project.team, "letters"), factories.make_registry(), elsewhere]
    hidden = factories.make_automation(elsewhere, name="a rule of others")
    for number in range(40):
        automation = random.choice([factories.make_automation(project, name=str(number)), hidden])
        at = random.choices(range(4), weights=(9, 3, 2, 9))[0]
        event = factories.make_event(dedupe_key=str(number))
        made = factories.make_execution(automation, event)
        of_registry = isinstance(places[at], Registry)
        made.project, made.registry = (None, places[at]) if of_registry else (places[at], None)
        made.save()

    expected = Execution.objects.visible_to(bob).order_by("-pk")[:EXECUTIONS_SHOWN]
    assert [one.pk for one in recent_executions(bob)] == [one.pk for one in expected]


def test_what_others_do_elsewhere_is_not_shown(project: Project, bob: User, charlie: User) -> None:
    """AZ1"""
    run = factories.make_run(project, user=bob, display_name="a secret run")
    rule = factories.make_automation(project, name="a secret rule", failing_since=timezone.now())
    factories.make_execution(rule, factories.make_event(run))
    page = home(charlie)
    assert "a secret run" not in page
    assert "a secret rule" not in page
    assert project.name + "</a>" not in page
    assert steps_done(page) == []


def test_when_all_is_well_one_line_says_so(project: Project, alice: User) -> None:
    factories.make_run(project, user=alice, at=timezone.now() - timedelta(minutes=1))
    assert "Nothing: no automation fails" in home(alice)
