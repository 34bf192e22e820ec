"""Runs as a whole: stopped, deleted, queued again, resumed; alerts about them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from projects import metrics, reports
from projects.events import Fact
from projects.models import Project, Run, RunAlert, RunState, User
from projects.reports import Lines, Report
from tests import factories
from wandb_gateway import ids

Graphql = Callable[[User | None], Any]
STOP = "mutation Stop($id: ID!) { stopRun(input: {id: $id}) { success } }"
DELETE = """mutation Delete($id: ID!, $all: Boolean) {
  deleteRun(input: {id: $id, deleteArtifacts: $all}) { clientMutationId } }"""
MOVE = "mutation Move($input: UpdateRunStateInput!) { updateRunState(input: $input) { success } }"
REWIND = 'mutation { rewindRun(input: {runName: "first", metricName: "_step", metricValue: 2}) { rewoundRun { id } } }'
ALERT = """mutation Alert($text: String!, $wait: Duration, $severity: AlertSeverity = INFO) {
  notifyScriptableRunAlert(input: {entityName: "research", projectName: "digits", runName: "first", title: "Odd",
    text: $text, severity: $severity, waitDuration: $wait}) { success } }"""
RESUME = """query RunResumeStatus($project: String, $entity: String, $name: String!) {
  model(name: $project, entityName: $entity) { id name entity { id name }
    bucket(name: $name, missingOk: true) { id name summaryMetrics displayName logLineCount historyLineCount
      eventsLineCount historyTail eventsTail config tags notes wandbConfig(keys: ["t"]) } } }"""


@pytest.fixture
def run(project: Project, bob: User) -> Run:
    return factories.make_run(project, user=bob, run_id="first")


@pytest.fixture
def number(run: Run) -> str:
    return ids.encode("Run", run.pk)


def test_a_run_is_asked_to_stop(graphql: Graphql, run: Run, number: str, bob: User) -> None:
    assert graphql(bob).data(STOP, id=number) == {"stopRun": {"success": True}}
    run.refresh_from_db()
    assert (run.state, run.is_to_stop) == (RunState.RUNNING, True)


def test_a_run_is_deleted_but_not_its_artifacts(graphql: Graphql, run: Run, number: str, bob: User) -> None:
    answer = graphql(bob)(DELETE, id=number, all=True)
    assert (answer.status, "Artifacts are not deleted" in answer.errors[0]) == (400, True)
    graphql(bob).data(DELETE, id=number)
    assert not Run.objects.exists()
    assert graphql(bob)(DELETE, id=number).status == 404


@pytest.mark.parametrize(
    ("before", "asked", "after"),
    [
        (RunState.CRASHED, "pending", "pending"),
        (RunState.FAILED, "PENDING", "pending"),
        (RunState.PENDING, "failed", "failed"),
        (RunState.RUNNING, "failed", "failed"),
    ],
)
def test_a_run_is_queued_again_or_given_up(
    graphql: Graphql, run: Run, number: str, bob: User, *, before: RunState, asked: str, after: str
) -> None:
    Run.objects.update(state=before)
    assert graphql(bob).data(MOVE, input={"id": number, "state": asked})["updateRunState"]["success"]
    run.refresh_from_db()
    assert run.state == after


@pytest.mark.parametrize(("asked", "status"), [("finished", 400), ("pending", 409), ("", 400)])
def test_a_run_that_finished_stays_so(
    graphql: Graphql, run: Run, number: str, bob: User, *, asked: str, status: int
) -> None:
    Run.objects.update(state=RunState.FINISHED)
    assert graphql(bob)(MOVE, input={"id": number, "state": asked}).status == status
    run.refresh_from_db()
    assert run.state == RunState.FINISHED


def test_history_is_never_taken_back(graphql: Graphql, run: Run, bob: User) -> None:
    answer = graphql(bob)(REWIND)
    assert answer.status == 400
    assert "cannot be rewound" in answer.errors[0]


def test_an_alert_is_told_once_within_the_time_to_wait(
    graphql: Graphql, run: Run, bob: User, facts: list[Fact]
) -> None:
    ask = graphql(bob)
    for text in ("first", "second"):
        assert ask.data(ALERT, text=text, severity="ERROR")["notifyScriptableRunAlert"]["success"]
    ask.data(ALERT, text="third", wait=0)
    ask.data(ALERT, text="fourth", wait=2**60)
    told = [fact.details for fact in facts if fact.kind == "RUN_ALERT"]
    assert [(one["title"], one["text"], one["level"]) for one in told] == [
        ("Odd", "first", "ERROR"),
        ("Odd", "third", "INFO"),
    ]
    assert RunAlert.objects.get().count == 2


@pytest.mark.parametrize(("role", "status"), [("stranger", 404), ("viewer", 403)])
def test_who_may_not_log_changes_nothing(
    graphql: Graphql, run: Run, number: str, charlie: User, *, role: str, status: int
) -> None:
    if role == "viewer":
        factories.make_team(viewer=charlie)
    ask = graphql(charlie)
    answers = [
        ask(STOP, id=number),
        ask(DELETE, id=number),
        ask(MOVE, input={"id": number, "state": "failed"}),
        ask(ALERT, text="x"),
    ]
    assert [answer.status for answer in answers] == [status] * 4
    run.refresh_from_db()
    assert (run.state, run.is_to_stop, RunAlert.objects.count()) == (RunState.RUNNING, False, 0)


def test_a_script_that_resumes_learns_how_far_the_run_got(graphql: Graphql, run: Run, bob: User) -> None:
    def lines(*rows: str) -> Lines:
        return Lines(first=0, batch=metrics.parse_lines(rows))

    report = Report(
        history=lines('{"_step": 0, "loss": 1}', '{"_step": 7, "loss": NaN}'), system=lines('{"system.cpu": 1}')
    )
    reports.take(run, report, at=timezone.now())
    Run.objects.update(client_config={"t": {"1": [2]}, "m": []})

    found = graphql(bob).data(RESUME, project="digits", entity="research", name="first")["model"]["bucket"]
    assert (found["historyLineCount"], found["eventsLineCount"], found["logLineCount"]) == (2, 1, 0)
    assert json.loads(found["historyTail"]) == ['{"_step": 7, "loss": NaN}']
    assert json.loads(found["eventsTail"]) == ['{"system.cpu": 1}']
    assert json.loads(found["wandbConfig"]) == {"t": {"1": [2]}}


@pytest.mark.parametrize(
    ("place", "model"),
    [
        ({"project": "digits", "entity": "research", "name": "other"}, {"bucket": None}),
        ({"project": "other", "entity": "research", "name": "first"}, None),
        ({"project": "other", "entity": None, "name": "first"}, None),
    ],
)
def test_there_may_be_nothing_to_resume(graphql: Graphql, run: Run, bob: User, place: Any, model: Any) -> None:
    found = graphql(bob).data(RESUME, **place)["model"]
    assert (found and {"bucket": found["bucket"]}) == model


def test_a_run_without_lines_has_no_tail(graphql: Graphql, run: Run, bob: User) -> None:
    found = graphql(bob).data(RESUME, project="digits", entity="research", name="first")["model"]["bucket"]
    assert (found["historyTail"], found["eventsTail"]) == ("[]", "[]")
