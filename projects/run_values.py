"""Values of runs, and which runs have them: `train/loss < 0.1`, `config:optimizer = adam`.

A column is a key of the summary, or one of the config with “config:” before it; nested keys have dots.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db.models import Func, Q, QuerySet, TextField
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from projects.jsonkeys import Key
from projects.models import Run

CONFIG = "config:"
MOST_COMPARISONS = 10
LONGEST = 300
COMPARISON = re.compile(r"\A(?P<column>.+?)\s*(?P<sign>!=|<=|>=|=|<|>)\s*(?P<value>.*)\Z", re.DOTALL)
# What `Kind` says of numbers: SQLite the first two, PostgreSQL the last.
NUMBERS = ("integer", "real", "number")
LOOKUPS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}


class InvalidComparison(ValueError):
    """What cannot be compared, in a sentence."""


class Kind(Func):
    """Which kind of value stands in a JSON document."""

    function = "jsonb_typeof"
    arity = 1
    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, function="typeof", **context)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is asked of one column."""

    column: str
    sign: str
    value: str

    @classmethod
    def read(cls, text: str) -> Comparison:
        """The comparison that was written.

        Raises:
            InvalidComparison: it is none.
        """
        found = COMPARISON.match(text.strip()) if len(text) <= LONGEST else None
        if found is None or not found["column"].removeprefix(CONFIG).strip():
            raise InvalidComparison(
                _("“%(text)s” compares nothing. Write it as train/loss < 0.1 or config:optimizer = adam.")
                % {"text": text[:LONGEST]}
            )
        comparison = cls(found["column"], found["sign"], found["value"].strip().strip("\"'"))
        if comparison.sign in LOOKUPS and comparison.number is None:
            raise InvalidComparison(
                _("“%(value)s” is no number, and %(sign)s compares numbers.")
                % {"value": comparison.value, "sign": comparison.sign}
            )
        return comparison

    @property
    def number(self) -> float | None:
        """The value as a finite number, if it is one."""
        try:
            value = orjson.loads(self.value)
        except orjson.JSONDecodeError:
            return None
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return value if is_number else None

    @property
    def meant(self) -> list[Any]:
        """The values that are equal to it: a number is also found where it was logged as a text."""
        truth = {"true": True, "false": False}.get(self.value)
        others = [value for value in (self.number, truth) if value is not None]
        return [self.value, *others]

    def __str__(self) -> str:
        return f"{self.column} {self.sign} {self.value}"


def meeting(runs: QuerySet[Run], comparisons: Sequence[Comparison]) -> QuerySet[Run]:
    """The runs that meet all comparisons; one without the value meets none."""
    for number, comparison in enumerate(comparisons):
        names = [f"value_{number}_{place}" for place in ("whole", "nested")]
        found = dict(zip(names, _places(comparison.column), strict=False))
        kinds = {f"{name}_kind": Kind(value) for name, value in found.items()}
        runs = runs.alias(**found, **kinds).filter(_asked(comparison, list(found)))
    return runs


def value_at(column: str) -> Any:
    """The value of a column in the database, to sort by: under its key as a whole, or else nested."""
    places = _places(column)
    return Coalesce(*places) if len(places) > 1 else places[0]


def _places(column: str) -> list[Any]:
    """Where a value may stand: under its key as a whole, and nested under the parts of it."""
    field, path = ("config", column.removeprefix(CONFIG)) if column.startswith(CONFIG) else ("summary", column)
    whole = Key(path, field)
    if "." not in path:
        return [whole]
    nested: Any = field
    for part in path.split("."):
        nested = Key(part, nested)
    return [whole, nested]


def _asked(comparison: Comparison, names: Sequence[str]) -> Q:
    first, *rest = (_holds(comparison, name) for name in names)
    for other in rest:
        first |= Q(**{f"{names[0]}__isnull": True}) & other
    return first


def _holds(comparison: Comparison, name: str) -> Q:
    if lookup := LOOKUPS.get(comparison.sign):
        # Databases order texts and numbers, too, and each in its own way.
        return Q(**{f"{name}_kind__in": NUMBERS, f"{name}__{lookup}": comparison.number})
    equal = Q(pk__in=[])
    for value in comparison.meant:
        equal |= Q(**{name: value})
    return equal if comparison.sign == "=" else Q(**{f"{name}__isnull": False}) & ~equal
