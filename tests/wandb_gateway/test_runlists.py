"""What the database is asked for a filter gives the same runs as evaluating it would."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automations import filters
from projects.events import run_facts
from projects.models import Project, Run, User
from tests import factories
from wandb_gateway.runlists import FIELDS, Chosen, in_database

DAYS = [datetime(2026, 5, day, tzinfo=UTC) for day in (1, 2, 3)]
NAMES = st.sampled_from(["a", "b", "A", ""])
TEXTS = st.one_of(
    NAMES,
    st.fixed_dictionaries({"$in": st.lists(NAMES, max_size=3)}),
    st.fixed_dictionaries({"$nin": st.lists(NAMES, max_size=3)}),
    st.fixed_dictionaries({"$ne": NAMES, "$in": st.lists(NAMES, max_size=3)}),
    st.fixed_dictionaries({"$regex": st.sampled_from(["a", "^$"])}),
)
SECONDS = st.sampled_from([day.timestamp() for day in DAYS])
MOMENTS = st.one_of(
    SECONDS,
    st.dictionaries(st.sampled_from(["$gt", "$gte", "$lt", "$lte", "$ne"]), SECONDS, min_size=1),
)
CLAUSES = st.one_of(
    st.dictionaries(st.sampled_from(["display_name", "group", "jobType", "state", "username"]), TEXTS, max_size=2),
    st.fixed_dictionaries({"created_at": MOMENTS}),
    st.fixed_dictionaries({"config.lr": st.sampled_from([0, 1, {"$gt": 0}])}),
)
DOCUMENTS = st.recursive(
    CLAUSES,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"$and": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"$or": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"$not": inner}),
    ),
    max_leaves=5,
)


@pytest.fixture
def runs(project: Project) -> list[Run]:
    made = [
        factories.make_run(
            project,
            user=factories.make_user(name or "nobody"),
            at=DAYS[number],
            display_name=name or "x",
            group=name,
            job_type=name,
            config={"lr": number},
        )
        for number, name in enumerate(["a", "b", ""])
    ]
    Run.objects.filter(pk=made[2].pk).update(user=None)
    return list(Run.objects.select_related("user"))


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(document=DOCUMENTS)
def test_the_database_agrees_with_the_language(project: Project, runs: list[Run], document: Any) -> None:
    wanted = filters.compile(document, fields=FIELDS)
    expected = {run.pk for run in runs if wanted.matches(run_facts(run) | {"created_at": run.created_at.timestamp()})}

    assert {run.pk for run in Chosen(project, json.dumps(document)).in_order(None)[0:10]} == expected


def test_what_plain_columns_answer_needs_no_evaluation(project: Project, bob: User) -> None:
    whole = {"$and": [{"state": "running"}, {"username": {"$in": ["bob"]}, "created_at": {"$gt": 5}}]}

    assert in_database(whole)[1]
    for part in ({"config.lr": 1}, {"tags": "a"}, {"$or": []}, {"name": {"$regex": "a"}}, {"state": None}):
        assert not in_database({"state": "running"} | part)[1]
