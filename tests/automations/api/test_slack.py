"""Slack channels and Slack messages over REST."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from automations.models import Automation, SlackChannel
from projects.models import Project, Team, User
from tests import factories
from tests.slack import CHANNEL, TOKEN, FakeSlack

Api = Callable[[User | None], APIClient]
CHANNELS = "/api/teams/research/slack-channels/"
WORKSPACES = "/api/teams/research/slack-workspaces/"
NEW = {"workspace": "Acme", "channel": "ml-alerts", "webhook_url": "https://hooks.invalid/services/wonderful"}


@pytest.fixture
def slack(settings: Any) -> Iterator[FakeSlack]:
    with FakeSlack() as server:
        server.serve(settings)
        yield server


def fields_of(refused: Any) -> set[str]:
    return {problem["field"] for problem in refused.json()["errors"]}


def test_an_admin_connects_a_workspace_and_finds_its_channels(
    api: Api, alice: User, team: Team, slack: FakeSlack
) -> None:
    client = api(alice)
    made = client.post(WORKSPACES, {"token": TOKEN})
    assert made.status_code == 201
    pk = made.json()["id"]
    assert made.json() | {"created_at": ""} == {
        "id": pk,
        "team": "research",
        "workspace_id": "T0001",
        "name": "Acme",
        "bot_name": "automations",
        "created_at": "",
    }
    found = client.get(f"{WORKSPACES}{pk}/channels/?search=alert").json()
    assert found == {
        "complete": True,
        "problem": "",
        "read": 1,
        "channels": [{"id": CHANNEL, "name": "ml-alerts", "private": False, "member": True}],
    }
    slack.tokens = {"xoxb-newer-token": slack.tokens[TOKEN]}
    assert client.patch(f"{WORKSPACES}{pk}/", {"token": TOKEN}).status_code == 400
    assert client.patch(f"{WORKSPACES}{pk}/", {"token": "xoxb-newer-token"}).status_code == 200
    assert TOKEN not in client.get(WORKSPACES).content.decode()

    assert client.post(CHANNELS, {"slack_workspace": pk, "channel": "x", "channel_id": CHANNEL}).status_code == 201
    refused = client.delete(f"{WORKSPACES}{pk}/")
    assert (refused.status_code, refused.json()["detail"]) == (409, "Acme is used by #x. Delete those channels first.")
    assert client.delete(f"{CHANNELS}x/").status_code == 204
    assert client.get(f"{WORKSPACES}{pk}/").status_code == 404


def test_an_admin_adds_changes_tests_and_deletes_a_channel(api: Api, alice: User, team: Team, slack: FakeSlack) -> None:
    client = api(alice)
    pk = client.post(WORKSPACES, {"token": TOKEN}).json()["id"]
    made = client.post(CHANNELS, {"slack_workspace": pk, "channel": "ml-alerts", "channel_id": CHANNEL})
    assert made.status_code == 201
    assert made.json() | {"created_at": ""} == {
        "team": "research",
        "workspace": "Acme",
        "channel": "ml-alerts",
        "kind": "bot",
        "channel_id": CHANNEL,
        "slack_workspace": pk,
        "health": {
            "state": "never_used",
            "failing_since": None,
            "last_success_at": None,
            "last_failure_at": None,
            "last_error": "",
        },
        "created_at": "",
    }
    tested = client.post(f"{CHANNELS}ml-alerts/test/")
    assert tested.json() == {"succeeded": True, "sentence": "Slack took the message for #ml-alerts."}
    changed = client.patch(f"{CHANNELS}ml-alerts/", {"channel": "alerts"})
    assert (changed.json()["channel"], changed.json()["channel_id"]) == ("alerts", CHANNEL)
    assert TOKEN not in (made.content + changed.content + client.get(CHANNELS).content).decode()
    assert client.delete(f"{CHANNELS}alerts/").status_code == 204
    assert client.get(f"{CHANNELS}alerts/").status_code == 404


def test_an_admin_adds_an_incoming_webhook(api: Api, alice: User, team: Team) -> None:
    made = api(alice).post(CHANNELS, NEW)

    assert (made.status_code, made.json()["kind"], made.json()["slack_workspace"]) == (201, "webhook", None)
    assert "wonderful" not in made.content.decode()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"channel": "x"}, "slack_workspace"),
        ({"channel": "x", "slack_workspace": 99}, "slack_workspace"),
        ({"channel": "x", "webhook_url": "https://hooks.invalid/"}, "workspace"),
    ],
)
def test_a_channel_that_nothing_leads_to_is_refused(
    api: Api, alice: User, team: Team, body: dict[str, Any], field: str
) -> None:
    refused = api(alice).post(CHANNELS, body)

    assert (refused.status_code, fields_of(refused)) == (400, {field})


def test_members_see_channels_and_strangers_do_not(api: Api, team: Team, alice: User, bob: User, charlie: User) -> None:
    factories.make_slack_channel(team)

    assert [row["channel"] for row in api(bob).get(CHANNELS).json()["results"]] == ["ml-alerts"]
    assert api(bob).post(CHANNELS, NEW).status_code == 403
    assert api(bob).delete(f"{CHANNELS}ml-alerts/").status_code == 403
    assert api(charlie).get(CHANNELS).status_code == 404
    assert api(charlie).get(f"{CHANNELS}ml-alerts/").status_code == 404


def test_a_refusal_names_the_field_and_never_the_credential(api: Api, alice: User, team: Team) -> None:
    refused = api(alice).post(WORKSPACES, {"token": "my-secret-token"})

    assert refused.status_code == 400
    assert fields_of(refused) == {"token"}
    assert "my-secret-token" not in refused.content.decode()


def test_an_automation_posts_to_a_channel(api: Api, alice: User, project: Project) -> None:
    factories.make_slack_channel(project.team)
    body = {
        "name": "Tell the team",
        "scope": {"kind": "project", "name": "research/digits"},
        "event_type": "RUN_STATE",
        "condition": {"states": ["FAILED"]},
        "action_kind": "NOTIFICATION",
        "slack_channel": "ml-alerts",
        "title": "${run_name} failed",
    }
    client = api(alice)
    made = client.post("/api/automations/", body)

    assert made.status_code == 201
    shown = made.json()
    assert (shown["slack_channel"], shown["severity"], shown["title"]) == (
        "research/ml-alerts",
        "INFO",
        "${run_name} failed",
    )
    assert shown["summary"] == "When a run fails, post to #ml-alerts in Slack"
    assert client.delete(f"{CHANNELS}ml-alerts/").status_code == 409
    address = f"/api/automations/{shown['id']}/"
    refused = client.patch(address, {"payload": "{}"})
    assert refused.json()["errors"] == [
        {"field": "action_kind", "message": "“Slack notification” has no payload; leave that out."}
    ]
    cleared = {"action_kind": "NO_OP", "slack_channel": None, "title": "", "severity": ""}
    assert client.patch(address, cleared).status_code == 200
    assert Automation.objects.get().slack_channel is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"slack_channel": None}, "slack_channel"),
        ({"slack_channel": "elsewhere/secret-plans"}, "slack_channel"),
        ({"slack_channel": "unknown"}, "slack_channel"),
        ({"severity": "LOUD"}, "severity"),
        ({"title": "x" * 1_001}, "title"),
        ({"message": "a\x00b"}, "message"),
        ({"webhook": "pager"}, "action_kind"),
    ],
)
def test_what_cannot_be_posted_is_refused(
    api: Api, alice: User, project: Project, change: dict[str, Any], field: str
) -> None:
    factories.make_slack_channel(factories.make_team("elsewhere"), "secret-plans")
    factories.make_webhook(project.team)
    channel = factories.make_slack_channel(project.team)
    automation = factories.make_automation(project, slack_channel=channel)

    refused = api(alice).patch(f"/api/automations/{automation.pk}/", change)

    assert refused.status_code == 400
    assert field in fields_of(refused)


def test_ac3_the_channel_of_a_hidden_team_is_not_named(api: Api, alice: User, bob: User, project: Project) -> None:
    hidden = factories.make_slack_channel(factories.make_team("elsewhere", admin=alice), "secret-plans")
    factories.make_automation(project, slack_channel=hidden)

    (seen,) = api(bob).get("/api/automations/").json()["results"]
    assert seen["slack_channel"] is None
    assert seen["summary"] == "When a run fails, post to a Slack channel of another team"
    (shown,) = api(alice).get("/api/automations/").json()["results"]
    assert shown["slack_channel"] == "elsewhere/secret-plans"
    assert SlackChannel.objects.count() == 1
