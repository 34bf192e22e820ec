"""Tables that scripts log, which clients upload as files: `wandb.Table` is a JSON document of columns and rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.core.files.storage import default_storage

from projects.models import Blob, RunFile

SUFFIX = ".table.json"
# It is read as a whole.
LARGEST = 50_000_000


@dataclass(frozen=True, slots=True)
class LoggedTable:
    """The columns of a table, and its rows."""

    columns: Sequence[str]
    data: Sequence[Any]

    @property
    def rows(self) -> Iterator[list[Any]]:
        """Rows of what a spreadsheet can hold: what is nested in a cell stands there as JSON."""
        for row in self.data:
            yield [_flat(value) for value in (row if isinstance(row, list) else [row])]


def among(files: Iterable[RunFile]) -> list[RunFile]:
    """Those of the files that are tables."""
    return [file for file in files if file.name.endswith(SUFFIX) and file.blob.size <= LARGEST]


def read(blob: Blob) -> LoggedTable | None:
    """The table that was uploaded; None if it is none."""
    if blob.size > LARGEST:
        return None
    with default_storage.open(blob.path) as file:
        try:
            # Clients write NaN as null here.
            document = orjson.loads(file.read())
        except orjson.JSONDecodeError:
            return None
    columns = document.get("columns") if isinstance(document, dict) else None
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(columns, list) or not isinstance(data, list):
        return None
    return LoggedTable([str(column) for column in columns], data)


def _flat(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else value
