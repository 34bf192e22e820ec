"""Integrations by the client's own operations: whose one sees, and who makes them (WH1, SE1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wandb.automations._generated.operations import CREATE_GENERIC_WEBHOOK_INTEGRATION_GQL, INTEGRATIONS_BY_ENTITY_GQL

from automations.models import Webhook
from projects.models import Team, User
from tests import factories

Ask = Callable[[User | None], Any]

PAGER = {"entityName": "research", "name": "pager", "urlEndpoint": "https://hooks.example.com/pager"}


def named(ask: Any, entity: str) -> list[str]:
    found = ask.data(INTEGRATIONS_BY_ENTITY_GQL, entity=entity)["entity"]["integrations"]
    return [edge["node"].get("name") or edge["node"]["channelName"] for edge in found["edges"]]


def test_a_team_shows_its_webhooks_and_slack_channels_to_its_members(
    graphql: Ask, team: Team, bob: User, charlie: User
) -> None:
    factories.make_webhook(team, name="pager")
    factories.make_webhook(team, name="deploy")
    factories.make_slack_channel(team, "alerts")
    factories.make_webhook(charlie.personal_team, name="charlie's own")

    assert named(graphql(bob), "research") == ["deploy", "pager", "alerts"]
    assert named(graphql(bob), "acme") == []
    assert graphql(charlie).data(INTEGRATIONS_BY_ENTITY_GQL, entity="research") == {"entity": None}


def test_an_admin_makes_a_webhook_with_secrets_by_their_names(graphql: Ask, team: Team, alice: User) -> None:
    token = factories.make_secret(team, "TOKEN", "the-value-of-the-token")
    signing = factories.make_secret(team, "SIGNING", "the-value-that-signs")

    made = graphql(alice).data(
        CREATE_GENERIC_WEBHOOK_INTEGRATION_GQL, input={**PAGER, "accessTokenRef": "TOKEN", "secretRef": "SIGNING"}
    )["result"]["integration"]

    webhook = Webhook.objects.get()
    assert (webhook.access_token, webhook.secret, webhook.created_by) == (token, signing, alice)
    assert {name: made[name] for name in ("__typename", "name", "urlEndpoint")} == {
        "__typename": "GenericWebhookIntegration",
        "name": "pager",
        "urlEndpoint": PAGER["urlEndpoint"],
    }
    assert named(graphql(alice), "research") == ["pager"]


def test_what_makes_no_webhook_is_refused(graphql: Ask, team: Team, alice: User, bob: User, charlie: User) -> None:
    def refused(user: User, **fields: Any) -> tuple[int, str]:
        answer = graphql(user)(CREATE_GENERIC_WEBHOOK_INTEGRATION_GQL, input=PAGER | fields)
        return answer.status, answer.errors[0]

    assert refused(charlie) == (404, "There is no team “research”.")
    assert refused(bob)[0] == 403
    assert refused(alice, accessTokenRef="NOBODYS") == (
        400,
        "access_token: research has no secret NOBODYS. Create it first.",
    )
    assert refused(alice, urlEndpoint="http://169.254.169.254/latest")[0] == 400
    assert not Webhook.objects.exists()
