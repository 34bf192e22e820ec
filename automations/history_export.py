"""History as a file (HI5): a row for each execution, as CSV or JSON, streamed however long it is.

Rows are read some hundred at a time and made fit for their reader as pages do it, so that a file never says more than
the page of the same filters.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.http import StreamingHttpResponse

from automations import disclosure, subjects
from automations.models import Execution
from projects import spreadsheets

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.db.models import QuerySet

    from projects.models import User

READ_AT_ONCE = 500
FORMS = {"csv": "text/csv", "json": "application/json"}
COLUMNS = (
    *("key", "created_at", "status", "reason_code", "shadow", "result", "automation", "automation_name", "event_type"),
    *("action_kind", "summary", "matched_because", "subject", "project", "registry", "run", "target"),
    *("started_at", "finished_at", "next_attempt_at", "attempt_count"),
)


def response(
    executions: QuerySet[Execution], *, form: str, name: str, reader: User | AnonymousUser
) -> StreamingHttpResponse:
    """The executions, newest first, as a file to be downloaded. `form` is one of `FORMS`."""
    rows = _rows(executions, reader=reader)
    content = spreadsheets.lines(COLUMNS, (row.values() for row in rows)) if form == "csv" else _json(rows)
    return spreadsheets.attachment(content, name=f"{name}-history.{form}", content_type=FORMS[form])


def _rows(executions: QuerySet[Execution], *, reader: User | AnonymousUser) -> Iterator[dict[str, Any]]:
    shown = (
        executions.order_by("-pk")
        .select_related("event__run", "project__team", "registry__organization")
        .defer("payload", "event__run__config", "event__run__summary")
    )
    before: int | None = None
    while some := list((shown if before is None else shown.filter(pk__lt=before))[:READ_AT_ONCE]):
        before = some[-1].pk
        yield from map(row_of, disclosure.prepare(some, reader=reader))


def row_of(execution: Execution) -> dict[str, Any]:
    """One execution that `disclosure.prepare` made fit for the reader, by `COLUMNS`; times have their zone."""
    rule, run = execution.rule, execution.event.run
    known = {
        "automation": execution.automation_id,
        "automation_name": rule.get("name", ""),
        "action_kind": rule.get("action_kind", ""),
        "summary": rule.get("summary", ""),
        "subject": subjects.name_of(execution.event),
        "project": str(execution.project) if execution.project else None,
        "registry": str(execution.registry) if execution.registry else None,
        "run": run.run_id if run else None,
        "key": str(execution.key),
    }
    return {name: _plain(known[name] if name in known else getattr(execution, name)) for name in COLUMNS}


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _json(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield "["
    for number, row in enumerate(rows):
        yield f"{',' if number else ''}\n{json.dumps(row, ensure_ascii=False)}"
    yield "\n]\n"
