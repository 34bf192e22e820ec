"""Alerts that are switched on and off in Team settings: automations of the team like any other."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from automations import editing, readymade
from automations.models import Allowance, Automation, ChannelPost, Execution, Status
from projects import alerts as script_alerts
from projects import runs
from projects.models import AlertLevel, Project, Team, User
from tests import factories

PAGE = "/teams/research/settings/"
ON, OFF = f"{PAGE}alerts/run-failed/on", f"{PAGE}alerts/run-failed/off"


def switch(team: Team, key: str = "run-failed") -> readymade.Switch:
    found = readymade.named(team, key)
    assert found is not None
    return found


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def said(client: Client) -> list[str]:
    """The page's messages about what was just done."""
    context: Any = client.get(PAGE).context
    return [str(message) for message in context["messages"]]


def test_switching_on_for_the_first_time_makes_an_automation_of_the_team(project: Project, alice: User) -> None:
    channel = factories.make_slack_channel(project.team)
    client = signed_in(alice)
    assert "Slack channels" in client.get(ON).content.decode()
    assert client.post(ON, {"target": f"slack-{channel.pk}"}).status_code == 302

    made = project.team.automations.get()
    assert (made.name, made.event_type, made.condition) == (
        "Run failed or crashed",
        "RUN_STATE",
        {"states": ["FAILED"]},
    )
    assert (made.slack_channel, made.severity, made.enabled) == (channel, "ERROR", True)
    assert switch(project.team).on
    assert made.get_absolute_url() in client.get("/teams/research/automations").content.decode()


def test_what_is_switched_on_fires(project: Project, alice: User) -> None:
    """Each of them, when what it is about happens."""
    webhook = factories.make_webhook(project.team)
    for alert in readymade.ALERTS:
        readymade.create(project.team, alert, target=webhook, by=alice)
    now = timezone.now()
    runs.finish(factories.make_run(project, user=alice), exit_code=0, by=alice, at=now)
    runs.finish(factories.make_run(project, user=alice), exit_code=1, by=alice, at=now)
    run = factories.make_run(project, user=alice)
    script_alerts.raise_alert(run, title="Odd", text="", level=AlertLevel.INFO, wait=timedelta(), by=alice, at=now)
    fired = Execution.objects.order_by("pk").values_list("automation__name", flat=True)
    assert list(fired) == ["Run finished", "Run failed or crashed", "Alert raised by a script"]


def test_switching_off_disables_and_on_again_enables_the_same_automation(team: Team, alice: User) -> None:
    made = readymade.create(team, readymade.ALERTS[0], target=factories.make_webhook(team), by=alice)
    editing.change(made, by=alice, name="Our name for it")
    client = signed_in(alice)
    client.post(OFF)
    made.refresh_from_db()
    assert not made.enabled
    assert said(client) == ["1 automation is disabled."]
    client.post(ON)
    made.refresh_from_db()
    assert made.enabled
    assert said(client) == ["“Our name for it” is enabled."]
    assert team.automations.count() == 1


def test_a_switch_is_on_by_whatever_automation_does_the_same(team: Team, alice: User) -> None:
    webhook = factories.make_webhook(team)
    factories.make_automation(team, name="by hand", webhook=webhook, condition={"states": ["FAILED"]})
    assert switch(team).on
    assert readymade.switch_off(switch(team), by=alice) == 1
    assert not switch(team).on


@pytest.mark.parametrize(
    "fields",
    [
        {"condition": {"states": ["FAILED", "FINISHED"]}},
        {"condition": {"states": ["FAILED"]}, "filter": {"display_name": {"$regex": "^prod"}}},
        {"event_type": "RUN_ALERT", "condition": {"levels": ["ERROR"]}},
    ],
)
def test_an_automation_that_reacts_to_more_or_less_is_no_switch(team: Team, fields: dict[str, Any]) -> None:
    factories.make_automation(team, **({"event_type": "RUN_STATE"} | fields))
    assert [one.automations for one in readymade.of_team(team)] == [[], [], []]


