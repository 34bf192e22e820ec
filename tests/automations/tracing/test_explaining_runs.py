"""HI6: why an automation did not fire for a run; the first gate that said no, and its numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from automations import editing, tracing
from automations.models import Automation, EventType, Execution
from automations.tracing import Trace, Verdict, occurrences
from projects import alerts, metrics, runs
from projects.models import AlertLevel, Run, User
from tests import factories

pytestmark = pytest.mark.django_db

AVERAGE = {"name": "loss", "agg_op": "AVERAGE", "window_size": 3, "cmp_op": "$gt", "threshold": 0.9}
NOON = datetime(2026, 5, 12, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def log(run: Run, *values: float, metric: str = "loss") -> None:
    rows = [{metric: value} for value in values]
    metrics.append(run, metrics.parse(json.dumps(rows).encode()), at=timezone.now())


def watching(run: Run, condition: dict[str, Any] = AVERAGE, **fields: Any) -> Automation:
    return factories.make_automation(run.project, EventType.RUN_METRIC, condition=condition, **fields)


def asked(automation: Automation, run: Run) -> Trace:
    reader = factories.make_user("operator", superuser=True)
    return tracing.explain(automation, run, reader=reader, at=timezone.now())


def stop(trace: Trace) -> tuple[str, str]:
    assert trace.stopped_by is not None
    return trace.stopped_by.code, trace.stopped_by.sentence


def test_hi6_what_fired_passed_every_gate(clock: time_machine.Traveller) -> None:
    run = factories.make_run()
    automation = watching(run)
    log(run, 0.88, 0.9, 0.96)
    trace = asked(automation, run)
    assert trace.stopped_by is None
    assert {gate.verdict for gate in trace.gates} == {Verdict.PASSED}
    assert trace.headline == "It fired 12:00, and is under way."
    assert trace.executions == [Execution.objects.get()]


def test_hi6_a_disabled_automation_stops_at_the_first_gate_and_reaches_no_other() -> None:
    run = factories.make_run()
    automation = watching(run, enabled=False)
    log(run, 5, 5, 5)
    trace = asked(automation, run)
    assert stop(trace)[0] == "enabled"
    assert {gate.verdict for gate in trace.gates[1:]} == {Verdict.NOT_REACHED}


def test_hi6_what_turned_invalid_is_not_evaluable_rather_than_no() -> None:
    run = factories.make_run()
    automation = factories.make_automation(run.project, filter={"display_name": {"$regex": "(?=x)"}})
    gate = asked(automation, run).stopped_by
    assert gate is not None
    assert gate.verdict is Verdict.NOT_EVALUABLE
    assert gate.sentence.startswith("It cannot be evaluated: RE2 cannot run this pattern")


def test_hi6_a_run_of_another_project_is_not_in_scope() -> None:
    run = factories.make_run()
    elsewhere = factories.make_run(factories.make_project(name="other"))
    assert stop(asked(watching(run), elsewhere)) == (
        "scope",
        "It covers project research/digits; this run is in research/other.",
    )


def test_hi6_a_search_among_other_metrics_ends_when_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    run = factories.make_run()
    automation = watching(run)
    log(run, 1.0, metric="accuracy")
    log(run, 5.0)
    run.refresh_from_db()
    monkeypatch.setattr(occurrences, "LONGEST", -1.0)
    gate, sentence = stop(asked(automation, run))
    assert (gate, sentence.partition(",")[0]) == ("event", "loss was logged")


def test_hi6_a_metric_that_was_never_logged_names_those_that_look_like_it() -> None:
    run = factories.make_run()
    automation = watching(run)
    log(run, 1.0, metric="train/loss")
    run.refresh_from_db()
    assert stop(asked(automation, run)) == ("event", "loss was never logged by this run. It logged train/loss.")


def test_hi6_a_window_that_is_not_full_says_how_full_it_is(clock: time_machine.Traveller) -> None:
    run = factories.make_run()
    automation = watching(run, AVERAGE | {"window_size": 5})
    log(run, 5, 5, 5)
    gate = asked(automation, run).stopped_by
    assert gate is not None
    assert (gate.code, gate.verdict) == ("condition", Verdict.NOT_EVALUABLE)
    assert gate.sentence == "loss: not evaluable: window 3 of 5. At step 2, 12:00. Values: 5, 5, 5."
    assert gate.numbers["window"] == {"has": 3, "needs": 5}


def test_hi6_the_nearest_miss_is_shown_with_its_values(clock: time_machine.Traveller) -> None:
    run = factories.make_run()
    automation = watching(run)
    log(run, 0.1, 0.85, 0.86)
    log(run, 0.9, 0.3, 0.1)
    gate = asked(automation, run).stopped_by
    assert gate is not None
    assert gate.sentence == (
        "loss: 0.87 is not > 0.9, average of the last 3 values. That was its nearest, at step 3, 12:00."
        " Values: 0.85, 0.86, 0.9."
    )
    assert gate.numbers == {
        "asked": "loss > 0.9",
        "value": pytest.approx(0.87),
        "values": [0.85, 0.86, 0.9],
        "window": {"has": 3, "needs": 3},
        "step": 3,
        "line": 3,
        "at": NOON.isoformat(),
    }


def test_hi6_the_filter_names_the_clause_that_decides() -> None:
    run = factories.make_run(display_name="dev-3")
    automation = watching(run, filter={"display_name": {"$regex": "^prod-"}, "user": "alice"})
    log(run, 5, 5, 5)
    gate = asked(automation, run).stopped_by
    assert gate is not None
    assert (gate.code, gate.sentence) == ("filter", 'display_name "dev-3" does not match ^prod-.')
    assert [clause["holds"] for clause in gate.numbers["clauses"]] == [False, True]


def test_hi6_what_happened_before_the_automation_was_made_is_told_so(clock: time_machine.Traveller) -> None:
    run = factories.make_run()
    log(run, 5, 5, 5)
    clock.shift(timedelta(hours=1))
    assert stop(asked(watching(run), run)) == (
        "made_before",
        "This happened 12:00, before the automation was made (13:00).",
    )


def test_hi6_ev11_says_when_it_fired_and_until_when_it_is_quiet(clock: time_machine.Traveller) -> None:
    run = factories.make_run()
    automation = watching(run)
    log(run, 5, 5, 5)
    clock.shift(timedelta(hours=2))
    log(run, 5, 5)
    gate = asked(automation, run).stopped_by
    assert gate is not None
    assert (gate.code, gate.sentence) == ("cooldown", "It fired 12:00, quiet until tomorrow 12:00; 2 held back since.")
    assert gate.numbers["held_back"] == 2


def test_hi6_a_paused_webhook_is_named_only_to_those_who_see_its_team(bob: User) -> None:
    run = factories.make_run(factories.make_project(factories.make_team(member=bob)))
    hidden = factories.make_team("secret")
    webhook = factories.make_webhook(hidden, paused_at=timezone.now(), paused_reason="It answered 410 Gone.")
    automation = factories.make_automation(run.project, webhook=webhook)
    runs.finish(run, exit_code=1, by=None, at=timezone.now())
    Execution.objects.all().delete()
    automation.cooldowns.all().delete()
    assert stop(asked(automation, run)) == ("action", "Webhook pager is paused: It answered 410 Gone.")
    trace = tracing.explain(automation, run, reader=bob, at=timezone.now())
    assert stop(trace) == ("action", "The webhook is paused.")


def test_hi6_an_automation_that_was_edited_since_says_so(alice: User, clock: time_machine.Traveller) -> None:
    run = factories.make_run()
    factories.make_team(admin=alice)
    automation = watching(run, AVERAGE | {"threshold": 100.0})
    clock.shift(timedelta(minutes=5))
    log(run, 5, 5, 5)
    clock.shift(timedelta(minutes=5))
    editing.change(automation, by=alice, condition=AVERAGE)
    code, sentence = stop(asked(Automation.objects.get(), run))
    assert code == "outcome"
    assert sentence.startswith("As the automation is now, it would have fired 12:05. It was changed 12:10:")


def test_hi6_states_and_alerts_are_told_as_they_were(clock: time_machine.Traveller) -> None:
    run = factories.make_run()
    failing = factories.make_automation(run.project)
    alerted = factories.make_automation(run.project, EventType.RUN_ALERT, condition={"levels": ["ERROR"]}, name="a")
    runs.finish(run, exit_code=0, by=None, at=timezone.now())
    alerts.raise_alert(
        run, title="Low accuracy", text="", level=AlertLevel.WARN, wait=timedelta(), by=run.user, at=timezone.now()
    )
    assert stop(asked(failing, run)) == ("condition", "The run is finished, not failed (12:00).")
    assert stop(asked(alerted, run)) == (
        "condition",
        'The alert\'s level "WARN" is none of ERROR (12:00).',
    )


def test_hi6_nan_and_zscores_have_their_numbers_too(clock: time_machine.Traveller) -> None:
    run = factories.make_run()
    for value in (1.0, 2.0, 3.0):
        log(factories.make_run(run.project), value)
    log(run, math.nan, 2.5)
    far = factories.make_automation(run.project, EventType.RUN_METRIC_ZSCORE, name="far")
    far.created_at = NOON - timedelta(days=1)
    gate = asked(far, run).stopped_by
    assert gate is not None
    assert gate.sentence.startswith(
        "loss: z-score 0.612372 is not beyond ±3: 2.5 against mean 2 and deviation 0.816497 of 3 other runs."
    )


def test_candidates_are_those_of_every_scope_around_the_run() -> None:
    run = factories.make_run()
    reader = factories.make_user("operator", superuser=True)
    team = run.project.team
    names = {"project": run.project, "team": team, "organization": team.organization}
    for name, scope in names.items():
        factories.make_automation(scope, name=name)
    factories.make_automation(run.project, EventType.CREATE_ARTIFACT, name="of versions")
    factories.make_automation(factories.make_project(name="other"), name="elsewhere")
    assert {one.name for one in tracing.candidates_for(run, reader=reader)} == set(names)
    assert tracing.subjects_for(Automation.objects.get(name="organization"), reader=reader) == [run]
