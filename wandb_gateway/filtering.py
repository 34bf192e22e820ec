"""Filters and orders of lists, as the client writes them: the condition language over what a row shows.

It is the language and the evaluator that automations use, so that a filter means the same in a script and in a rule.
Patterns run on RE2, in Python: the databases' own pattern engines can be made to stall.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson
from django.core.exceptions import BadRequest
from django.db.models import F, Model, QuerySet

from automations import filters
from projects.jsonkeys import Key
from projects.jsonvalues import MAX_DEPTH

Row = TypeVar("Row", bound=Model)

Facts = Callable[[Any], Mapping[str, Any]]


def compiled(text: str | None, *, fields: filters.Fields, moments: Collection[str] = ()) -> filters.Filter | None:
    """The filter in a text, or None if it asks for nothing.

    The fields among `moments` hold seconds since 1970; the client writes dates for them, in any of the forms of ISO
    8601.

    Raises:
        BadRequest: it is not JSON, or no filter over these fields.
    """
    if not text or text.strip() in {"{}", "null"}:
        return None
    try:
        return filters.compile(_with_seconds(orjson.loads(text), moments), fields=fields)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The filter is not JSON: {error}.") from error
    except filters.InvalidFilter as error:
        raise BadRequest(f"The filter cannot be used: {error}") from error


def _with_seconds(document: Any, moments: Collection[str], depth: int = 0) -> Any:
    """The document with dates of the fields among `moments` as seconds since 1970."""
    if depth > filters.MAX_DEPTH:  # which the compiler refuses
        return document
    if isinstance(document, list):
        return [_with_seconds(one, moments, depth + 1) for one in document]
    if not isinstance(document, dict):
        return document
    return {
        key: _seconds(value, key, depth) if key in moments else _with_seconds(value, moments, depth + 1)
        for key, value in document.items()
    }


def _seconds(value: Any, field: str, depth: int) -> Any:
    if isinstance(value, dict) and depth <= filters.MAX_DEPTH:
        return {name: _seconds(inner, field, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [_seconds(inner, field, depth + 1) for inner in value]
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise BadRequest(f"{field}: “{value[:40]}” is no date. Write it like 2026-05-04T09:30:00Z.") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def narrowed(
    rows: QuerySet[Row],
    text: str | None,
    *,
    fields: filters.Fields,
    facts: Facts,
    moments: Collection[str] = (),
) -> QuerySet[Row]:
    """The rows that meet the filter; `facts` makes of a row what the filter reads.

    Every row is looked at: give `rows` with what `facts` needs (`select_related`, `prefetch_related`, `only`).

    Raises:
        BadRequest: see `compiled`.
    """
    wanted = compiled(text, fields=fields, moments=moments)
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
    parts = key.removesuffix(".value").split(".")
    if len(parts) > MAX_DEPTH or "\x00" in key:  # documents are no deeper, and PostgreSQL cannot even be asked
        raise BadRequest(f"There is no order by “{word[:80]}”: no document has such a key.")
    expression: Any = column
    for part in parts:
        expression = Key(part, expression)
    return expression
