"""Users: whom one knows, and the keys of one's own."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType, ObjectType, QueryType
from django.http import Http404
from django.utils import timezone
from graphql import GraphQLResolveInfo

from projects import keys, people
from projects.models import ApiKey, Organization, Team, User
from wandb_gateway import ids
from wandb_gateway.connections import connection

query = QueryType()
mutation = MutationType()
user = ObjectType("User")
key = ObjectType("ApiKey")


@query.field("users")
def users(_root: None, info: GraphQLResolveInfo, query: str | None = None) -> dict[str, Any]:
    return connection(people.found(query or "", by=info.context.user))


@user.field("teams")
def teams(found: User, info: GraphQLResolveInfo) -> dict[str, Any]:
    """The teams the user is in, as far as who asks may see them."""
    shown = getattr(found, "shown_memberships", None)
    if shown is not None:
        return {"edges": [{"node": membership.team} for membership in shown]}
    visible = Team.objects.visible_to(info.context.user) if found != info.context.user else Team.objects.all()
    return {"edges": [{"node": team} for team in visible.filter(memberships__user=found).order_by("name")]}


@user.field("organizations")
def organizations(found: User, info: GraphQLResolveInfo) -> list[Organization]:
    seen = Organization.objects.visible_to(info.context.user)
    return list(seen if found == info.context.user else seen.filter(pk__in=Organization.objects.visible_to(found)))


@user.field("apiKeys")
def api_keys(found: User, info: GraphQLResolveInfo) -> dict[str, Any]:
    """Everybody sees their own alone."""
    shown = found.api_keys.filter(revoked_at=None) if found == info.context.user else []
    return {"edges": [{"node": one} for one in shown]}


@key.field("id")
def key_id(found: ApiKey, _info: GraphQLResolveInfo) -> str:
    return ids.encode("ApiKey", found.pk)


@key.field("name")
def key_name(found: ApiKey, _info: GraphQLResolveInfo) -> str:
    """Its last characters; of a key made just now the whole key, which the client hands to whoever asked for it."""
    return getattr(found, "secret", str(found))


@key.field("description")
def description(found: ApiKey, _info: GraphQLResolveInfo) -> str:
    return found.name


@mutation.field("generateApiKey")
def generate_key(_root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, ApiKey]:
    user = info.context.user
    made, secret = keys.create(user, by=user, name=input.get("description") or "")
    made.secret = secret  # type: ignore[attr-defined]  # shown this once, and kept nowhere
    return {"apiKey": made}


@mutation.field("deleteApiKey")
def delete_key(_root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, bool]:
    found = ApiKey.objects.filter(pk=ids.number(input["id"], "ApiKey"), user=info.context.user, revoked_at=None).first()
    if found is None:
        raise Http404("You have no such API key.")
    keys.revoke(found, by=info.context.user, at=timezone.now())
    return {"success": True}


BINDABLES = (query, mutation, user, key)
