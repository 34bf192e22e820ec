"""What mutations are given: text that no database takes is mended first, as it is for runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from graphql import GraphQLResolveInfo

from projects.jsonvalues import mended

Input = dict[str, Any]
Payload = dict[str, Any]
Mutation = Callable[[None, GraphQLResolveInfo, Input], Payload]


def mends(mutation: Mutation) -> Mutation:
    """The mutation, whose input has no NUL characters and no halves of surrogate pairs."""

    @wraps(mutation)
    def resolve(root: None, info: GraphQLResolveInfo, input: Input) -> Payload:
        return mutation(root, info, mended(input))

    return resolve
