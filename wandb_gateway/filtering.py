"""Filters and orders of lists, as the client writes them: the condition language over what a row shows.

It is the language and the evaluator that automations use, so that a filter means the same in a script and in a rule.
Patterns run on RE2, in Python: the databases' own pattern engines can be made to stall.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import orjson
from django.core.exceptions import BadRequest
from django.db.models import F, Model, QuerySet
from django.db.models.fields.json import KeyTransform

from automations import filters

Row = TypeVar("Row", bound=Model)

Facts = Callable[[Any], Mapping[str, Any]]


def compiled(text: str | None, *, fields: filters.Fields) -> filters.Filter | None:
    """The filter in a text, or None if it asks for nothing.

    Raises:
        BadRequest: it is not JSON, or no filter over these fields.
    """
    if not text or text.strip() in {"{}", "null"}:
        return None
    try:
        return filters.compile(orjson.loads(text), fields=fields)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The filter is not JSON: {error}.") from error
    except filters.InvalidFilter as error:
        raise BadRequest(f"The filter cannot be used: {error}") from error


def narrowed(rows: QuerySet[Row], text: str | None, *, fields: filters.Fields, facts: Facts) -> QuerySet[Row]:
    """The rows that meet the filter; `facts` makes of a row what the filter reads.

    Every row is looked at: give `rows` with what `facts` needs (`select_related`, `prefetch_related`, `only`).

    Raises:
        BadRequest: see `compiled`.
    """
    wanted = compiled(text, fields=fields)
    if wanted is None:
        return rows
    return rows.filter(pk__in=[row.pk for row in rows.iterator(chunk_size=500) if wanted.matches(facts(row))])


def ordered(rows: QuerySet[Row], text: str | None, *, columns: Mapping[str, str]) -> QuerySet[Row]:
    """The rows in the order a text such as `-created_at,+config.lr` asks for; ties by primary key.

    `columns` says which field of the model a word stands for; `config.*` stands for keys of a JSON field.

    Raises:
        BadRequest: it names nothing in `columns`.
    """
    words = [word.strip() for word in (text or "").split(",") if word.strip()]
    terms: list[Any] = []
    for word in words:
        expression = _expression(word.lstrip("+-"), columns)
        descending = word.startswith("-")
        terms.append(expression.desc(nulls_last=True) if descending else expression.asc(nulls_last=True))
    return rows.order_by(*terms, "-pk" if words and words[0].startswith("-") else "pk")


def _expression(word: str, columns: Mapping[str, str]) -> Any:
    if word in columns:
        return F(columns[word])
    root, _, key = word.partition(".")
    column = columns.get(f"{root}.*")
    if column is None or not key:
        known = ", ".join(columns)
        raise BadRequest(f"There is no order by “{word[:80]}”. Lists are ordered by {known}.")
    expression: Any = column
    for part in key.removesuffix(".value").split("."):
        expression = KeyTransform(part, expression)
    return expression
