"""The schema, bound to its resolvers: built once, when the first request comes."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from ariadne import load_schema_from_path, make_executable_schema
from graphql import GraphQLResolveInfo, GraphQLSchema

from wandb_gateway.refusals import Unsupported
from wandb_gateway.resolvers import BINDABLES

SDL = Path(__file__).with_name("schema.graphql")


def _unsupported(_root: None, info: GraphQLResolveInfo, **_: object) -> NoReturn:
    raise Unsupported(f"This server does not know how to {info.field_name}.")


def _bound() -> GraphQLSchema:
    """The schema, in which a mutation that nobody bound is refused: the client dies of a null it did not expect."""
    schema = make_executable_schema(load_schema_from_path(SDL), *BINDABLES)
    assert schema.mutation_type is not None  # the file says what it is
    for field in schema.mutation_type.fields.values():
        field.resolve = field.resolve or _unsupported
    return schema


SCHEMA = _bound()
