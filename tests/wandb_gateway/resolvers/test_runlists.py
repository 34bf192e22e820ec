"""The runs of a project: filtered, ordered, counted and paged."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from projects.models import Project, Run, Team, User
from registries.models import Registry
from tests import factories

Ask = Callable[[User | None], Any]

RUNS = """query Runs($project: String!, $entity: String!, $cursor: String, $perPage: Int = 50, $order: String,
        $filters: JSONString) { project(name: $project, entityName: $entity) {
    internalId runCount(filters: $filters) readOnly
    runs(filters: $filters, after: $cursor, first: $perPage, order: $order) {
        edges { cursor node { projectId id tags name displayName sweepName state group jobType commit readOnly createdAt
            heartbeatAt description notes historyLineCount user { name username } } }
        pageInfo { endCursor hasNextPage } } } }"""
FULL = """query Runs($project: String!, $entity: String!, $filters: JSONString) {
    project(name: $project, entityName: $entity) { runs(filters: $filters) { edges { node { ...Full } } } } }
fragment Full on Run { name config summaryMetrics systemMetrics }"""
RUN = """query Run($name: String!) { project(name: "digits", entityName: "research") {
    run(name: $name) { projectId id name config user { username } } } }"""
MORNING = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


@pytest.fixture
def runs(project: Project, alice: User, bob: User) -> None:
    """Three runs, made at nine, ten and eleven."""
    factories.make_run(
        project,
        user=alice,
        at=MORNING,
        run_id="first",
        display_name="prod-baseline",
        tags=["baseline", "kept"],
        group="a",
        job_type="train",
        config={"lr": 0.1, "model": {"depth": 3}},
        summary={"loss": 0.5},
    )
    factories.make_run(
        project,
        user=bob,
        at=MORNING + timedelta(hours=1),
        run_id="second",
        display_name="prod-large",
        tags=["kept"],
        job_type="eval",
        config={"lr": 0.01, "model": {"depth": 8}},
        summary={"loss": 0.25, "acc": 0.9},
    )
    factories.make_run(
        project,
        user=bob,
        at=MORNING + timedelta(hours=2),
        run_id="third",
        display_name="try",
        state="pending",
        config={"lr": 10},
        summary={"loss": float("nan")},
    )


def listed(ask: Any, filters: Any = None, order: str | None = None, **options: Any) -> list[str]:
    page = ask.data(
        RUNS, project="digits", entity="research", filters=json.dumps(filters or {}), order=order, **options
    )["project"]
    names = [edge["node"]["name"] for edge in page["runs"]["edges"]]
    if not options:
        assert page["runCount"] == len(names)
    return names


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, "first second third"),
        ({"$and": []}, "first second third"),
        ({"$or": [{"$and": []}]}, "first second third"),
        ({"display_name": "try"}, "third"),
        ({"displayName": {"$regex": "^prod"}}, "first second"),
        ({"name": {"$in": ["first", "third", "nowhere"]}}, "first third"),
        ({"state": "running"}, "first second"),
        ({"state": {"$ne": "running"}}, "third"),
        ({"username": "bob"}, "second third"),
        ({"user": {"$nin": ["bob"]}}, "first"),
        ({"group": "a"}, "first"),
        ({"group": {"$ne": "a"}}, "second third"),
        ({"jobType": {"$in": ["train", "eval"]}, "username": "bob"}, "second"),
        ({"tags": "kept"}, "first second"),
        ({"tags": {"$in": ["baseline", "new"]}}, "first"),
        ({"config.lr": 0.1}, "first"),
        ({"config.lr.value": {"$gte": 0.1}}, "first third"),
        ({"config.model.depth": {"$gt": 3}}, "second"),
        ({"config.model": {"$exists": False}}, "third"),
        ({"summary_metrics.loss": {"$lt": 0.5}}, "second"),
        ({"summary_metrics.acc": {"$exists": True}}, "second"),
        ({"created_at": {"$gt": "2026-05-04T09:30:00Z"}}, "second third"),
        ({"created_at": {"$gt": "2026-05-04T09", "$lt": "2026-05-04T11:00:00"}}, "second"),
        ({"createdAt": {"$lte": "2026-05-04T12:00:00+02:00"}}, "first second"),
        ({"heartbeat_at": {"$lt": "2026-05-04"}}, ""),
        ({"created_at": {"$not": {"$gt": "2026-05-04T09:30:00Z"}}}, "first"),
        ({"created_at": {"$gt": 1e300}}, ""),
        ({"$or": [{"config.lr": 10}, {"display_name": "prod-large"}]}, "second third"),
        ({"$and": [{"state": "running"}, {"$not": {"config.lr": 0.1}}]}, "second"),
        ({"state": "running", "summary_metrics.loss": 0.25}, "second"),
        ({"display_name": None}, ""),
    ],
)
def test_runs_are_filtered(graphql: Ask, runs: None, bob: User, filters: Any, expected: str) -> None:
    assert listed(graphql(bob), filters) == expected.split()


def test_a_run_without_a_user_is_not_anybodys(graphql: Ask, runs: None, bob: User) -> None:
    Run.objects.filter(run_id="first").update(user=None)

    assert listed(graphql(bob), {"username": {"$ne": "bob"}}) == ["first"]
    assert listed(graphql(bob), {"username": {"$ne": "bob"}, "config.lr": 0.1}) == ["first"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (None, "first second third"),
        ("+created_at", "first second third"),
        ("-created_at", "third second first"),
        ("heartbeat_at", "first second third"),
        ("+config.lr.value", "second first third"),
        ("-config.lr", "third first second"),
        ("-summary_metrics.acc", "second third first"),
        ("display_name", "first second third"),
        ("-username,+created_at", "second third first"),
    ],
)
def test_runs_are_ordered(graphql: Ask, runs: None, bob: User, order: str | None, expected: str) -> None:
    assert listed(graphql(bob), order=order) == expected.split()


@pytest.mark.parametrize("filters", [{}, {"config.lr": {"$gt": 0}}])
def test_runs_are_paged(graphql: Ask, runs: None, bob: User, filters: Any) -> None:
    ask = graphql(bob)

    assert listed(ask, filters, "-created_at", perPage=2) == ["third", "second"]
    assert listed(ask, filters, "-created_at", perPage=2, cursor="2") == ["first"]
    assert listed(ask, filters, "-created_at", perPage=2, cursor="4") == []


@pytest.mark.parametrize(
    "filters",
    ['{"lr": 1}', "[]", "no json", '{"created_at": {"$gt": "yesterday"}}', '{"$x": 1}', '{"name": "a\\u0000"}'],
)
def test_a_filter_that_cannot_be_used_is_refused_with_a_sentence(
    graphql: Ask, runs: None, bob: User, filters: str
) -> None:
    answer = graphql(bob)(RUNS, project="digits", entity="research", filters=filters)

    assert answer.status == 400
    assert answer.errors[0]


def test_an_order_by_nothing_is_refused(graphql: Ask, runs: None, bob: User) -> None:
    assert graphql(bob)(RUNS, project="digits", entity="research", order="-luck").status == 400


def test_whole_runs_have_their_documents(graphql: Ask, runs: None, bob: User) -> None:
    found = graphql(bob).data(FULL, project="digits", entity="research", filters='{"name": "first"}')

    node = found["project"]["runs"]["edges"][0]["node"]
    assert json.loads(node["config"]) == {"lr": {"value": 0.1}, "model": {"value": {"depth": 3}}}
    assert json.loads(node["summaryMetrics"]) == {"loss": 0.5}


def test_a_run_is_found_by_its_id(graphql: Ask, runs: None, bob: User) -> None:
    ask = graphql(bob)
    first = Run.objects.get(run_id="first")

    found = ask.data(RUN, name="first")["project"]["run"]

    assert (found["name"], found["projectId"], found["user"]) == ("first", first.project_id, {"username": "alice"})
    for name in ("nowhere", "a\x00b", ""):
        assert ask.data(RUN, name=name)["project"]["run"] is None


def test_a_stranger_finds_no_runs(graphql: Ask, runs: None, charlie: User) -> None:
    """AZ1"""
    assert graphql(charlie).data(RUN, name="first") == {"project": None}
    assert graphql(charlie).data(RUNS, project="digits", entity="research") == {"project": None}


def test_a_registry_has_no_runs(graphql: Ask, registry: Registry, bob: User) -> None:
    found = graphql(bob).data(RUNS, project="wandb-registry-models", entity="acme")["project"]

    assert (found["runCount"], found["runs"]["edges"]) == (0, [])


@pytest.mark.parametrize("filters", [{}, {"state": "running"}, {"config.lr": {"$gt": -1}, "state": "running"}])
@pytest.mark.parametrize("query", [RUNS, FULL])
def test_a_list_costs_the_same_for_3_and_for_30(
    graphql: Ask, team: Team, bob: User, filters: dict[str, Any], query: str
) -> None:
    ask = graphql(bob)
    asked = {"project": "digits", "entity": "research", "filters": json.dumps(filters)}
    costs = []
    for first, last in ((0, 3), (3, 30)):
        for number in range(first, last):
            factories.make_run(user=factories.make_user(f"user{number}"), config={"lr": number})
        ask.data(query, **asked)
        with CaptureQueriesContext(connection) as queries:
            assert len(ask.data(query, **asked)["project"]["runs"]["edges"]) == last
        costs.append(len(queries))

    assert costs[0] == costs[1]
    assert costs[0] <= 12
