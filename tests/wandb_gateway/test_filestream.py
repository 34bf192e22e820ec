"""What scripts report: lines, summaries, printed text, heartbeats, ends."""

import json
from collections import Counter
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from automations.models import Execution
from projects import console, metrics, reports, runs
from projects.events import Fact
from projects.models import ConsoleChunk, MetricChunk, Project, Run, RunState, User
from projects.models.history import Stream
from tests import factories

STREAM = "/files/research/digits/first/file_stream"


@pytest.fixture
def run(project: Project, bob: User) -> Run:
    return factories.make_run(project, run_id="first", user=bob)


class Script:
    """A script as the client reports for it."""

    def __init__(self, user: User) -> None:
        self.client = Client()
        self.headers = {"Authorization": f"Bearer {factories.make_api_key(user)}"}

    def answer(self, body: Any) -> tuple[int, Any]:
        text = body if isinstance(body, bytes) else json.dumps(body)
        response = self.client.post(STREAM, text, "application/json", headers=self.headers)
        return response.status_code, response.json()

    def report(self, body: Any) -> Any:
        status, document = self.answer(body)
        assert status == 200, document
        return document

    def log(self, *rows: Any, first: int = 0, stream: str = "history", **further: Any) -> Any:
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        return self.report({"files": {f"wandb-{stream}.jsonl": {"offset": first, "content": lines}}, **further})

    def prints(self, *lines: str, first: int) -> None:
        self.report({"files": {"output.log": {"offset": first, "content": list(lines)}}})


@pytest.fixture
def script(bob: User, run: Run) -> Script:
    return Script(bob)


def statements(queries: CaptureQueriesContext) -> Counter[str]:
    return Counter(query["sql"].split()[0] for query in queries.captured_queries)


def test_1000_points_cost_one_insert_and_one_update(script: Script) -> None:
    rows = [{f"m{metric}": step * metric for metric in range(10)} | {"_step": step} for step in range(100)]
    script.log(rows[0])  # notes that the key was used, which happens once a minute

    with CaptureQueriesContext(connection) as queries:
        script.log(*rows, first=1)

    kinds = statements(queries)
    assert (kinds["INSERT"], kinds["UPDATE"], kinds["DELETE"]) == (1, 1, 0)
    # the run with the key and the role of who asks, and the run again under its lock: as over REST
    assert kinds["SELECT"] == 2


def test_a_heartbeat_costs_one_update(script: Script, run: Run) -> None:
    script.report({})
    before = Run.objects.get().heartbeat_at

    with CaptureQueriesContext(connection) as queries:
        assert script.report({}) == {}

    kinds = statements(queries)
    assert (kinds["SELECT"], kinds["UPDATE"], kinds["INSERT"]) == (1, 1, 0)
    assert Run.objects.get().heartbeat_at > before


def test_any_value_is_logged(script: Script, run: Run) -> None:
    line = '{"_step":0,"nan":NaN,"inf":-Infinity,"big":1152921504606846976,"text":"caf\\u00e9","a/b":{"c":[1,null]}}'
    script.log(line, {"table": {"_type": "table-file", "path": "media/t.json"}})

    [chunk] = MetricChunk.objects.all()
    first, second = metrics.rows_of(chunk)
    assert metrics.value_at(first, "inf") == float("-inf")
    assert first["big"] == 1152921504606846976
    assert second["table"]["_type"] == "table-file"
    run.refresh_from_db()
    assert (run.history_lines, run.summary["nan"], run.summary["inf"]) == (2, "NaN", "-Infinity")
    assert run.summary["a/b"] == {"c": [1, None]}


def test_text_that_no_database_takes_loses_nothing_but_itself(script: Script, run: Run) -> None:
    deep = "[" * 400 + "]" * 400
    script.log('{"a":"x\\u0000y","b":"\\ud800","c":1}', f'{{"deep":{deep},"c":2}}')
    run.refresh_from_db()
    assert (run.summary["a"], run.summary["c"]) == ("x�y", 2)
    assert run.history_lines == 2


