"""What the server can do: the client asks once a session, and sends nothing that is not named."""

from __future__ import annotations

from typing import Any

from ariadne import QueryType
from graphql import GraphQLResolveInfo

from wandb_gateway.features import FEATURES

query = QueryType()


@query.field("serverInfo")
def server_info(_root: None, _info: GraphQLResolveInfo) -> dict[str, Any]:
    return {"features": [{"name": name, "isEnabled": True} for name in FEATURES]}


BINDABLES = (query,)
