"""Curves over REST: what plots are drawn of."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from projects import closeups, metrics
from projects.api.curves import Written
from projects.models import Project, Run, User
from tests import factories

Api = Callable[[User | None], APIClient]
CURVES = "/api/projects/research/digits/curves/"


@pytest.fixture
def run(project: Project, bob: User) -> Run:
    run = factories.make_run(project, run_id="first", user=bob)
    log(run, {"loss": 0.5, "_timestamp": 1000.25}, {"loss": float("nan"), "_timestamp": 1001.5})
    return run


def log(run: Run, *rows: dict[str, Any]) -> None:
    metrics.append(run, metrics.parse(json.dumps(rows).encode()), at=timezone.now())


def test_a_curve_says_what_to_draw_and_how_much_it_stands_for(api: Api, bob: User, run: Run) -> None:
    answer = api(bob).get(f"{CURVES}?metric=loss&run=first").json()
    curve = {"metric": "loss", "run": "first", "count": 2, "not_finite": 1, "x": [0, 1], "y": [0.5, None]}
    assert answer == {"curves": [curve], "behind": []}


def test_x_is_the_step_or_the_time(api: Api, bob: User, run: Run) -> None:
    assert api(bob).get(f"{CURVES}?metric=loss&run=first&x=time").json()["curves"][0]["x"] == [1000.25, 1001.5]


def test_between_two_places_there_is_only_what_lies_there(api: Api, bob: User, run: Run) -> None:
    log(run, *({"loss": n, "_timestamp": 1002 + n} for n in range(3)))
    client = api(bob)

    def x(query: str) -> list[float]:
        curves = client.get(f"{CURVES}?metric=loss&run=first&{query}").json()["curves"]
        return curves[0]["x"] if curves else []

    assert x("from=2&to=3") == [2, 3]
    assert x("from=1001.5&to=1003&x=time") == [1001.5, 1002, 1003]
    begin = (run.started_at or run.created_at).timestamp()
    assert x(f"from={1002 - begin}&to={1003 - begin}&x=relative") == pytest.approx([1002 - begin, 1003 - begin])
    assert x("from=90&to=91") == []


def test_where_too_much_lies_between_the_answer_says_of_which_run(
    api: Api, bob: User, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closeups, "PATIENCE", -1)
    answer = api(bob).get(f"{CURVES}?metric=loss&run=first&from=0&to=1").json()
    assert answer == {"curves": [], "behind": ["first"]}


def test_what_is_logged_later_is_in_the_next_answer(api: Api, bob: User, run: Run) -> None:
    """UI5: plots are live while a run logs."""
    client = api(bob)
    for count in (2, 3, 4):
        assert client.get(f"{CURVES}?metric=loss&run=first").json()["curves"][0]["count"] == count
        log(run, {"loss": 1})


def test_runs_and_metrics_that_do_not_exist_have_no_curve(api: Api, bob: User, run: Run) -> None:
    for query in ("metric=loss&run=other", "metric=other&run=first"):
        assert api(bob).get(f"{CURVES}?{query}").json() == {"curves": [], "behind": []}, query


def test_strangers_and_runs_of_other_projects_see_nothing(api: Api, bob: User, charlie: User, run: Run) -> None:
    """AZ1."""
    assert api(charlie).get(f"{CURVES}?metric=loss&run=first").status_code == 404
    other = factories.make_run(factories.make_project(run.project.team, "other"), run_id="hidden")
    log(other, {"loss": 1})
    assert api(bob).get(f"{CURVES}?metric=loss&run=hidden").json()["curves"] == []


@pytest.mark.parametrize(
    "query",
    [
        "run=first",
        "metric=loss",
        "metric=loss&run=first&x=size",
        "run=a&" + "&".join(f"metric={n}" for n in range(13)),
        "metric=loss&run=first&from=1",
        "metric=loss&run=first&from=2&to=1",
        "metric=loss&run=first&from=nan&to=1",
        "metric=loss&from=0&to=1&" + "&".join(f"run={n}" for n in range(21)),
    ],
)
def test_questions_without_an_answer_are_refused_with_a_sentence(api: Api, bob: User, run: Run, query: str) -> None:
    answer = api(bob).get(f"{CURVES}?{query}")
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_what_did_not_change_is_not_read_again(api: Api, bob: User, run: Run) -> None:
    client = api(bob)
    client.get(f"{CURVES}?metric=loss&metric=acc&run=first")
    with CaptureQueriesContext(connection) as queries:
        client.get(f"{CURVES}?metric=loss&metric=acc&run=first")
    assert not [query for query in queries.captured_queries if "chunk" in query["sql"] or "curve" in query["sql"]]


def test_what_is_remembered_is_bounded_and_the_oldest_goes_first() -> None:
    written = Written(most_bytes=10)
    for key in "abc":
        written.put((key,), b"1234")
        written.get(("a",))
    assert [written.get((key,)) for key in "abc"] == [b"1234", None, b"1234"]
    written.put(("a",), b"1")
    assert written.bytes == 5
