"""What a query asks for below a field, so that nothing big is read in vain."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLResolveInfo,
    InlineFragmentNode,
    SelectionSetNode,
)


def asked_for(info: GraphQLResolveInfo) -> frozenset[str]:
    """The names of all fields below this one, on whatever level."""
    return frozenset(
        name for node in info.field_nodes if node.selection_set is not None for name in _names(node.selection_set, info)
    )


def _names(selected: SelectionSetNode, info: GraphQLResolveInfo) -> Iterator[str]:
    for node in selected.selections:
        if isinstance(node, FieldNode):
            yield node.name.value
            inner = node.selection_set
        elif isinstance(node, FragmentSpreadNode):
            inner = info.fragments[node.name.value].selection_set
        else:
            assert isinstance(node, InlineFragmentNode)  # there is no fourth kind
            inner = node.selection_set
        if inner is not None:
            yield from _names(inner, info)
