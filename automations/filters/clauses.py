"""A condition as a tree: clauses on fields, joined by all, any and none of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, Protocol

from automations.filters.fields import MISSING, Reading
from automations.filters.operators import Operator, Test
from automations.filters.wording import show
from automations.words import gettext as _
from automations.words import gettext_noop, named

NEVER = "nothing"
AND = gettext_noop("%(first)s and %(second)s")
OR = gettext_noop("%(first)s or %(second)s")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one clause said. `path` is its place in the document; `found` is None where nothing was `present`.

    `holds` is the clause's own answer: below `$not` and `$nor` a clause that holds speaks against the whole.
    """

    path: str
    operator: str
    wanted: Any
    found: Any
    present: bool
    holds: bool


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words for a condition; `joint` is the conjunction at its top ("" for a single statement)."""

    text: str
    joint: str = ""


class Node(Protocol):
    def holds(self, facts: Mapping[str, Any]) -> bool: ...

    def clauses(self) -> Iterator["Clause"]: ...

    def decisive(self, facts: Mapping[str, Any]) -> "Clause | None":
        """The first clause that made this node say what it says."""
        ...

    def phrase(self, *, negated: bool = False) -> Phrase:
        """Text "" stands for a condition that always holds, NEVER for one that never does."""
        ...


@dataclass(frozen=True, slots=True)
class Clause:
    path: str
    reading: Reading
    operator: Operator
    wanted: Any
    test: Test

    def holds(self, facts: Mapping[str, Any]) -> bool:
        return self.test(self.reading.read(facts))

    def clauses(self) -> Iterator["Clause"]:
        yield self

    def decisive(self, facts: Mapping[str, Any]) -> "Clause | None":
        return self

    def phrase(self, *, negated: bool = False) -> Phrase:
        return Phrase(self.operator.phrase(self._subject(), self.wanted, holds=not negated))

    def _subject(self) -> str:
        label = self.reading.label
        # What is below a field has no word of its own.
        return named(label) if self.reading.field.name.endswith(".*") else _(label)

    def verdict(self, facts: Mapping[str, Any]) -> Verdict:
        found = self.reading.read(facts)
        present = found is not MISSING
        return Verdict(
            self.path, self.operator.name, self.wanted, found if present else None, present, self.test(found)
        )

    def sentence(self, facts: Mapping[str, Any]) -> str:
        """`display_name "dev-3" does not match ^prod-`."""
        found = self.reading.read(facts)
        # What the sentence goes on with is what the comparison says of it.
        name = self.reading.name
        if self.operator.name == "$exists":
            subject = named(name)
        elif found is MISSING:
            subject = _("%(field)s is not set, so it") % {"field": name}
        else:
            subject = named(f"{name} {show(found)}")
        return self.operator.phrase(subject, self.wanted, holds=self.test(found))


@dataclass(frozen=True, slots=True)
class All:
    children: tuple[Node, ...]

    def holds(self, facts: Mapping[str, Any]) -> bool:
        return all(child.holds(facts) for child in self.children)

    def clauses(self) -> Iterator[Clause]:
        for child in self.children:
            yield from child.clauses()

    def decisive(self, facts: Mapping[str, Any]) -> Clause | None:
        return _first_decisive(self.children, facts, holding=self.holds(facts))

    def phrase(self, *, negated: bool = False) -> Phrase:
        if negated and len(self.children) == 1:
            return self.children[0].phrase(negated=True)
        phrases = [phrase for child in self.children if (phrase := child.phrase()).text]
        if any(phrase.text == NEVER for phrase in phrases):
            return _turned(Phrase(NEVER), negated=negated)
        return _turned(_joined(phrases, AND), negated=negated)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Holds if one child does. Without children it is the W&B SDK's "no condition" and holds."""

    children: tuple[Node, ...]

    def holds(self, facts: Mapping[str, Any]) -> bool:
        return not self.children or any(child.holds(facts) for child in self.children)

    def clauses(self) -> Iterator[Clause]:
        for child in self.children:
            yield from child.clauses()

    def decisive(self, facts: Mapping[str, Any]) -> Clause | None:
        return _first_decisive(self.children, facts, holding=self.holds(facts))

    def phrase(self, *, negated: bool = False) -> Phrase:
        if negated and len(self.children) == 1:
            return self.children[0].phrase(negated=True)
        phrases = [child.phrase() for child in self.children]
        if not all(phrase.text for phrase in phrases):
            return _turned(Phrase(""), negated=negated)
        possible = [phrase for phrase in phrases if phrase.text != NEVER]
        if phrases and not possible:
            return _turned(Phrase(NEVER), negated=negated)
        return _turned(_joined(possible, OR), negated=negated)


@dataclass(frozen=True, slots=True)
class NoneOf:
    """`$nor`, and `$not` with one child."""

    children: tuple[Node, ...]

    def holds(self, facts: Mapping[str, Any]) -> bool:
        return not any(child.holds(facts) for child in self.children)

    def clauses(self) -> Iterator[Clause]:
        for child in self.children:
            yield from child.clauses()

    def decisive(self, facts: Mapping[str, Any]) -> Clause | None:
        return _first_decisive(self.children, facts, holding=not self.holds(facts))

    def phrase(self, *, negated: bool = False) -> Phrase:
        if not self.children:
            return _turned(Phrase(""), negated=negated)
        return AnyOf(self.children).phrase(negated=not negated)


def _first_decisive(children: tuple[Node, ...], facts: Mapping[str, Any], *, holding: bool) -> Clause | None:
    """The clause that decided for the first child that says `holding` and has a clause to name."""
    for child in children:
        if child.holds(facts) is holding and (clause := child.decisive(facts)) is not None:
            return clause
    return None


def _joined(phrases: list[Phrase], joint: str) -> Phrase:
    if len(phrases) == 1:
        return phrases[0]
    parts = [f"({one.text})" if one.joint not in ("", joint) else one.text for one in phrases]
    joined = _(joint)
    return Phrase(
        reduce(lambda first, second: joined % {"first": first, "second": second}, parts or [""]), joint if parts else ""
    )


def _turned(phrase: Phrase, *, negated: bool) -> Phrase:
    if not negated:
        return phrase
    if phrase.text in ("", NEVER):
        return Phrase("" if phrase.text else NEVER)
    return Phrase(_("not (%(condition)s)") % {"condition": phrase.text})
