"""Lists as the client pages through them: Relay connections whose cursor is the number of rows before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import BadRequest
from django.db.models import Model, QuerySet

# The client asks for up to 5,000 files, and for less of everything else.
MOST_ROWS = 5_000
ROWS = 100


def connection(
    rows: QuerySet[Any] | Sequence[Any],
    *,
    first: int | None = None,
    after: str | None = None,
    node: Callable[[Any], Any] = lambda row: row,
    **of_edge: Callable[[Any], Any],
) -> dict[str, Any]:
    """One page of the rows, in their order; counted only if the client asks for `totalCount`.

    `node` makes what the schema shows of a row, and each of `of_edge` one more field of its edge.

    Raises:
        BadRequest: the cursor is none of ours, or `first` is no sensible number.
    """
    start = position(after)
    wanted = ROWS if first is None else first
    if wanted < 0:
        raise BadRequest("“first” is the number of rows wanted, 0 or more.")
    wanted = min(wanted, MOST_ROWS)
    # One row more than wanted says whether there is a next page.
    found = list(rows[start : start + wanted + 1])
    page = found[:wanted]
    for row in page:
        if isinstance(row, Model):
            vars(row)["_page"] = page
    edges = [
        {"cursor": str(start + number), "node": node(row), **{name: make(row) for name, make in of_edge.items()}}
        for number, row in enumerate(page, start=1)
    ]
    return {
        "edges": edges,
        "pageInfo": {
            "endCursor": edges[-1]["cursor"] if edges else after,
            "startCursor": edges[0]["cursor"] if edges else None,
            "hasNextPage": len(found) > wanted,
            "hasPreviousPage": start > 0,
        },
        "totalCount": lambda _info: rows.count() if isinstance(rows, QuerySet) else len(rows),
    }


def neighbours(row: Any) -> list[Any]:
    """The rows of the page a row was listed on, with itself: what one of them needs is looked up for all at once."""
    page: list[Any] = vars(row).get("_page", [row])
    return page


class Joined(Sequence[Any]):
    """Several query sets as one list, of which only the page asked for is read."""

    def __init__(self, *parts: QuerySet[Any]) -> None:
        self.parts = parts

    def __len__(self) -> int:
        return sum(part.count() for part in self.parts)

    def __getitem__(self, wanted: Any) -> Any:
        start, stop = wanted.start, wanted.stop
        found: list[Any] = []
        for part in self.parts:
            if stop > 0:
                found += part[max(start, 0) : stop]
            size = part.count()
            start, stop = start - size, stop - size
        return found


def position(cursor: str | None) -> int:
    """The number of rows before a cursor.

    Raises:
        BadRequest: it is none of ours.
    """
    if not cursor:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 16):
        raise BadRequest(f"“{cursor[:40]}” is not a cursor of this list. Begin again without “after”.")
    return int(cursor)
