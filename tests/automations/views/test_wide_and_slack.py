"""Automations of teams and organizations, the events of the SDK and Slack messages, written in the browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from automations.models import Automation, SlackChannel
from projects import runs
from projects.events import RUN_ALERT, Fact, announce, run_facts, run_scopes
from tests import factories
from tests.automations.views.filling import Filling

if TYPE_CHECKING:
    from projects.models import Project, Run, Team, User

pytestmark = pytest.mark.django_db
Browser = Callable[["User"], Client]

CHANGE = {
    "event_type": "RUN_METRIC_CHANGE",
    "metric_name": "loss",
    "agg_op": "AVERAGE",
    "current_window_size": "10",
    "prior_window_size": "50",
    "change_type": "RELATIVE",
    "change_dir": "INCREASE",
    "change_amount": "0.25",
}
STALLS = {"event_type": "RUN_STALL", "stall_source": "METRIC", "metric_name": "loss", "stall_minutes": "30"}
FAR = {
    "event_type": "RUN_METRIC_ZSCORE",
    "metric_name": "loss",
    "run_count": "30",
    "deviations": "3",
    "side": "ANY",
}


@pytest.fixture
def channel(team: Team) -> SlackChannel:
    return factories.make_slack_channel(team)


@pytest.mark.parametrize(
    ("answers", "condition", "document"),
    [
        (
            CHANGE,
            {
                "name": "loss",
                "agg_op": "AVERAGE",
                "current_window_size": 10,
                "prior_window_size": 50,
                "change_type": "RELATIVE",
                "change_dir": "INCREASE",
                "change_amount": 0.25,
            },
            {},
        ),
        (
            CHANGE | {"agg_op": "", "current_window_size": "lots", "user": "bob"},
            {
                "name": "loss",
                "agg_op": None,
                "current_window_size": 1,
                "prior_window_size": 1,
                "change_type": "RELATIVE",
                "change_dir": "INCREASE",
                "change_amount": 0.25,
            },
            {"user": "bob"},
        ),
        (FAR, {"name": "loss", "window_size": 30, "threshold": 3.0, "change_dir": "ANY"}, {}),
        ({"event_type": "RUN_ALERT"}, {}, {}),
        (
            {"event_type": "RUN_ALERT", "alert_title": "^Low", "alert_levels": ["WARN"], "run_name": "^prod"},
            {"title": "^Low", "levels": ["WARN"]},
            {"display_name": {"$regex": "^prod"}},
        ),
        (STALLS, {"source": "METRIC", "name": "loss", "minutes": 30}, {}),
        (
            STALLS | {"stall_source": "STEP", "metric_name": "", "run_name": "^prod"},
            {"source": "STEP", "minutes": 30},
            {"display_name": {"$regex": "^prod"}},
        ),
        ({"event_type": "UNLINK_ARTIFACT", "artifact_type": "model"}, {}, {"type": "model"}),
        ({"event_type": "ADD_ARTIFACT_TAG", "tag_pattern": "^ok$"}, {}, {"tag": {"$regex": "^ok$"}}),
        ({"event_type": "REMOVE_COLLECTION_TAG", "tag_pattern": "ok"}, {}, {"tag": {"$regex": "ok"}}),
    ],
)
def test_every_event_is_written_by_its_fields(
    filling: Filling, answers: dict[str, Any], condition: Any, document: Any
) -> None:
    assert filling.post(**answers).status_code == 302
    filling.post(action_kind="NO_OP")
    filling.post(go="save", name="Watch", description="")

    automation = Automation.objects.get()
    assert (automation.condition, automation.filter) == (condition, document)


def test_an_absence_is_of_the_collection_that_was_chosen(filling: Filling, project: Project) -> None:
    collection = factories.make_version(project, "model").collection
    filling.post(go="refresh", event_type="ARTIFACT_ABSENCE")
    assert "This is about one collection: choose it as the scope first." in filling.page
    assert filling.post(event_type="ARTIFACT_ABSENCE", collection=collection.pk, absence_hours="24").status_code == 302
    filling.post(action_kind="NO_OP")
    filling.post(go="save", name="Nightly is late", description="")

    automation = Automation.objects.get()
    assert (automation.collection, automation.condition) == (collection, {"hours": 24})


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        (CHANGE | {"change_amount": "0"}, "change_amount"),
        (CHANGE | {"change_amount": ""}, "change_amount"),
        (CHANGE | {"prior_window_size": "9999"}, "prior_window_size"),
        (CHANGE | {"metric_name": ""}, "metric_name"),
        (FAR | {"run_count": "2"}, "run_count"),
        (STALLS | {"metric_name": ""}, "metric_name"),
        (STALLS | {"stall_minutes": "0"}, "stall_minutes"),
        (STALLS | {"stall_source": "HEARTBEAT", "stall_minutes": "5"}, "stall_minutes"),
        ({"event_type": "ARTIFACT_ABSENCE", "absence_hours": "24"}, "event_type"),
        (FAR | {"deviations": "-1"}, "deviations"),
        ({"event_type": "RUN_ALERT", "alert_title": "(?=x)"}, "alert_title"),
        ({"event_type": "ADD_ARTIFACT_TAG", "tag_pattern": "("}, "tag_pattern"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(filling: Filling, answers: dict[str, Any], field: str) -> None:
    response = filling.post(**answers)

    assert response.status_code == 422
    assert set(response.context["form"].errors) == {field}
    (message,) = response.context["form"].errors[field]
    assert message.split()[0] in filling.page


def test_a_slack_message_is_written_and_previewed(
    filling: Filling, project: Project, channel: SlackChannel, alice: User
) -> None:
    run = factories.make_run(project, user=alice, display_name="<baseline>")
    runs.finish(run, exit_code=1, by=alice, at=timezone.now())
    filling.post(event_type="RUN_STATE", states=["FAILED"])
    message = {"title": "${run_name} failed", "message": "Ask ${run_nam}.", "severity": "ERROR"}
    answers = {"action_kind": "NOTIFICATION", "team": channel.team_id, "slack_channel": channel.pk, **message}
    filling.post(go="refresh", **answers)

    assert "#ml-alerts (Acme)" in filling.page
    assert "&lt;baseline&gt; failed" in filling.page
    assert "Run &lt;baseline&gt;: the run failed with exit code 1." in filling.page
    assert "There is no variable ${run_nam}; it will be empty." in filling.page
    filling.post(**answers)
    assert "post to #ml-alerts in Slack" in filling.page
    filling.post(go="save", name="Tell the team", description="")

    automation = Automation.objects.get()
    assert (automation.slack_channel, automation.webhook) == (channel, None)
    assert {name: getattr(automation, name) for name in message} == message


@pytest.mark.parametrize(
    ("answers", "field"), [({"slack_channel": ""}, "slack_channel"), ({"title": "x" * 1_001}, "title")]
)
def test_what_slack_would_not_take_is_said_at_its_field(
    filling: Filling, channel: SlackChannel, answers: dict[str, Any], field: str
) -> None:
    filling.post(event_type="RUN_STATE", states=["FAILED"])
    asked = {"action_kind": "NOTIFICATION", "team": channel.team_id, "slack_channel": channel.pk}
    response = filling.post(**asked | answers)

    assert set(response.context["form"].errors) == {field}


def test_the_channel_of_another_team_cannot_be_chosen(filling: Filling) -> None:
    foreign = factories.make_slack_channel(factories.make_team("elsewhere"), "secret-plans")
    filling.post(event_type="RUN_STATE", states=["FAILED"])
    response = filling.post(action_kind="NOTIFICATION", team=foreign.team_id, slack_channel=foreign.pk)

    assert response.status_code == 422
    assert "secret-plans" not in filling.page


@pytest.mark.parametrize("place", ["teams/research", "orgs/acme"])
def test_an_automation_of_a_team_or_organization_is_written_listed_and_deleted(
    browser: Browser, alice: User, project: Project, place: str
) -> None:
    factories.make_organization(admin=alice)
    client = browser(alice)
    address = f"/{place}/automations"
    assert "No automations yet." in client.get(address).content.decode()
    filling = Filling(client, f"{address}/new")
    assert "Covers all of" in filling.page
    assert 'name="collection"' not in filling.page
    filling.post(event_type="LINK_MODEL", collection_name="^digits")
    filling.post(action_kind="NO_OP")
    response = filling.post(go="save", name="Wide", description="")

    automation = Automation.objects.get()
    assert automation.scope == (project.team if place.startswith("teams") else project.team.organization)
    assert response["Location"] == automation.get_absolute_url()
    shown = client.get(address).content.decode()
    assert "Wide" in shown
    assert "When a version is linked to a registry, where collection name matches ^digits" in shown
    assert f"/automations/{automation.pk}/edit" in client.get(automation.get_absolute_url()).content.decode()
    assert client.post(f"/automations/{automation.pk}/delete")["Location"] == address


def test_metrics_of_all_projects_are_offered_to_a_team(browser: Browser, alice: User, team: Team) -> None:
    for name in ("digits", "letters"):
        run = factories.make_run(factories.make_project(team, name))
        type(run).objects.filter(pk=run.pk).update(summary={f"{name}_loss": 0.5})
    filling = Filling(browser(alice), "/teams/research/automations/new")

    assert '<option value="digits_loss">' in filling.page
    assert '<option value="letters_loss">' in filling.page


@pytest.mark.parametrize(
    ("who", "place", "reads", "writes"),
    [
        ("bob", "teams/research", 200, 403),
        ("bob", "orgs/acme", 200, 403),
        ("charlie", "teams/research", 404, 404),
        ("charlie", "orgs/acme", 404, 404),
        ("alice", "teams/research", 200, 200),
        ("alice", "orgs/acme", 200, 403),
    ],
)
def test_az1_who_reads_and_writes_wide_automations(
    browser: Browser, team: Team, charlie: User, *, who: str, place: str, reads: int, writes: int
) -> None:
    client = browser(factories.make_user(who))

    assert client.get(f"/{place}/automations").status_code == reads
    assert client.get(f"/{place}/automations/new").status_code == writes


def test_how_often_an_organizations_automation_fired_is_for_its_admins(
    browser: Browser, team: Team, project: Project, bob: User
) -> None:
    automation = factories.make_automation(team.organization, name="Everywhere")
    execution = factories.make_execution(automation, factories.make_event(factories.make_run(project)))
    admin = factories.make_user("owner")
    factories.make_organization(admin=admin)

    assert str(execution.key) in browser(admin).get("/orgs/acme/automations").content.decode()
    shown = browser(bob).get("/orgs/acme/automations").content.decode()
    assert "Everywhere" in shown
    assert str(execution.key) not in shown


def test_a_list_asks_as_often_for_many_rows_as_for_one(browser: Browser, alice: User, team: Team) -> None:
    client = browser(alice)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get("/teams/research/automations")
        return len(asked)

    channel = factories.make_slack_channel(team)
    factories.make_automation(team, name="first", slack_channel=channel)
    before = queries()
    for number in range(5):
        other = factories.make_slack_channel(team, f"channel-{number}")
        factories.make_automation(team, name=str(number), slack_channel=other)
    assert queries() == before


# --- what happened ----------------------------------------------------------------------------------------------


def raise_alert(run: Run) -> None:
    details = {
        "entity": "research",
        "project": "digits",
        "title": "Low accuracy",
        "text": "0.4 <only>",
        "level": "WARN",
    }
    with transaction.atomic():
        announce(
            Fact(
                kind=RUN_ALERT,
                occurred_at=timezone.now(),
                dedupe_key="alert:1",
                scopes=run_scopes(run),
                run=run,
                facts=run_facts(run),
                details=details,
            )
        )


def test_an_alert_is_told_on_its_execution(browser: Browser, alice: User, project: Project) -> None:
    automation = factories.make_automation(project, "RUN_ALERT")
    raise_alert(factories.make_run(project, user=alice, display_name="baseline"))
    execution = automation.executions.get()
    shown = browser(alice).get(execution.get_absolute_url()).content.decode()

    assert "Alert raised" in shown
    assert "“Low accuracy”" in shown
    assert "0.4 &lt;only&gt;" in shown
    assert "Because the script raised WARN “Low accuracy”." in shown


def test_ac3_a_post_to_a_hidden_teams_channel_is_not_told(
    browser: Browser, alice: User, bob: User, project: Project
) -> None:
    hidden = factories.make_slack_channel(factories.make_team("elsewhere", admin=alice), "secret-plans")
    automation = factories.make_automation(project, slack_channel=hidden, title="The plan", name="Tell them")
    run = factories.make_run(project, user=bob)
    runs.finish(run, exit_code=1, by=bob, at=timezone.now())
    execution = automation.executions.get()
    execution.payload = json.dumps({"text": "The plan"})
    execution.save()
    for address in (execution.get_absolute_url(), automation.get_absolute_url()):
        assert "secret-plans" in browser(alice).get(address).content.decode()
        shown = browser(bob).get(address).content.decode()
        assert "secret-plans" not in shown
        assert "a Slack channel of another team" in shown
    assert "The plan" not in browser(bob).get(execution.get_absolute_url()).content.decode()
    hidden_now = browser(bob).get(f"/api/executions/{execution.key}/").content.decode()
    assert "secret-plans" not in hidden_now


def test_an_automation_whose_channel_fails_says_so(browser: Browser, alice: User, project: Project) -> None:
    channel = factories.make_slack_channel(
        project.team, last_error="The channel is archived.", failing_since=timezone.now()
    )
    automation = factories.make_automation(project, slack_channel=channel)

    assert "The channel is archived." in browser(alice).get(automation.get_absolute_url()).content.decode()
