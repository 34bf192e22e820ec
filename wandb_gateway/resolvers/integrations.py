"""What an action may use of a team: its webhooks."""

from __future__ import annotations

from typing import Any

from ariadne import InterfaceType, MutationType, ObjectType
from graphql import GraphQLResolveInfo

from automations import webhooks
from automations.api.webhooks import with_secrets
from automations.models import Webhook
from projects import access
from projects.access import Permission
from projects.models import Organization, Team
from wandb_gateway import ids
from wandb_gateway.connections import connection

entity = ObjectType("Entity")
integration = InterfaceType("Integration")
webhook = ObjectType("GenericWebhookIntegration")
mutation = MutationType()


@integration.type_resolver
def kind_of(_found: Webhook, *_: Any) -> str:
    return "GenericWebhookIntegration"


@webhook.field("id")
def webhook_id(found: Webhook, _info: GraphQLResolveInfo) -> str:
    return ids.encode("WebhookIntegration", found.pk)


@entity.field("integrations")
def integrations(found: Team | Organization, info: GraphQLResolveInfo, **page: Any) -> dict[str, Any]:
    """An organization has none: webhooks are of teams."""
    if isinstance(found, Organization):
        return connection([], **page)
    return connection(Webhook.objects.visible_to(info.context.user).filter(team=found).order_by("name"), **page)


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

BINDABLES = (entity, integration, webhook, mutation)
