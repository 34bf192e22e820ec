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
from automations.words import gettext as _
from automations.words import gettext_noop

Test = Callable[[Any], bool]

_EVERY_KIND = frozenset(Kind)
_TEXTUAL = frozenset({Kind.TEXT, Kind.TEXTS, Kind.ANY})
_LISTS = frozenset({Kind.TEXTS, Kind.ANY})


@dataclass(frozen=True, slots=True)
class Operator:
    """One comparison; `yes` and `no` are what sentences say of a field that meets it, or does not.

    `check` returns the wanted value ready for `build`, or raises InvalidFilter.
    """

    name: str
    kinds: frozenset[Kind]
    check: Callable[[Any, Field, str], Any]
    build: Callable[[Any], Test]
    yes: str
    no: str

    def phrase(self, field: str, wanted: Any, *, holds: bool) -> str:
        """`run name matches ^prod-`, or `run name does not match ^prod-`."""
        if self.name == "$exists" and not wanted:
            holds = not holds
        return _(self.yes if holds else self.no) % {"field": field, "wanted": bare(wanted)}


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
        Operator(
            "$eq",
            _EVERY_KIND,
            take_scalar,
            _equal,
            gettext_noop("%(field)s is %(wanted)s"),
            gettext_noop("%(field)s is not %(wanted)s"),
        ),
        Operator(
            "$ne",
            _EVERY_KIND,
            take_scalar,
            _negated(_equal),
            gettext_noop("%(field)s is not %(wanted)s"),
            gettext_noop("%(field)s is %(wanted)s"),
        ),
        Operator(
            "$gt",
            _EVERY_KIND,
            take_bound,
            _ordered(operator.gt),
            gettext_noop("%(field)s is above %(wanted)s"),
            gettext_noop("%(field)s is not above %(wanted)s"),
        ),
        Operator(
            "$gte",
            _EVERY_KIND,
            take_bound,
            _ordered(operator.ge),
            gettext_noop("%(field)s is at least %(wanted)s"),
            gettext_noop("%(field)s is not at least %(wanted)s"),
        ),
        Operator(
            "$lt",
            _EVERY_KIND,
            take_bound,
            _ordered(operator.lt),
            gettext_noop("%(field)s is below %(wanted)s"),
            gettext_noop("%(field)s is not below %(wanted)s"),
        ),
        Operator(
            "$lte",
            _EVERY_KIND,
            take_bound,
            _ordered(operator.le),
            gettext_noop("%(field)s is at most %(wanted)s"),
            gettext_noop("%(field)s is not at most %(wanted)s"),
        ),
        Operator(
            "$in",
            _EVERY_KIND,
            take_scalars,
            _among,
            gettext_noop("%(field)s is one of %(wanted)s"),
            gettext_noop("%(field)s is none of %(wanted)s"),
        ),
        Operator(
            "$nin",
            _EVERY_KIND,
            take_scalars,
            _negated(_among),
            gettext_noop("%(field)s is none of %(wanted)s"),
            gettext_noop("%(field)s is one of %(wanted)s"),
        ),
        Operator(
            "$exists",
            _EVERY_KIND,
            take_flag,
            _existing,
            gettext_noop("%(field)s is set"),
            gettext_noop("%(field)s is not set"),
        ),
        Operator(
            "$regex",
            _TEXTUAL,
            take_pattern,
            _searching,
            gettext_noop("%(field)s matches %(wanted)s"),
            gettext_noop("%(field)s does not match %(wanted)s"),
        ),
        Operator(
            "$contains",
            _TEXTUAL,
            take_part,
            _containing,
            gettext_noop("%(field)s contains %(wanted)s"),
            gettext_noop("%(field)s does not contain %(wanted)s"),
        ),
        Operator(
            "$all",
            _LISTS,
            take_scalars,
            _having_all,
            gettext_noop("%(field)s has all of %(wanted)s"),
            gettext_noop("%(field)s does not have all of %(wanted)s"),
        ),
        Operator(
            "$size",
            _LISTS,
            take_count,
            _sized,
            gettext_noop("%(field)s has size %(wanted)s"),
            gettext_noop("%(field)s does not have size %(wanted)s"),
        ),
    )
}