def test_repeated_lines_count_once(script: Script, run: Run, facts: list[Fact]) -> None:
    script.log({"loss": 1}, {"loss": 2})
    script.log({"loss": 1}, {"loss": 2})
    script.log({"loss": 2}, {"loss": 3}, first=1)

    run.refresh_from_db()
    assert run.history_lines == 3
    assert metrics.last_values(run, "loss", count=9, before_line=9) == [1, 2, 3]
    assert [fact.rows for fact in facts if fact.kind == "METRICS_LOGGED"] == [
        [{"loss": 1}, {"loss": 2}],
        [{"loss": 3}],
    ]


def test_lines_that_never_arrived_are_no_reason_to_refuse_others(script: Script, run: Run) -> None:
    script.log({"loss": 1})
    script.log({"loss": 7}, first=6)
    script.log({"loss": 8}, first=7)
    run.refresh_from_db()
    assert run.history_lines == 8
    assert metrics.last_values(run, "loss", count=9, before_line=99) == [1, 7, 8]


def test_system_metrics_are_a_stream_of_their_own(script: Script, run: Run, facts: list[Fact]) -> None:
    script.log({"system.cpu": 1.5, "_timestamp": 1.7e9}, stream="events")
    script.log({"system.cpu": 2.5}, {"system.cpu": 3}, first=1, stream="events")

    run.refresh_from_db()
    assert (run.system_lines, run.history_lines) == (3, 0)
    assert run.system_metrics["system.cpu"] == 3
    assert run.summary == {}
    assert {chunk.stream for chunk in MetricChunk.objects.all()} == {Stream.SYSTEM}
    logged = [fact for fact in facts if fact.kind == "METRICS_LOGGED"]
    assert [(fact.stream, fact.first_line) for fact in logged] == [("system", 0), ("system", 1)]


@pytest.mark.parametrize(("metric", "stream"), [("system.cpu", "events"), ("loss", "history")])
def test_a_watched_metric_fires_once_however_often_its_lines_arrive(
    script: Script, run: Run, metric: str, stream: str
) -> None:
    """EV5, EV11: whether the script logs it, or the client measures it."""
    condition = {"name": metric, "agg_op": None, "window_size": 1, "cmp_op": "$gt", "threshold": 90}
    factories.make_automation(run.project, "RUN_METRIC", condition=condition)
    for _ in range(3):
        script.log({metric: 10}, {metric: 95}, {metric: 99}, stream=stream)
    [execution] = Execution.objects.all()
    assert execution.event.details["value"] == 95


def test_the_summary_of_the_script_is_the_one_that_counts(script: Script, run: Run) -> None:
    script.log({"loss": 3})
    script.report({"files": {"wandb-summary.json": {"offset": 0, "content": ['{"loss":{"min":NaN},"best":42}']}}})
    script.log({"loss": 1}, first=1)
    run.refresh_from_db()
    assert run.summary == {"loss": {"min": "NaN"}, "best": 42}


def test_printed_lines_are_overwritten(script: Script, run: Run) -> None:
    script.prints('{"ts":"2026-11-23T06:32:03.197504","content":"begin"}', '{"content":"10 %"}', first=0)
    script.prints('{"content":"90 %"}', '{"level":"error","content":"oh"}', first=1)
    script.prints("plain", first=4)

    run.refresh_from_db()
    found = console.lines(run, start=0, end=99)
    assert [line.text for line in found] == ["begin", "90 %", "oh", "", "plain"]
    assert [line.number for line in found] == [0, 1, 2, 3, 4]
    assert found[2].level == "error"
    assert found[0].printed_at is not None
    assert [line.text for line in console.tail(run, count=2)] == ["", "plain"]
    assert "".join(console.everything(run)) == "begin\n90 %\noh\n\nplain\n"
    assert ConsoleChunk.objects.count() == 3


@pytest.mark.parametrize(("code", "state"), [(0, "finished"), (1, "failed"), (3, "failed"), (10**12, "failed")])
def test_the_last_report_ends_the_run(script: Script, run: Run, code: int, state: str) -> None:
    script.log({"loss": 1}, complete=True, exitcode=code)
    run.refresh_from_db()
    assert (run.state, run.history_lines) == (state, 1)


