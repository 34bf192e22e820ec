"""The operators that compare one field with one value: how they test, and how sentences say them."""

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from automations.filters.fields import MISSING, Field, Kind
from automations.filters.wanted import (
    compiled,
    take_bound,
    take_count,
    take_flag,
    take_part,
    take_pattern,
    take_scalar,
    take_scalars,
)
from automations.filters.wording import bare

Test = Callable[[Any], bool]

_EVERY_KIND = frozenset(Kind)
_TEXTUAL = frozenset({Kind.TEXT, Kind.TEXTS, Kind.ANY})
_LISTS = frozenset({Kind.TEXTS, Kind.ANY})


@dataclass(frozen=True, slots=True)
class Operator:
    """One comparison; `yes` and `no` are its verbs in sentences.

    `check` returns the wanted value ready for `build`, or raises InvalidFilter.
    """

    name: str
    kinds: frozenset[Kind]
    check: Callable[[Any, Field, str], Any]
    build: Callable[[Any], Test]
    yes: str
    no: str

    def phrase(self, wanted: Any, *, holds: bool) -> str:
        """`matches ^prod-`, or `does not match ^prod-`."""
        if self.name == "$exists" and not wanted:
            holds = not holds
        return (self.yes if holds else self.no).format(wanted=bare(wanted))


def elements(found: Any) -> Iterable[Any]:
    """A list's elements; one value counts as a list of one, and a missing field has none."""
    if isinstance(found, list | tuple | set | frozenset):
        return found
    return () if found is MISSING else (found,)


# Tests are functions of the value found. None of them raises, whatever is found.


def _key(value: Any) -> tuple[type, Any] | None:
    """What equality compares: 1 equals 1.0, but not True or "1". None for what equals nothing wanted."""
    if isinstance(value, bool):
        return (bool, value)
    if isinstance(value, int | float):
        return (float, value)
    if isinstance(value, str):
        return (str, value)
    return (type(None), None) if value is None else None


def _among(wanted: list[Any]) -> Test:
    keys = frozenset(map(_key, wanted))
    null_wanted = None in wanted

    def test(found: Any) -> bool:
        if found is MISSING:
            return null_wanted
        if isinstance(found, str):
            return (str, found) in keys
        # Things that equal nothing have the key None, which is never among the wanted ones.
        return any(_key(one) in keys for one in elements(found))

    return test


def _equal(wanted: Any) -> Test:
    return _among([wanted])


def _negated(build: Callable[[Any], Test]) -> Callable[[Any], Test]:
    def build_negation(wanted: Any) -> Test:
        test = build(wanted)
        return lambda found: not test(found)

    return build_negation


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any], Test]:
    def build(wanted: Any) -> Test:
        comparable = str if isinstance(wanted, str) else (int, float)
        return lambda found: any(
            isinstance(one, comparable) and not isinstance(one, bool) and compare(one, wanted)
            for one in elements(found)
        )

    return build


def _searching(wanted: str) -> Test:
    search = compiled(wanted).search

    # Bytes, because a run's name may hold what cannot be encoded strictly; RE2 steps over such bytes.
    def test(found: Any) -> bool:
        if isinstance(found, str):
            return search(found.encode(errors="surrogatepass")) is not None
        return any(
            isinstance(one, str) and search(one.encode(errors="surrogatepass")) is not None for one in elements(found)
        )

    return test


def _containing(wanted: Any) -> Test:
    equal = _equal(wanted)

    def test(found: Any) -> bool:
        if isinstance(found, str):
            return isinstance(wanted, str) and wanted in found
        return isinstance(found, list | tuple | set | frozenset) and equal(found)

    return test


def _having_all(wanted: list[Any]) -> Test:
    keys = frozenset(map(_key, wanted))
    return lambda found: bool(keys) and keys <= frozenset(map(_key, elements(found)))


def _sized(wanted: int) -> Test:
    return lambda found: isinstance(found, list | tuple | set | frozenset) and len(found) == wanted


def _existing(wanted: object) -> Test:
    return lambda found: (found is not MISSING) is wanted


OPERATORS: Final[dict[str, Operator]] = {
    one.name: one
    for one in (
        Operator("$eq", _EVERY_KIND, take_scalar, _equal, "is {wanted}", "is not {wanted}"),
        Operator("$ne", _EVERY_KIND, take_scalar, _negated(_equal), "is not {wanted}", "is {wanted}"),
        Operator(
            "$gt",
            _EVERY_KIND,
            take_bound,
            _ordered(operator.gt),
            "is above {wanted}",
            "is not above {wanted}",
        ),
        Operator(
            "$gte",
            _EVERY_KIND,
            take_bound,
            _ordered(operator.ge),
            "is at least {wanted}",
            "is not at least {wanted}",
        ),
        Operator(
            "$lt",
            _EVERY_KIND,
            take_bound,
            _ordered(operator.lt),
            "is below {wanted}",
            "is not below {wanted}",
        ),
        Operator(
            "$lte",
            _EVERY_KIND,
            take_bound,
            _ordered(operator.le),
            "is at most {wanted}",
            "is not at most {wanted}",
        ),
        Operator("$in", _EVERY_KIND, take_scalars, _among, "is one of {wanted}", "is none of {wanted}"),
        Operator("$nin", _EVERY_KIND, take_scalars, _negated(_among), "is none of {wanted}", "is one of {wanted}"),
        Operator("$exists", _EVERY_KIND, take_flag, _existing, "is set", "is not set"),
        Operator("$regex", _TEXTUAL, take_pattern, _searching, "matches {wanted}", "does not match {wanted}"),
        Operator("$contains", _TEXTUAL, take_part, _containing, "contains {wanted}", "does not contain {wanted}"),
        Operator("$all", _LISTS, take_scalars, _having_all, "has all of {wanted}", "does not have all of {wanted}"),
        Operator("$size", _LISTS, take_count, _sized, "has size {wanted}", "does not have size {wanted}"),
    )
}
