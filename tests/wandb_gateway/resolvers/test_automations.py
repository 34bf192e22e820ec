"""Automations by the client's own operations: who creates, changes and deletes them (SC2–SC4, AC3, IF5)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from wandb.automations._generated.operations import (
    CREATE_AUTOMATION_GQL,
    DELETE_AUTOMATION_GQL,
    UPDATE_AUTOMATION_GQL,
)

from automations.models import Automation
from projects.models import Project, Team, User
from registries.models import Registry
from tests import factories
from tests.wandb_gateway.resolvers.test_automations_listed import listed
from wandb_gateway import ids

Ask = Callable[[User | None], Any]

FAILS = {"run_filter": '{"$and":[]}', "run_state_filter": {"states": ["FAILED"]}}
EVERYTHING = {"$or": [{"$and": []}]}


def project_id(project: Project | Registry) -> str:
    return ids.encode(type(project).__name__, project.pk)


def wanted(project: Project | Registry, **fields: Any) -> dict[str, Any]:
    """What the client sends to create an automation: a run of the project fails, nothing is done."""
    event_filter = fields.pop("eventFilter", FAILS)
    return {
        "name": "Tell the pager",
        "enabled": True,
        "scopeType": "PROJECT",
        "scopeID": project_id(project),
        "triggeringEventType": "RUN_STATE",
        "eventFilter": event_filter if isinstance(event_filter, str) else json.dumps(event_filter),
        "triggeredActionType": "NO_OP",
        "triggeredActionConfig": {"noOpActionInput": {"noOp": True}},
        **fields,
    }


def calling(webhook: Any, payload: str | None = None) -> dict[str, Any]:
    integration = ids.encode("WebhookIntegration", webhook.pk)
    config = {"integrationID": integration, **({"requestPayload": payload} if payload else {})}
    return {
        "triggeredActionType": "GENERIC_WEBHOOK",
        "triggeredActionConfig": {"genericWebhookActionInput": config},
    }


def test_what_is_created_is_what_a_list_shows(graphql: Ask, project: Project, team: Team, alice: User) -> None:
    webhook = factories.make_webhook(team)
    payload = '{"text": "${run_name} is ${run_status}", "n": 1.50}'
    ask = graphql(alice)

    made = ask.data(CREATE_AUTOMATION_GQL, input=wanted(project, **calling(webhook, payload)))["result"]["trigger"]

    assert made["name"] == "Tell the pager"
    assert made["description"] is None
    assert made["scope"] == {"__typename": "Project", "id": project_id(project), "name": "digits"}
    assert made["event"]["eventType"] == "RUN_STATE"
    assert json.loads(made["event"]["filter"]) == FAILS
    assert made["action"] == {
        "__typename": "GenericWebhookTriggeredAction",
        "integration": {
            "__typename": "GenericWebhookIntegration",
            "id": ids.encode("WebhookIntegration", webhook.pk),
            "name": "pager",
            "urlEndpoint": webhook.url,
        },
        "requestPayload": payload,
    }
    assert listed(ask, "research") == [made]
    saved = Automation.objects.get()
    assert (saved.filter, saved.condition) == ({"$and": []}, {"states": ["FAILED"]})
    assert saved.created_by == alice


def test_the_saved_form_of_an_event_on_artifacts_is_wrapped_once_more(
    graphql: Ask, registry: Registry, alice: User
) -> None:
    made = graphql(alice).data(
        CREATE_AUTOMATION_GQL, input=wanted(registry, triggeringEventType="LINK_MODEL", eventFilter=EVERYTHING)
    )["result"]["trigger"]

    assert json.loads(json.loads(made["event"]["filter"])["filter"]) == EVERYTHING
    assert made["scope"]["name"] == "wandb-registry-models"
    assert Automation.objects.get().filter == EVERYTHING


def test_sc2_a_name_is_taken_once_in_a_scope(graphql: Ask, project: Project, alice: User) -> None:
    ask = graphql(alice)
    ask.data(CREATE_AUTOMATION_GQL, input=wanted(project))

    again = ask(CREATE_AUTOMATION_GQL, input=wanted(project))

    assert again.status == 409
    assert "There is an automation “Tell the pager”" in again.errors[0]
    other = factories.make_project(project.team, "letters")
    assert ask(CREATE_AUTOMATION_GQL, input=wanted(other)).status == 200


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"scopeID": "junk"}, "scopeID: “junk” is not the id of", id="no scope"),
        pytest.param({"scopeID": ids.encode("Project", 987)}, "no such project", id="an unknown scope"),
        pytest.param({"scopeType": "ENTITY"}, "is not the id of Entity", id="another kind of scope"),
        pytest.param({"eventFilter": "{"}, "eventFilter is not JSON", id="broken JSON"),
        pytest.param({"eventFilter": "[]"}, "eventFilter is a JSON object", id="a list"),
        pytest.param({"eventFilter": '{"x": NaN}'}, "NaN is no number", id="NaN"),
        pytest.param({"eventFilter": "[" * 100_000}, "eventFilter is not JSON", id="too deep"),
        pytest.param({"eventFilter": {"$and": []}}, "“$and” is not part", id="a rest of something"),
        pytest.param({"eventFilter": {"run_filter": "{}"}}, "run_state_filter is a JSON object", id="no states"),
        pytest.param({"eventFilter": FAILS | {"run_filter": '{"x": 1}'}}, "no field", id="an unknown field"),
        pytest.param({"triggeringEventType": "UPDATE_ARTIFACT_ALIAS"}, "is not an event", id="a legacy event"),
        pytest.param({"triggeredActionType": "ARIA"}, "There is no action ARIA here", id="an action of another server"),
        pytest.param({"triggeredActionType": "GENERIC_WEBHOOK"}, "genericWebhookActionInput, which", id="no config"),
        pytest.param(
            {
                "triggeredActionType": "GENERIC_WEBHOOK",
                "triggeredActionConfig": {"genericWebhookActionInput": {"integrationID": "junk"}},
            },
            "integrationID: “junk”",
            id="no integration",
        ),
        pytest.param({"name": "  "}, "Give the automation a name", id="no name"),
        pytest.param({"name": "x" * 256}, "at most 255", id="a long name"),
    ],
)
def test_what_cannot_be_saved_is_refused_with_a_sentence(
    graphql: Ask, project: Project, alice: User, fields: dict[str, Any], words: str
) -> None:
    answer = graphql(alice)(CREATE_AUTOMATION_GQL, input=wanted(project, **fields))

    assert answer.status == 400
    assert words in answer.errors[0]
    assert not Automation.objects.exists()


@pytest.mark.parametrize(
    "run_filter",
    [{"$nor": [{"user": "bob"}]}, {"$not": {"$or": [{"user": "bob"}]}}, {"$or": [{"user": "bob"}, {"$or": []}]}],
)
def test_a_filter_that_the_client_would_turn_around_is_not_taken_from_it(
    graphql: Ask, project: Project, alice: User, run_filter: dict[str, Any]
) -> None:
    asked = FAILS | {"run_filter": json.dumps(run_filter)}
    answer = graphql(alice)(CREATE_AUTOMATION_GQL, input=wanted(project, eventFilter=asked))

    assert answer.status == 400
    assert "would read this condition as another one" in answer.errors[0]
    assert not Automation.objects.exists()


def test_who_may_not_edit_creates_nothing(graphql: Ask, project: Project, bob: User, charlie: User) -> None:
    refused = graphql(bob)(CREATE_AUTOMATION_GQL, input=wanted(project))
    unseen = graphql(charlie)(CREATE_AUTOMATION_GQL, input=wanted(project))

    assert refused.status == 403
    assert "You may not create, edit or delete automations in research" in refused.errors[0]
    assert unseen.status == 400
    assert "no such project" in unseen.errors[0]
    assert not Automation.objects.exists()


def test_ac3_a_webhook_of_another_team_is_for_its_admins(
    graphql: Ask, project: Project, alice: User, bob: User
) -> None:
    theirs = factories.make_webhook(factories.make_team("other-team", admin=bob), name="theirs")
    unseen = graphql(alice)(CREATE_AUTOMATION_GQL, input=wanted(project, **calling(theirs)))
    factories.make_team("other-team", member=alice)
    refused = graphql(alice)(CREATE_AUTOMATION_GQL, input=wanted(project, **calling(theirs)))
    factories.make_team("other-team", admin=alice)

    assert "There is no such integration, or you may not see it" in unseen.errors[0]
    assert "You may not use webhook theirs" in refused.errors[0]
    assert graphql(alice)(CREATE_AUTOMATION_GQL, input=wanted(project, **calling(theirs))).status == 200


def test_ac3_a_webhook_of_a_hidden_team_is_named_no_further_and_kept_by_an_update(
    graphql: Ask, project: Project, alice: User, bob: User
) -> None:
    hidden = factories.make_webhook(factories.make_team("other-team", admin=bob), url="https://hidden.example.com/")
    automation = factories.make_automation(project, webhook=hidden)
    hidden_channel = factories.make_slack_channel(hidden.team, "secret-plans")
    factories.make_automation(project, name="Zulu", action_kind="NOTIFICATION", slack_channel=hidden_channel)
    ask = graphql(alice)

    shown, posting = listed(ask, "research", order="name")
    changed = ask(UPDATE_AUTOMATION_GQL, input=wanted(project, id=shown["id"], enabled=False, **calling(hidden)))

    assert shown["action"]["integration"]["name"] == "a webhook of another team"
    assert posting["action"]["integration"]["channelName"] == "a Slack channel of another team"
    assert all(word not in json.dumps([shown, posting]) for word in ("hidden.example.com", "secret-plans"))
    assert changed.status == 200
    automation.refresh_from_db()
    assert (automation.enabled, automation.webhook) == (False, hidden)


def test_slack_gets_title_message_and_severity(graphql: Ask, project: Project, team: Team, alice: User) -> None:
    channel = factories.make_slack_channel(team)
    integration = ids.encode("SlackIntegration", channel.pk)
    told = {"integrationID": integration, "title": "${run_name} failed", "message": "Look!", "severity": "ERROR"}
    posting = {"triggeredActionType": "NOTIFICATION", "triggeredActionConfig": {"notificationActionInput": told}}
    ask = graphql(alice)

    made = ask.data(CREATE_AUTOMATION_GQL, input=wanted(project, **posting))["result"]["trigger"]

    shown = {"__typename": "SlackIntegration", "id": integration, "teamName": "Acme", "channelName": "ml-alerts"}
    assert made["action"] == {
        "__typename": "NotificationTriggeredAction",
        "integration": shown,
        "title": "${run_name} failed",
        "message": "Look!",
        "severity": "ERROR",
    }
    assert Automation.objects.get().slack_channel == channel
    changed = ask.data(UPDATE_AUTOMATION_GQL, input=wanted(project, id=made["id"]))["result"]["trigger"]
    assert changed["action"]["__typename"] == "NoOpTriggeredAction"
    assert Automation.objects.get().slack_channel is None


def test_an_update_keeps_what_it_does_not_name(graphql: Ask, project: Project, alice: User) -> None:
    automation = factories.make_automation(project, description="Why it is here", shadow=True)
    ask = graphql(alice)

    ask.data(UPDATE_AUTOMATION_GQL, input={"id": ids.encode("Trigger", automation.pk), "enabled": False, "name": None})

    automation.refresh_from_db()
    assert (automation.enabled, automation.name, automation.description) == (
        False,
        "Tell the pager",
        "Why it is here",
    )
    assert automation.condition == {"states": ["FAILED"]}
    assert automation.shadow  # which the client knows nothing of (AC2)


def test_an_update_moves_to_another_scope_if_the_event_fits_it(
    graphql: Ask, project: Project, registry: Registry, alice: User
) -> None:
    automation = factories.make_automation(project)
    other = factories.make_project(project.team, "letters")
    pk = ids.encode("Trigger", automation.pk)
    ask = graphql(alice)

    moved = ask.data(UPDATE_AUTOMATION_GQL, input=wanted(other, id=pk))["result"]["trigger"]
    refused = ask(UPDATE_AUTOMATION_GQL, input=wanted(registry, id=pk))

    assert moved["scope"]["name"] == "letters"
    assert refused.status == 400
    assert "“Run state” does not happen in a registry" in refused.errors[0]
    automation.refresh_from_db()
    assert automation.project == other


@pytest.mark.parametrize("junk", ["junk", ids.encode("Trigger", 987), ids.encode("Run", 1)])
def test_what_is_not_there_is_neither_changed_nor_deleted(
    graphql: Ask, project: Project, alice: User, junk: str
) -> None:
    ask = graphql(alice)
    assert ask(UPDATE_AUTOMATION_GQL, input=wanted(project, id=junk)).status == 404
    assert ask(DELETE_AUTOMATION_GQL, id=junk).status == 404


def test_only_who_may_edit_deletes(graphql: Ask, project: Project, alice: User, bob: User, charlie: User) -> None:
    pk = ids.encode("Trigger", factories.make_automation(project).pk)

    assert graphql(charlie)(DELETE_AUTOMATION_GQL, id=pk).status == 404
    assert graphql(bob)(DELETE_AUTOMATION_GQL, id=pk).status == 403
    assert graphql(alice).data(DELETE_AUTOMATION_GQL, id=pk) == {"result": {"success": True}}
    assert not Automation.objects.exists()