def test_a_report_after_the_end_changes_no_state(script: Script, run: Run) -> None:
    script.log({"loss": 1}, complete=True, exitcode=1)
    script.log({"loss": 1}, complete=True, exitcode=1)
    script.report({"complete": True, "exitcode": 0})
    script.report({})
    run.refresh_from_db()
    assert (run.state, run.exit_code, run.history_lines, run.state_changes) == ("failed", 1, 1, 1)


@pytest.mark.parametrize("report", [{}, {"files": {"wandb-history.jsonl": {"offset": 0, "content": ['{"a":1}']}}}])
def test_a_late_report_brings_a_crashed_run_back(script: Script, run: Run, report: Any) -> None:
    Run.objects.update(state=RunState.CRASHED)
    script.report(report)
    run.refresh_from_db()
    assert run.state == RunState.RUNNING


def test_a_crashed_run_that_turns_out_to_have_ended_is_never_running_again(
    script: Script, run: Run, facts: list[Fact]
) -> None:
    Run.objects.update(state=RunState.CRASHED)
    script.log({"loss": 1}, complete=True, exitcode=0)
    assert [fact.details["state"] for fact in facts if fact.kind == "RUN_STATE"][-1:] == ["finished"]
    assert len([fact for fact in facts if fact.kind == "RUN_STATE"]) == 1


def test_a_run_that_waits_begins_with_its_first_report(bob: User, project: Project) -> None:
    run = factories.make_run(project, run_id="first", user=bob, state=RunState.PENDING)
    Script(bob).report({"complete": True, "exitcode": 0})
    run.refresh_from_db()
    assert run.state == RunState.FINISHED


def test_a_preempted_run_is_waited_for(script: Script, run: Run) -> None:
    script.report({"preempting": True})
    run.refresh_from_db()
    assert (run.state, run.preempting) == (RunState.RUNNING, True)


def test_a_report_of_many_megabytes_is_taken(script: Script, run: Run) -> None:
    script.log({"text": "x" * 25_000_000})
    run.refresh_from_db()
    assert run.history_lines == 1
    assert run.summary == {}  # too much for a summary, which is read with the run


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        {"files": ["history"]},
        {"files": {"wandb-history.jsonl": []}},
        {"files": {"wandb-history.jsonl": {"offset": -1, "content": []}}},
        {"files": {"wandb-history.jsonl": {"offset": 0, "content": "{}"}}},
        {"files": {"wandb-history.jsonl": {"offset": 0, "content": ["{"]}}},
        {"files": {"wandb-history.jsonl": {"offset": 0, "content": ["1"]}}},
        {"files": {"wandb-history.jsonl": {"offset": 0, "content": ["{},{}"]}}},
        {"files": {"wandb-history.jsonl": {"offset": 0, "content": ["[" * 2000]}}},
    ],
)
def test_what_is_no_report_is_refused_with_a_sentence(script: Script, run: Run, body: Any) -> None:
    status, document = script.answer(body)
    assert status == 400
    assert document["error"]
    run.refresh_from_db()
    assert run.history_lines == 0


def test_only_members_report(run: Run, charlie: User, alice: User) -> None:
    assert Script(charlie).answer({})[0] == 404
    assert Script(alice).answer({})[0] == 200
    anonymous = Client().post(STREAM, "{}", "application/json")
    assert (anonymous.status_code, anonymous.json()["errors"][0]["message"][:21]) == (401, "user is not logged in")


def test_a_deleted_run_is_gone(script: Script, run: Run) -> None:
    run.delete()
    status, document = script.answer({})
    assert status == 404
    assert "first" in document["error"]


def test_a_busy_database_makes_the_client_try_again(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*args: object, **options: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(reports, "take", busy)
    assert script.answer({})[0] == 503


def test_a_stopped_script_is_told_so(script: Script, run: Run, bob: User) -> None:
    runs.request_stop(run, by=bob, at=timezone.now())
    assert script.report({}) == {"stopped": True}
    assert script.log({"loss": 1}, complete=True, exitcode=255) == {"stopped": True}
    run.refresh_from_db()
    assert run.state == RunState.KILLED
