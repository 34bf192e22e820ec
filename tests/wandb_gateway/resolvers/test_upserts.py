"""`upsertBucket`: a script begins its run, says more, resumes it; people edit it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from projects.models import Project, Run, RunState, User
from tests import factories
from wandb_gateway import ids

Graphql = Callable[[User | None], Any]
UPSERT = """mutation UpsertBucket($input: UpsertBucketInput!) {
  upsertBucket(input: $input) { inserted bucket {
    id name displayName state tags config summaryMetrics group jobType notes commit historyLineCount readOnly stopped
    createdAt heartbeatAt projectId sweepName project { id name entityName entity { id name } } user { username } } }
}"""
BEGINS = {"host": "vm", "jobProgram": "train.py"}


class Upserting:
    def __init__(self, graphql: Graphql, user: User) -> None:
        self.ask = graphql(user)

    def __call__(self, **input: Any) -> Any:
        return self.ask.data(UPSERT, input=input)["upsertBucket"]

    def refused(self, **input: Any) -> tuple[int, str]:
        answer = self.ask(UPSERT, input=input)
        return answer.status, " ".join(answer.errors)


@pytest.fixture
def upsert(graphql: Graphql, bob: User) -> Upserting:
    return Upserting(graphql, bob)


def test_a_script_that_names_nothing_logs_at_home(upsert: Upserting, bob: User) -> None:
    nothing = dict.fromkeys(("id", "entityName", "modelName", "displayName", "notes", "tags", "config"), None)
    answer = upsert(name="abc", **nothing, **BEGINS)
    run = answer["bucket"]
    assert (answer["inserted"], run["name"], run["state"]) == (True, "abc", "running")
    assert (run["project"]["name"], run["project"]["entity"]["name"]) == ("uncategorized", "bob")
    assert run["project"]["entityName"] == "bob"
    assert run["displayName"] not in {"", "abc", None}
    assert (run["historyLineCount"], run["readOnly"], run["stopped"], run["sweepName"]) == (0, False, False, None)
    found = Run.objects.get()
    assert (found.host, found.program, found.user) == ("vm", "train.py", bob)


def test_what_a_script_says_is_kept(upsert: Upserting, project: Project) -> None:
    config = {"lr": {"value": 0.1}, "nan": {"value": float("nan")}, "_wandb": {"value": {"t": {"1": [1]}}}}
    run = upsert(
        name="abc",
        entityName="research",
        modelName="digits",
        displayName="baseline",
        groupName="sweep",
        jobType="train",
        notes="by hand",
        commit="c0ffee",
        jobRepo="git@example.org:a/b.git",
        tags=["b", "a", "b"],
        config=json.dumps(config),
        summaryMetrics='{"best": Infinity}',
        **BEGINS,
    )["bucket"]
    assert (run["displayName"], run["group"], run["jobType"]) == ("baseline", "sweep", "train")
    assert (run["notes"], run["commit"], run["tags"]) == ("by hand", "c0ffee", ["b", "a"])
    assert '"nan":{"value":NaN}' in run["config"]
    assert json.loads(run["summaryMetrics"]) == {"best": float("inf")}
    found = Run.objects.get()
    assert found.config == {"lr": 0.1, "nan": "NaN"}
    assert (found.client_config, found.repo) == ({"t": {"1": [1]}}, "git@example.org:a/b.git")


def test_saying_it_again_changes_nothing(upsert: Upserting) -> None:
    said = {"name": "abc", "config": '{"lr": {"value": 0.1}}', **BEGINS}
    first, second = upsert(**said), upsert(**said)
    assert (first["inserted"], second["inserted"]) == (True, False)
    assert {**first["bucket"], "heartbeatAt": 0} == {**second["bucket"], "heartbeatAt": 0}


def test_more_is_added_to_what_was_said(upsert: Upserting) -> None:
    upsert(name="abc", config='{"lr": {"value": 0.1}, "_wandb": {"value": {"a": 1}}}', tags=["x"], **BEGINS)
    run = upsert(name="abc", config='{"late": {"value": 2}, "_wandb": {"value": {"b": 2}}}')["bucket"]
    assert json.loads(run["config"]) == {
        "lr": {"value": 0.1},
        "late": {"value": 2},
        "_wandb": {"value": {"a": 1, "b": 2}},
    }
    assert run["tags"] == ["x"]
    assert upsert(name="abc", tags=[])["bucket"]["tags"] == []


def test_a_late_word_never_brings_a_run_back(upsert: Upserting) -> None:
    upsert(name="abc", **BEGINS)
    Run.objects.update(state=RunState.FINISHED)
    assert upsert(name="abc", config="{}")["bucket"]["state"] == "finished"
    assert upsert(name="abc", **BEGINS)["bucket"]["state"] == "running"


def test_a_run_is_edited_and_resumed_by_its_id(upsert: Upserting, project: Project, bob: User) -> None:
    run = factories.make_run(project, user=bob, summary={"old": 1}, config={"lr": 1})
    Run.objects.update(state=RunState.FAILED)
    number = ids.encode("Run", run.pk)

    edited = upsert(id=number, displayName="renamed", tags=["kept"], config='{"lr": {"value": 2}}')["bucket"]
    assert (edited["displayName"], edited["tags"], edited["state"]) == ("renamed", ["kept"], "failed")
    assert json.loads(edited["config"]) == {"lr": {"value": 2}}
    assert json.loads(upsert(id=number, summaryMetrics='{"new": 2}')["bucket"]["summaryMetrics"]) == {"new": 2}
    assert upsert(id=number, name=run.run_id, **BEGINS)["bucket"]["state"] == "running"


def test_a_run_may_wait(upsert: Upserting) -> None:
    assert upsert(name="abc", state="pending")["bucket"]["state"] == "pending"
    assert upsert(name="abc", **BEGINS)["bucket"]["state"] == "running"


def test_text_that_no_database_takes_is_mended(upsert: Upserting) -> None:
    upsert(name="abc", notes="a\x00b", tags=["\x00"], config='{"x": {"value": "\\ud800"}}', **BEGINS)
    found = Run.objects.get()
    assert (found.notes, found.tags, found.config) == ("a�b", ["�"], {"x": "�"})


@pytest.mark.parametrize(
    ("input", "status", "sentence"),
    [
        ({"entityName": "nobody"}, 404, "There is no team “nobody”."),
        ({"modelName": "a/b"}, 400, "A name may not contain"),
        ({"name": "a/b"}, 400, "A name may not contain"),
        ({"config": "["}, 400, "“config” is not JSON"),
        ({"config": "[]"}, 400, "“config” is a JSON object"),
        ({"config": json.dumps({"x": {"value": "y" * 2_000_000}})}, 400, "at most 1 MB can be kept"),
        ({"state": "finished"}, 400, "A run begins as pending or running."),
        ({"groupName": "g" * 300}, 400, "at most 255 characters"),
        ({"config": '{"_wandb": {"value": {"branch_point": {"run_id": "x"}}}}'}, 400, "Runs cannot be forked"),
        ({"id": "nonsense"}, 404, "is not the id of Run"),
        ({"id": ids.encode("Run", 99)}, 404, "There is no such run any more."),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    upsert: Upserting, input: dict[str, Any], status: int, sentence: str
) -> None:
    found = upsert.refused(**{"name": "abc"} | input)
    assert found[0] == status
    assert sentence in found[1]
    assert not Run.objects.exists()


def test_who_may_only_look_may_not_log(graphql: Graphql, project: Project, charlie: User, bob: User) -> None:
    run = factories.make_run(project, user=bob)
    place = {"name": "abc", "entityName": "research", "modelName": "digits"}
    stranger = Upserting(graphql, charlie)
    assert stranger.refused(**place)[0] == 404
    assert stranger.refused(id=ids.encode("Run", run.pk), notes="x")[0] == 404
    factories.make_team(viewer=charlie)
    assert stranger.refused(**place)[0] == 403
    assert stranger.refused(id=ids.encode("Run", run.pk), notes="x")[0] == 403
    assert Upserting(graphql, None).refused(**place)[0] == 401  # type: ignore[arg-type]  # nobody
