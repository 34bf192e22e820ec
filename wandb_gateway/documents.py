"""GraphQL documents, parsed and checked once per text: the client sends the same few all the time.

Reading one is bounded, because its cost is chosen by whoever writes it: its length, its depth, how many fields it asks
for once fragments are unfolded, and how many lists stand inside each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    parse,
    validate,
)

from wandb_gateway import absent

MOST_CHARACTERS = 100_000
MOST_TOKENS = 10_000
# The longest query of the client itself has about 200 selections, 13 levels and two lists inside each other.
MOST_SELECTIONS = 1_000
MOST_LEVELS = 40
MOST_LISTS = 4

Fragments = dict[str, FragmentDefinitionNode]


class InvalidDocument(GraphQLError):
    """The query cannot be run: the text is malformed, does not fit the schema, or asks for too much at once."""


@lru_cache(maxsize=500)
def read(text: str, schema: GraphQLSchema) -> DocumentNode:
    """The document, checked.

    Raises:
        InvalidDocument: with every complaint in its message.
    """
    if len(text) > MOST_CHARACTERS:
        raise InvalidDocument(f"The query has {len(text):,} characters; at most {MOST_CHARACTERS:,} are read.")
    try:
        document = parse(text, max_tokens=MOST_TOKENS)
    except (GraphQLError, RecursionError) as error:
        raise InvalidDocument(f"The query cannot be read: {error}") from error
    # Before it is held against the schema, which takes time that grows with the square of its size.
    _refuse_excess(document)
    complaints = validate(schema, document)
    if complaints:
        said = "; ".join(complaint.message for complaint in complaints[:5])
        raise InvalidDocument(absent.sentence(document) or said)
    return document


def _refuse_excess(document: DocumentNode) -> None:
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    walk = (found for node in operations for found in _selections(node.selection_set, fragments))
    # The walk is lazy: it ends with the selection that is too many.
    for count, (level, lists) in enumerate(walk, start=1):
        if count > MOST_SELECTIONS or level > MOST_LEVELS or lists > MOST_LISTS:
            raise InvalidDocument(
                f"The query asks for too much at once: at most {MOST_SELECTIONS:,} fields, {MOST_LEVELS} levels deep,"
                f" and {MOST_LISTS} lists inside each other."
            )


def _selections(
    selected: SelectionSetNode, fragments: Fragments, level: int = 1, lists: int = 0
) -> Iterator[tuple[int, int]]:
    """The depth of everything selected, and the number of lists around it, with fragments unfolded."""
    for node in selected.selections:
        inside = lists + (isinstance(node, FieldNode) and node.name.value == "edges")
        yield level, inside
        inner = _inner(node, fragments)
        if inner is not None:
            yield from _selections(inner, fragments, level + 1, inside)


def _inner(node: SelectionNode, fragments: Fragments) -> SelectionSetNode | None:
    if isinstance(node, FragmentSpreadNode):
        fragment = fragments.get(node.name.value)
        return fragment.selection_set if fragment else None
    assert isinstance(node, FieldNode | InlineFragmentNode)  # there is no fourth kind
    return node.selection_set
