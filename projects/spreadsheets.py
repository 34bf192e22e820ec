"""Rows as CSV, line by line, however many there are: as a spreadsheet shows them and never runs them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse

# A cell that begins like this is a formula to a spreadsheet, the wide signs to one in Japanese, and a name may be
# anything.
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class _Echo:
    """A file to the CSV writer that hands each line back."""

    def write(self, line: str) -> str:
        return line


def lines(columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The heads of the columns, then a line for each row."""
    writer = csv.writer(_Echo())
    yield writer.writerow([_cell(column) for column in columns])
    for row in rows:
        yield writer.writerow([_cell(value) for value in row])


def attachment(content: Iterable[str], *, name: str, content_type: str = "text/csv") -> StreamingHttpResponse:
    """What comes line by line, as a file to be kept."""
    return StreamingHttpResponse(
        content,
        content_type=f"{content_type}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    # Some spreadsheets take spaces before it away.
    is_formula = value.startswith(FORMULAS) or value.lstrip().startswith(FORMULAS)
    return f"'{value}" if is_formula else value
