"""What a run logged and printed, as the client reads it back."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from projects import console, metrics
from projects.models import MetricChunk, Project, Run, User
from projects.models.history import Stream
from tests import factories

Ask = Callable[[User | None], Any]


@pytest.fixture
def run(project: Project, bob: User) -> Run:
    """Three rows at the steps 0, 5 and 10; one has a number that JSON has not."""
    run = factories.make_run(project, user=bob, run_id="r")
    rows = b'[{"_step":0,"loss":1.5,"val":{"acc":0.1}},{"_step":5,"loss":NaN},{"_step":10,"loss":-Infinity,"x":1}]'
    metrics.append(run, metrics.parse(rows), at=timezone.now())
    run.refresh_from_db()
    return run


@pytest.fixture
def read(graphql: Ask, run: Run, bob: User) -> Callable[..., Any]:
    """Reads one field of the run."""
    ask = graphql(bob)

    def read(field: str, **variables: Any) -> Any:
        types = {"a": "Int64", "b": "Int64", "n": "Int", "specs": "[JSONString!]!", "after": "String"}
        declared = ", ".join(f"${name}: {types[name]}" for name in variables)
        query = f"""query {f"({declared})" if declared else ""} {{
            project(name: "digits", entityName: "research") {{ run(name: "r") {{ {field} }} }} }}"""
        return ask.data(query, **variables)["project"]["run"]

    return read


def rows(found: dict[str, Any], field: str = "history") -> list[dict[str, Any]]:
    return [json.loads(line) for line in found[field]]


def spec(**parts: Any) -> list[str]:
    return [json.dumps(parts)]


def test_a_sample_of_the_history(read: Callable[..., Any]) -> None:
    found = rows(read("history(samples: $n)", n=500))

    assert [row["_step"] for row in found] == [0, 5, 10]
    assert found[0] == {"_step": 0, "loss": 1.5, "val": {"acc": 0.1}}
    assert found[2]["loss"] == float("-inf")
    assert [row["_step"] for row in rows(read("history(samples: 2)"))] == [0, 10]
    assert read("history(samples: 0)") == read("history(samples: -3)") == {"history": []}


def test_every_row_between_two_steps(read: Callable[..., Any]) -> None:
    page = "history(minStep: $a, maxStep: $b, samples: $n)"

    assert [row["_step"] for row in rows(read(page, a=0, b=10, n=10))] == [0, 5]
    assert [row["_step"] for row in rows(read(page, a=5, b=11, n=6))] == [5, 10]
    assert read(page, a=11, b=2**62, n=1) == {"history": []}
    assert [row["_step"] for row in rows(read("history(minStep: 6)"))] == [10]


def test_rows_with_all_keys_have_no_bare_nan(read: Callable[..., Any]) -> None:
    found = read("sampledHistory(specs: $specs)", specs=spec(keys=["_step", "loss"], samples=500))

    assert found["sampledHistory"] == [
        [{"_step": 0, "loss": 1.5}, {"_step": 5, "loss": "NaN"}, {"_step": 10, "loss": "-Infinity"}]
    ]


def test_the_last_step_of_a_spec_is_part_of_it(read: Callable[..., Any]) -> None:
    found = read("sampledHistory(specs: $specs)", specs=spec(keys=["loss", "_step"], minStep=0, maxStep=5, samples=6))

    assert [row["_step"] for row in found["sampledHistory"][0]] == [0, 5]
    nested = read("sampledHistory(specs: $specs)", specs=spec(keys=["val.acc"]))
    assert nested["sampledHistory"] == [[{"val.acc": 0.1}]]


@pytest.mark.parametrize(
    "text", ["no json", "[]", "{}", '{"keys": 5}', '{"keys": [1]}', '{"keys": ["a"], "samples": "x"}', "null"]
)
def test_a_spec_that_is_none_is_refused(graphql: Ask, run: Run, bob: User, text: str) -> None:
    query = """query($specs: [JSONString!]!) { project(name: "digits", entityName: "research") {
        run(name: "r") { sampledHistory(specs: $specs) } } }"""

    assert graphql(bob)(query, specs=[text]).status == 400


def test_the_keys_and_the_last_step(read: Callable[..., Any]) -> None:
    found = read("historyKeys")["historyKeys"]

    assert found["lastStep"] == 10
    assert found["keys"]["loss"]["typeCounts"] == [{"type": "number", "count": 3}]
    assert found["keys"]["loss"]["previousValue"] == "-Infinity"
    assert found["keys"]["val.acc"]["previousValue"] == 0.1


def test_everything_is_live(read: Callable[..., Any]) -> None:
    found = read('parquetHistory(liveKeys: ["_step"]) { parquetUrls liveData }')

    assert found == {"parquetHistory": {"parquetUrls": [], "liveData": [{"_step": 0}]}}


def test_a_run_that_logged_nothing(read: Callable[..., Any], run: Run) -> None:
    MetricChunk.objects.all().delete()
    Run.objects.update(history_lines=0)

    found = read("history historyKeys events parquetHistory(liveKeys: []) { parquetUrls liveData } logLineCount")

    assert (found["history"], found["events"], found["historyKeys"]["lastStep"]) == ([], [], -1)
    assert (found["parquetHistory"]["liveData"], found["logLineCount"]) == ([], 0)


def test_system_metrics_are_a_stream_of_their_own(read: Callable[..., Any], run: Run) -> None:
    batch = metrics.parse(b'[{"_timestamp":1.5,"system.cpu":4},{"_timestamp":2.5,"system.cpu":5}]')
    MetricChunk.objects.create(
        run=run,
        stream=Stream.SYSTEM,
        first_line=0,
        line_count=2,
        payload=metrics.compress(batch.text),
        created_at=timezone.now(),
    )
    Run.objects.update(system_lines=2)

    assert rows(read("events(samples: 500)"), "events") == [
        {"_timestamp": 1.5, "system.cpu": 4},
        {"_timestamp": 2.5, "system.cpu": 5},
    ]


def test_console_lines_are_paged_and_tailed(read: Callable[..., Any], run: Run) -> None:
    console.keep(
        run,
        [
            '{"ts":"2026-05-04T09:00:00.5","content":"hello"}',
            '{"ts":"2026-05-04T09:00:01","content":"oh no","level":"error"}',
            "plain",
        ],
        first_line=0,
        at=datetime(2026, 5, 4, tzinfo=UTC),
    )
    Run.objects.update(console_lines=3)
    node = "edges { node { number timestamp level label line } } pageInfo { endCursor hasNextPage }"

    first = read(f"logLineCount logLines(first: 2, useImprovedPagination: true) {{ {node} }}")
    rest = read(
        f"logLines(first: $n, after: $after) {{ {node} }}", n=2, after=first["logLines"]["pageInfo"]["endCursor"]
    )
    tail = read(f"logLines(last: 2) {{ {node} }}")

    assert first["logLineCount"] == 3
    lines = [edge["node"] for edge in first["logLines"]["edges"] + rest["logLines"]["edges"]]
    assert [(one["number"], one["line"], one["level"]) for one in lines] == [
        (0, "hello", ""),
        (1, "oh no", "error"),
        (2, "plain", ""),
    ]
    assert (lines[0]["timestamp"], lines[2]["timestamp"]) == ("2026-05-04T09:00:00.500000Z", None)
    assert rest["logLines"]["pageInfo"]["hasNextPage"] is False
    assert [edge["node"]["number"] for edge in tail["logLines"]["edges"]] == [1, 2]


def test_a_page_of_a_long_history_reads_few_chunks(read: Callable[..., Any], run: Run) -> None:
    for step in range(20, 60):
        metrics.append(run, metrics.parse(b'[{"_step":%d,"loss":1}]' % step), at=timezone.now())
    read("historyKeys")

    with CaptureQueriesContext(connection) as queries:
        found = read("history(minStep: $a, maxStep: $b)", a=40, b=42)

    assert [row["_step"] for row in rows(found)] == [40, 41]
    # Key, user, project, run, chunks.
    assert len(queries) <= 6
