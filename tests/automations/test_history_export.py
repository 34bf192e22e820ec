"""HI5: history as a file says what the page says, however long it is, and runs nothing in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from automations import history_export
from automations.models import Event, EventType, Execution, Status
from projects.models import Project, Run, Team, User
from tests import factories

pytestmark = pytest.mark.django_db

Api = Callable[[User | None], APIClient]
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.fixture
def run(project: Project) -> Run:
    return factories.make_run(project, display_name="prod-7")


def happened(run: Run, **fields: Any) -> Execution:
    event = factories.make_event(run)
    automation = factories.make_automation(run.project, name=f"automation {event.pk}")
    fields = {"created_at": NOON, "result": "The receiver answered 200 OK."} | fields
    return factories.make_execution(automation, event, **fields)


def downloaded(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer
    assert answer.streaming
    return b"".join(answer).decode()  # type: ignore[arg-type]  # a streaming answer


def csv_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def page(client: Client, alice: User, project: Project) -> Callable[[str], str]:
    """`page("csv?status=failed")`: the file of the project's history that alice gets."""
    client.force_login(alice)
    return lambda what: downloaded(client, f"/{project.team}/{project.name}/history/export.{what}")


def test_csv_and_json_have_a_row_for_each_execution_newest_first(run: Run, page: Callable[[str], str]) -> None:
    first, second = happened(run), happened(run, status=Status.FAILED)
    for rows in (csv_rows(page("csv")), json.loads(page("json"))):
        assert [row["key"] for row in rows] == [str(second.key), str(first.key)]
        assert [row["status"] for row in rows] == ["failed", "finished"]
        assert rows[0]["created_at"] == "2026-05-04T12:00:00+00:00"
        assert (rows[0]["subject"], rows[0]["project"]) == ("prod-7", "research/digits")
        assert tuple(rows[0]) == history_export.COLUMNS


def test_files_hold_what_the_filters_of_the_page_leave(run: Run, page: Callable[[str], str]) -> None:
    failed = happened(run, status=Status.FAILED)
    happened(run, status=Status.FINISHED, created_at=datetime(2026, 5, 6, 12, 0, tzinfo=UTC))
    for query in (
        "status=failed",
        "until=2026-05-04",
        "since=2026-05-04&until=2026-05-05",
        f"automation={failed.automation_id}",
    ):
        assert [row["key"] for row in json.loads(page(f"json?{query}"))] == [str(failed.key)], query
    assert json.loads(page("json?since=2026-05-07")) == []


def test_an_empty_history_is_an_empty_file(project: Project, page: Callable[[str], str]) -> None:
    assert csv_rows(page("csv")) == []
    assert json.loads(page("json")) == []


@pytest.mark.parametrize(
    "evil", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x")', "\uff1d1+1", "  =1"]
)
def test_no_cell_is_a_formula(run: Run, page: Callable[[str], str], evil: str) -> None:
    happened(run, result=evil)
    assert csv_rows(page("csv"))[0]["result"] == f"'{evil}"
    assert json.loads(page("json"))[0]["result"] == evil


def test_az1_a_file_tells_nobody_more_than_the_page(project: Project, client: Client, charlie: User, run: Run) -> None:
    hidden = factories.make_webhook(factories.make_team("hidden"), url="https://hidden.example.com/", name="hush")
    automation = factories.make_automation(project, webhook=hidden)
    factories.make_execution(
        automation,
        factories.make_event(run),
        target="hush → https://hidden.example.com/",
        result="hidden.example.com said no.",
        rule={"name": "x", "event_type": "RUN_STATE", "action_kind": "GENERIC_WEBHOOK", "webhook": "hush"},
    )
    client.force_login(factories.make_user("bob"))
    for form in history_export.FORMS:
        text = downloaded(client, f"/research/digits/history/export.{form}")
        assert "hidden.example.com" not in text
        assert "A webhook of another team" in text or "another team" in text
    client.force_login(charlie)
    assert client.get("/research/digits/history/export.csv").status_code == 404


def test_other_kinds_of_files_do_not_exist(client: Client, alice: User, project: Project) -> None:
    client.force_login(alice)
    assert client.get("/research/digits/history/export.exe").status_code == 404


def test_the_api_exports_with_the_filters_of_its_list(api: Api, alice: User, charlie: User, run: Run) -> None:
    failed = happened(run, status=Status.FAILED)
    happened(run, action_kind="GENERIC_WEBHOOK")
    client = api(alice)
    for query in ("status=failed", "action_kind=NO_OP"):
        text = downloaded(client, f"/api/executions/export.csv?{query}")
        assert [row["key"] for row in csv_rows(text)] == [str(failed.key)]
    client.credentials(**client._credentials, HTTP_ACCEPT="text/csv")  # type: ignore[attr-defined]
    assert len(json.loads(downloaded(client, "/api/executions/export.json?since=2026-05-04T00:00:00Z"))) == 2
    assert client.get("/api/executions/export.csv?status=odd").status_code == 400
    assert csv_rows(downloaded(api(charlie), "/api/executions/export.csv")) == []


def test_long_histories_are_read_in_parts(run: Run, alice: User, team: Team) -> None:
    automation = factories.make_automation(run.project)
    count = 3 * history_export.READ_AT_ONCE
    fields = {"kind": EventType.RUN_STATE, "project": run.project, "run": run, "occurred_at": NOON}
    Event.objects.bulk_create([Event(dedupe_key=str(number), **fields) for number in range(count)])
    common: dict[str, Any] = {
        "automation": automation,
        "project": run.project,
        "created_at": NOON,
        "status": "finished",
    }
    Execution.objects.bulk_create(
        Execution(event_id=pk, event_type="RUN_STATE", payload="x" * 5_000, **common)
        for pk in Event.objects.values_list("pk", flat=True)
    )
    rows = Execution.objects.visible_to(alice)
    tracemalloc.start()
    with CaptureQueriesContext(connection) as queries:
        answer = history_export.response(rows, form="csv", name="x", reader=alice)
        length = sum(1 for _ in answer)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert length == Execution.objects.count() + 1
    assert len(queries) <= 4 * 6
    assert peak < 20_000_000
