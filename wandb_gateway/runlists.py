"""The runs of a project that meet a filter, in an order.

What compares plain columns is asked of the database; the rest is evaluated here, over the columns that it reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from django.db.models import F, Q, QuerySet, TextField
from django.db.models.functions import Cast

from automations.filters import RUN_FIELDS, Field, Filter, Kind
from projects.models import Project, Run
from wandb_gateway.filtering import compiled, ordered

FIELDS = (
    *RUN_FIELDS,
    Field("created_at", Kind.NUMBER, "created", "When the run was made.", also=("createdAt",)),
    Field("heartbeat_at", Kind.NUMBER, "last heard of", "When its script was last heard of.", also=("heartbeatAt",)),
)
SPELLINGS = {spelling: field.name for field in FIELDS for spelling in (field.name, *field.also)}
MOMENTS = frozenset({"created_at", "createdAt", "heartbeat_at", "heartbeatAt"})
# Where the fields are stored.
COLUMNS = {
    "name": "run_id",
    "display_name": "display_name",
    "state": "state",
    "user": "user__username",
    "group": "group",
    "job_type": "job_type",
    "created_at": "created_at",
    "heartbeat_at": "heartbeat_at",
    "tags": "tags",
    "config": "config",
    "summary": "summary",
}
DOCUMENTS = frozenset({"tags", "config", "summary"})
ORDERS = {spelling: COLUMNS[name] for spelling, name in SPELLINGS.items() if name in COLUMNS} | {
    "config.*": "config",
    "summary.*": "summary",
    "summary_metrics.*": "summary",
}
LOOKUPS = {"$gt": "gt", "$gte": "gte", "$lt": "lt", "$lte": "lte", "$eq": "exact"}


class Chosen(Sequence[Run]):
    """The runs that meet a filter; a page of them is read when it is asked for, without the columns in `without`."""

    def __init__(self, project: Project, text: str | None) -> None:
        self.project = project
        self.without: Sequence[str] = ()
        wanted = compiled(text, fields=FIELDS, moments=MOMENTS)
        self.rows: QuerySet[Run] = Run.objects.filter(project=project)
        self.matching: frozenset[int] | None = None
        if wanted is not None:
            asked, is_all = in_database(wanted.document)
            self.rows = self.rows.filter(asked)
            self.matching = None if is_all else _matching(self.rows, wanted)

    def in_order(self, order: str | None) -> Chosen:
        """The same runs in the order that the text asks for, the oldest first by default.

        Raises:
            BadRequest: it names nothing that runs are ordered by.
        """
        self.rows = ordered(self.rows, order or "created_at", columns=ORDERS)
        return self

    def __len__(self) -> int:
        return self.rows.count() if self.matching is None else len(self.matching)

    def __getitem__(self, wanted: Any) -> Any:
        if self.matching is None:
            keys = list(self.rows.values_list("pk", flat=True)[wanted])
        else:
            keys = [key for key in self.rows.values_list("pk", flat=True) if key in self.matching][wanted]
        found = Run.objects.select_related("user").defer(*self.without).in_bulk(keys)
        for run in found.values():
            run.project = self.project
        # A run that was deleted since is left out.
        return [found[key] for key in keys if key in found]


def in_database(document: Any) -> tuple[Q, bool]:
    """What the database can say of a filter, and whether that is all of it."""
    asked, is_all = Q(), True
    for key, value in document.items():
        parts = map(in_database, value) if key == "$and" else [_comparisons(SPELLINGS.get(key, ""), value)]
        for part, is_whole in parts:
            asked &= part
            is_all = is_all and is_whole
    return asked, is_all


def _comparisons(field: str, value: Any) -> tuple[Q, bool]:
    column = COLUMNS.get(field)
    if column is None or field in DOCUMENTS:
        return Q(), False
    asked, is_all = Q(), True
    for name, wanted in (value if isinstance(value, dict) else {"$eq": value}).items():
        found = _moment(column, name, wanted) if field in MOMENTS else _text(column, name, wanted)
        if found is None:
            is_all = False
        else:
            asked &= found
    return asked, is_all


def _text(column: str, operator: str, wanted: Any) -> Q | None:
    texts = wanted if isinstance(wanted, list) else [wanted]
    if not all(isinstance(one, str) for one in texts):
        return None
    if operator in {"$eq", "$in"}:
        return Q(**{f"{column}__in": texts})
    if operator in {"$ne", "$nin"}:
        return ~Q(**{f"{column}__in": texts})
    return None


def _moment(column: str, operator: str, wanted: Any) -> Q | None:
    if operator not in LOOKUPS or isinstance(wanted, bool) or not isinstance(wanted, int | float):
        return None
    try:
        moment = datetime.fromtimestamp(wanted, UTC)
    except (OverflowError, ValueError, OSError):
        return None
    return Q(**{f"{column}__{LOOKUPS[operator]}": moment})


def _matching(rows: QuerySet[Run], wanted: Filter) -> frozenset[int]:
    """The keys of the rows that meet the filter."""
    names = sorted(wanted.fields())
    reads = [_reader(name) for name in names]
    columns = [Cast(COLUMNS[name], TextField()) if name in DOCUMENTS else F(COLUMNS[name]) for name in names]
    found = set()
    for key, *values in rows.order_by().values_list("pk", *columns).iterator(chunk_size=1000):
        facts: Mapping[str, Any] = {name: read(value) for name, read, value in zip(names, reads, values, strict=True)}
        if wanted.matches(facts):
            found.add(key)
    return frozenset(found)


def _reader(name: str) -> Callable[[Any], Any]:
    """What makes of a column the value that filters read."""
    if name in DOCUMENTS:
        return orjson.loads
    return datetime.timestamp if name in MOMENTS else lambda value: value
