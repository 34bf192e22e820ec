"""Scalars on the wire. What a query writes in place, without a variable, reads the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ariadne import ScalarType
from graphql import GraphQLError
from graphql.language import ValueNode
from graphql.utilities import value_from_ast_untyped

WHOLE = ("Int64", "Duration")


def as_written(value: Any) -> Any:
    return value


def in_place(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
    return value_from_ast_untyped(node, variables)


def moment(value: datetime) -> str:
    """RFC 3339 in UTC, as every reader of the client takes it."""
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def text(value: Any) -> str:
    """JSON travels in a text of its own.

    Raises:
        GraphQLError: it is no text.
    """
    if not isinstance(value, str):
        raise GraphQLError("This is JSON, written as a text.")
    return value


def whole(value: Any) -> int:
    """A whole number of up to 64 bits.

    Raises:
        GraphQLError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value) or abs(value) >= 2**63:
        raise GraphQLError("This is a whole number of up to 64 bits.")
    return int(value)


BINDABLES = (
    ScalarType("JSON", serializer=as_written, value_parser=as_written, literal_parser=in_place),
    ScalarType("JSONString", serializer=text, value_parser=text),
    ScalarType("DateTime", serializer=moment, value_parser=as_written),
    *(ScalarType(name, serializer=whole, value_parser=whole) for name in WHOLE),
)
