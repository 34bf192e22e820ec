"""HI7: what automations did while things happened is what the replay says they would have done."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automations import backtest, subjects
from automations.backtest import Period
from automations.models import Automation, Cooldown, EventType, Execution
from projects import metrics, runs
from projects.models import Project, Run, RunState, User
from registries import labels
from registries.models import Membership
from tests import factories

pytestmark = pytest.mark.django_db

BEGIN = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
THRESHOLD = {"name": "loss", "agg_op": None, "window_size": 1, "cmp_op": "$gt", "threshold": 2.0}
AVERAGE = {"name": "loss", "agg_op": "AVERAGE", "window_size": 3, "cmp_op": "$gte", "threshold": 1.0}
NOT_FINITE = {"name": "loss", "agg_op": None, "window_size": 1, "cmp_op": "$nonfinite", "threshold": None}
CHANGE = {
    "name": "loss",
    "agg_op": "MAX",
    "current_window_size": 2,
    "prior_window_size": 2,
    "change_type": "RELATIVE",
    "change_dir": "ANY",
    "change_amount": 0.5,
}
ZSCORE = {"name": "loss", "window_size": 3, "threshold": 1.0, "change_dir": "ANY"}
RULES: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    (EventType.RUN_METRIC, THRESHOLD, {}),
    (EventType.RUN_METRIC, AVERAGE, {"display_name": {"$regex": "0$|1$"}, "state": "running"}),
    (EventType.RUN_METRIC, NOT_FINITE, {}),
    (EventType.RUN_METRIC_CHANGE, CHANGE, {}),
    (EventType.RUN_METRIC_ZSCORE, ZSCORE, {}),
    (EventType.RUN_STATE, {"states": ["FAILED", "FINISHED"]}, {}),
    (EventType.RUN_STATE, {"states": ["RUNNING"]}, {"display_name": "run 1"}),
    (EventType.ADD_ARTIFACT_ALIAS, {}, {"alias": {"$regex": "^prod"}}),
    (EventType.CREATE_ARTIFACT, {}, {}),
)
values = st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0, -4.0, math.nan, math.inf])
waits = st.sampled_from([timedelta(seconds=1), timedelta(minutes=10), timedelta(hours=5), timedelta(hours=13)])
happenings = st.lists(
    st.tuples(
        waits,
        st.integers(0, 4),
        st.one_of(
            st.lists(values, min_size=1, max_size=6),
            st.sampled_from(["fail", "finish", "kill", "start", "version", "production", "staging"]),
        ),
    ),
    max_size=25,
)


@given(happenings)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hi7_executions_that_happened_are_those_a_replay_predicts(
    alice: User, db: object, happened: list[tuple[timedelta, int, list[float] | str]]
) -> None:
    """Over random projects: batches split at random, states, versions and aliases, and time that passes (EV5, EV11)."""
    with time_machine.travel(BEGIN, tick=False) as clock:
        project = factories.make_project(factories.make_team(f"team-{Project.objects.count()}"), "digits")
        automations = [
            factories.make_automation(project, kind, name=str(number), condition=condition, filter=asked)
            for number, (kind, condition, asked) in enumerate(RULES)
        ]
        started = [factories.make_run(project, display_name=f"run {number}") for number in range(5)]
        for wait, number, what in happened:
            clock.shift(wait)
            do(started[number], what, project=project, number=number)
        reader = factories.make_user("operator", superuser=True)
        period = Period(BEGIN - timedelta(days=1), timezone.now() + timedelta(seconds=1))
        for automation in automations:
            result = backtest.outcome(automation, period=period, reader=reader)
            assert [(one.at, one.subject.name, one.reason) for one in result.firings] == fired(automation)
            assert result.held_back >= sum(
                Cooldown.objects.filter(automation=automation).values_list("surplus", flat=True)
            )


def do(run: Run, what: list[float] | str, *, project: Project, number: int) -> None:
    run.refresh_from_db()
    now = timezone.now()
    if isinstance(what, list):
        if run.state == RunState.RUNNING:
            rows = [{"loss": value} for value in what]
            metrics.append(run, metrics.parse(json.dumps(rows).encode()), at=now)
    elif what == "start":
        runs.start(run, by=run.user, at=now)
    elif what in {"fail", "finish", "kill"} and run.state == RunState.RUNNING:
        if what == "kill":
            runs.kill(run, by=run.user, at=now)
        else:
            runs.finish(run, exit_code=int(what == "fail"), by=run.user, at=now)
    elif what == "version":
        factories.make_version(project, digest=str(Membership.objects.count()))
    elif what in {"production", "staging"}:
        versions = Membership.objects.filter(collection__project=project).order_by("version_index")
        if version := versions[number : number + 1].first():
            labels.add_alias(version, what, by=run.user, at=now)


def fired(automation: Automation) -> list[tuple[datetime, str, str]]:
    executions = Execution.objects.filter(automation=automation).select_related("event__run")
    return [
        (one.created_at, subjects.name_of(one.event), one.matched_because)
        for one in executions.order_by("created_at", "pk")
    ]
