"""Who asks: the client wants to know before it does anything else."""

from __future__ import annotations

from ariadne import ObjectType, QueryType
from graphql import GraphQLResolveInfo

from projects.models import User
from wandb_gateway import ids

query = QueryType()
user = ObjectType("User")


@query.field("viewer")
def viewer(_root: None, info: GraphQLResolveInfo) -> User:
    asking: User = info.context.user
    return asking


@user.field("id")
def user_id(found: User, _info: GraphQLResolveInfo) -> str:
    return ids.encode("User", found.pk)


@user.field("name")
def user_name(found: User, _info: GraphQLResolveInfo) -> str:
    return found.get_full_name() or found.username


@user.field("entity")
def default_entity(found: User, _info: GraphQLResolveInfo) -> str:
    """Where a script logs that names no entity: the user's own team, or the one a service account is of."""
    return found.service_of.name if found.service_of else found.username


@user.field("admin")
def is_admin(found: User, _info: GraphQLResolveInfo) -> bool:
    return found.is_superuser


@user.field("flags")
def flags(_found: User, _info: GraphQLResolveInfo) -> str:
    return "{}"


BINDABLES = (query, user)
