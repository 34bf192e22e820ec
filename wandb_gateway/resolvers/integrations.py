"""What actions may use of a team: its webhooks and Slack channels."""

from __future__ import annotations

from typing import Any

from ariadne import InterfaceType, MutationType, ObjectType
from graphql import GraphQLResolveInfo

from automations import webhooks
from automations.api.webhooks import with_secrets
from automations.models import SlackChannel, Webhook
from projects import access
from projects.access import Permission
from projects.models import Organization, Team
from wandb_gateway import ids
from wandb_gateway.connections import Joined, connection

entity = ObjectType("Entity")
integration = InterfaceType("Integration")
webhook = ObjectType("GenericWebhookIntegration")
slack = ObjectType("SlackIntegration")
mutation = MutationType()


@integration.type_resolver
def type_of(found: Webhook | SlackChannel, *_: Any) -> str:
    return "GenericWebhookIntegration" if isinstance(found, Webhook) else "SlackIntegration"


@webhook.field("id")
def webhook_id(found: Webhook, _info: GraphQLResolveInfo) -> str:
    return ids.encode("WebhookIntegration", found.pk)


@slack.field("id")
def slack_id(found: SlackChannel, _info: GraphQLResolveInfo) -> str:
    return ids.encode("SlackIntegration", found.pk)


@entity.field("integrations")
def integrations(found: Team | Organization, info: GraphQLResolveInfo, **page: Any) -> dict[str, Any]:
    """An organization has none: they belong to teams."""
    if isinstance(found, Organization):
        return connection([], **page)
    user = info.context.user
    called = Webhook.objects.visible_to(user).filter(team=found).order_by("name")
    posted_to = SlackChannel.objects.visible_to(user).filter(team=found).order_by("channel")
    return connection(Joined(called, posted_to), **page)


@mutation.field("createGenericWebhookIntegration")
def create_webhook(_root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
    """Access token and secret are named; their values never travel."""
    user = info.context.user
    team = access.team_for(user, input["entityName"])
    access.require(user, Permission.EDIT_SETTINGS, team)
    named = {"access_token": input.get("accessTokenRef"), "secret": input.get("secretRef")}
    made = webhooks.create(
        team, by=user, name=input["name"], url=input["urlEndpoint"], **with_secrets(named, team=team)
    )
    return {"integration": made}


webhook.set_alias("urlEndpoint", "url")
slack.set_alias("teamName", "workspace")
slack.set_alias("channelName", "channel")

BINDABLES = (entity, integration, webhook, slack, mutation)