def test_shadow_mode_is_off_and_switching_on_ends_it(team: Team, alice: User) -> None:
    """AC2: what only rehearses tells nobody."""
    made = factories.make_automation(
        team, webhook=factories.make_webhook(team), condition={"states": ["FAILED"]}, shadow=True
    )
    assert not switch(team).on
    readymade.switch_on(switch(team), by=alice)
    made.refresh_from_db()
    assert (made.enabled, made.shadow) == (True, False)


def test_a_name_that_is_taken_gets_a_number(team: Team, alice: User) -> None:
    factories.make_automation(team, "RUN_ALERT", name="Run failed or crashed")
    made = readymade.create(team, readymade.ALERTS[0], target=factories.make_webhook(team), by=alice)
    assert made.name == "Run failed or crashed 2"


def test_without_anything_to_send_to_the_dialog_says_so(team: Team, alice: User) -> None:
    assert "add a Slack channel or a webhook first" in signed_in(alice).get(ON).content.decode()
    assert signed_in(alice).post(ON, {"target": "webhook-1"}).status_code == 200
    assert not Automation.objects.exists()


def test_a_target_of_another_team_is_refused(team: Team, alice: User, charlie: User) -> None:
    """AZ1, AC3"""
    elsewhere = factories.make_webhook(factories.make_team("elsewhere", admin=charlie))
    factories.make_webhook(team)
    assert signed_in(alice).post(ON, {"target": f"webhook-{elsewhere.pk}"}).status_code == 422
    assert not Automation.objects.exists()


def test_members_look_and_strangers_find_nothing(team: Team, alice: User, bob: User, charlie: User) -> None:
    """§8, AZ1"""
    readymade.create(team, readymade.ALERTS[0], target=factories.make_webhook(team), by=alice)
    assert signed_in(bob).post(OFF).status_code == 403
    assert signed_in(charlie).post(OFF).status_code == 404
    page = signed_in(bob).get(PAGE).content.decode()
    assert "call webhook pager" in page
    assert 'role="switch"' not in page
    with pytest.raises(PermissionDenied):
        readymade.switch_off(switch(team), by=bob)
    team.members_edit_automations = True
    team.save()
    assert signed_in(bob).post(OFF).status_code == 302


def test_there_is_no_other_alert(team: Team, alice: User) -> None:
    assert signed_in(alice).post(f"{PAGE}alerts/nonsense/on").status_code == 404


# --- limits and budgets -----------------------------------------------------------------------------------------------


def test_the_limits_of_the_server_are_told_with_their_settings(team: Team, bob: User, settings: Settings) -> None:
    """EV12, HI5"""
    settings.RATE_LIMIT_PER_HOUR, settings.HISTORY_RETENTION_DAYS = 1_234, 0
    settings.MAX_BODY_BYTES = 20_500_000
    page = " ".join(signed_in(bob).get(PAGE).content.decode().split())
    assert "60 a minute, 1,234 an hour" in page
    assert "for ever" in page
    assert "20.5 MB" in page
    assert "RATE_LIMIT_PER_HOUR" in page


def test_a_budget_is_shown_with_what_is_spent_of_it(project: Project, alice: User) -> None:
    now = timezone.now()
    channel = factories.make_slack_channel(project.team, hourly_budget=5)
    factories.make_slack_channel(project.team, "quiet", credential="https://hooks.slack.test/x")
    automation = factories.make_automation(project, slack_channel=channel, severity="INFO")
    for minutes in (1, 30, 90):
        execution = factories.make_execution(automation, factories.make_event(), status=Status.FINISHED)
        ChannelPost.objects.create(channel=channel, execution=execution, at=now - timedelta(minutes=minutes))
    page = " ".join(signed_in(alice).get(PAGE).content.decode().split())
    assert "2 of 5 messages" in page
    assert "no limit" in page


def test_the_busiest_automation_of_the_team_is_named(team: Team, alice: User) -> None:
    now = timezone.now()
    for name, fired, began in (("calm", 3, now), ("busy", 40, now), ("yesterday", 900, now - timedelta(days=1))):
        automation = factories.make_automation(team, name=name)
        Allowance.objects.create(
            automation=automation, minute_began_at=began, in_minute=1, hour_began_at=began, in_hour=fired
        )
    page = " ".join(signed_in(alice).get(PAGE).content.decode().split())
    assert ">busy</a>, 40 of 1,000 in this hour." in page
