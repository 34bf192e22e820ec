"""The condition language: compile, validate, evaluate, explain. Pure Python.

A condition is Mongo-like JSON over documented fields (RUN_FIELDS, ARTIFACT_FIELDS), the form in which
the W&B SDK writes filters. It is stored exactly as given.

- An object means that all of its entries hold: `{"user": "alice", "state": {"$in": ["FAILED"]}}`.
- `$and $or $nor` join lists of conditions, `$not` turns a condition, or the operators of one field.
- `$eq $ne $gt $gte $lt $lte $in $nin $exists $regex $contains $all $size` compare; a plain value means `$eq`.
- `{}`, `{"$and": []}`, `{"$or": [{"$and": []}]}`, and also an empty `$or` or `$nor` anywhere, are "no
  condition" and hold for everything: the SDK writes such documents when nothing is asked for. A field's
  `{"$all": []}` holds for nothing, as in Mongo.
- On a list, a comparison holds if one element meets it; `$ne $nin $not` hold if none does. `$contains` asks
  text for a part and a list for an element.
- A missing field meets no comparison, so `$ne $nin $not` hold for it. Null means missing: `{"group": null}`
  holds for runs without a group, and `{"group": {"$ne": null}}` for runs with one.
- Values of different types never compare: 1 equals 1.0, but not true and not "1".
- Patterns search (anchor them with `^…$`) and run on RE2, in time linear in the text.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from automations.filters.clauses import NEVER, Node, Phrase, Verdict
from automations.filters.fields import (
    ALERT_FIELDS,
    ARTIFACT_FIELDS,
    COLLECTION_FIELDS,
    RUN_FIELDS,
    Field,
    Fields,
    InvalidFilter,
    Kind,
)
from automations.filters.operators import OPERATORS
from automations.filters.parsing import JOINTS, MAX_DEPTH, MAX_OPERATORS, Parser
from automations.filters.wanted import MAX_PATTERN_LENGTH
from automations.words import gettext as _

__all__ = [
    "ALERT_FIELDS",
    "ARTIFACT_FIELDS",
    "COLLECTION_FIELDS",
    "JOINTS",
    "MAX_DEPTH",
    "MAX_OPERATORS",
    "MAX_PATTERN_LENGTH",
    "OPERATORS",
    "RUN_FIELDS",
    "Explanation",
    "Field",
    "Fields",
    "Filter",
    "InvalidFilter",
    "Kind",
    "Verdict",
    "compile",
]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a filter holds or not: a sentence, and what each clause said, in the document's order."""

    holds: bool
    reason: str
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition that is known to be valid; made by compile()."""

    document: Any
    _root: Node = field(repr=False, compare=False)

    def matches(self, facts: Mapping[str, Any]) -> bool:
        """Whether the facts meet the condition. Never raises: a clause that a value does not fit is false."""
        return self._root.holds(facts)

    def explain(self, facts: Mapping[str, Any]) -> Explanation:
        """What matches() says, with reasons. Values found are as the facts have them."""
        verdicts = tuple(clause.verdict(facts) for clause in self._root.clauses())
        holds = self._root.holds(facts)
        return Explanation(holds, self._reason(facts, holds=holds), verdicts)

    def describe(self) -> str:
        """A clause for sentences, `run name matches ^prod- and user is alice`; "" when everything matches."""
        return _in_words(self._root.phrase())

    def fields(self) -> set[str]:
        """The roots of the fields it reads, such as `state` or `config`: what has to be loaded to evaluate it."""
        return {clause.reading.field.root for clause in self._root.clauses()}

    def _reason(self, facts: Mapping[str, Any], *, holds: bool) -> str:
        phrase = self._root.phrase()
        if holds:
            described = _in_words(phrase)
            return (
                _("holds: %(condition)s") % {"condition": described}
                if described
                else _("there is no condition to meet")
            )
        clause = self._root.decisive(facts)
        if clause is None or phrase.text == NEVER:
            return _("the condition excludes everything")
        if clause.holds(facts):
            return _("%(clause)s, which the condition excludes") % {"clause": clause.sentence(facts)}
        return clause.sentence(facts)


def _in_words(phrase: Phrase) -> str:
    return _("nothing") if phrase.text == NEVER else phrase.text


def compile(document: object, *, fields: Fields) -> Filter:  # noqa: A001 - read as filters.compile
    """The filter that a JSON document stands for; the document is kept as it is.

    Raises InvalidFilter, whose path leads to the first thing that is wrong.
    """
    root = Parser(fields).parse(document)
    return Filter(deepcopy(document), root)
