"""Runs: their states (EV3), signs of life, and what is announced of them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from automations.models import Event
from projects import runs
from projects.events import Fact, announce
from projects.models import Project, Run, RunState, User
from projects.runs import InvalidTransition, RunExists
from tests import factories

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
SILENCE = timedelta(minutes=5)

MOVES: dict[str, Callable[[Run, datetime], Run]] = {
    "running": lambda run, at: runs.start(run, by=None, at=at),
    "finished": lambda run, at: runs.finish(run, exit_code=0, by=None, at=at),
    "failed": lambda run, at: runs.finish(run, exit_code=1, by=None, at=at),
    "killed": lambda run, at: runs.kill(run, by=None, at=at),
}
# What may follow what, by what scripts and people do; only silence makes a run crash.
FOLLOWING = {
    "pending": {"running", "failed", "killed"},
    "running": {"finished", "failed", "killed"},
    "finished": {"running"},
    "failed": {"running"},
    "crashed": {"running", "finished", "failed", "killed"},
    "killed": {"running"},
}


def make_run_in(state: str, project: Project, **fields: Any) -> Run:
    run = factories.make_run(project, at=AT, state="pending" if state == "pending" else "running", **fields)
    if state == "crashed":
        return runs.mark_crashed(silent_for=SILENCE, at=AT + SILENCE * 2)[0]
    return run if run.state == state else MOVES[state](run, AT)


def states(facts: list[Fact]) -> list[tuple[str | None, str]]:
    return [(fact.details["before"], fact.details["state"]) for fact in facts]


@pytest.mark.parametrize("to", MOVES)
@pytest.mark.parametrize("before", FOLLOWING)
def test_ev3_each_state_follows_only_from_some(project: Project, facts: list[Fact], before: str, to: str) -> None:
    run = make_run_in(before, project)
    facts.clear()

    if before == to:
        assert MOVES[to](run, AT).state == to
        assert not facts, "saying the same again is no event"
    elif to in FOLLOWING[before]:
        assert MOVES[to](run, AT).state == to
        assert states(facts) == [(before, to)]
    else:
        with pytest.raises(InvalidTransition, match=f"Run {run.run_id} is {before}; it cannot become {to}"):
            MOVES[to](run, AT)
        run.refresh_from_db()
        assert run.state == before
        assert not facts


def test_a_new_run_is_announced_with_what_conditions_see(project: Project, alice: User, facts: list[Fact]) -> None:
    run = runs.create(
        project, by=alice, at=AT, run_id="r1", display_name="prod-7", config={"lr": 0.1}, tags=["nightly"], group="g"
    )

    (fact,) = facts
    assert (fact.kind, fact.run, fact.actor, fact.occurred_at) == ("RUN_STATE", run, alice, AT)
    assert (fact.scopes.team, fact.scopes.project, fact.scopes.registry) == (project.team_id, project.pk, None)
    assert fact.scopes.organization == project.team.organization_id
    assert fact.facts == {
        "name": "r1",
        "display_name": "prod-7",
        "state": "running",
        "user": "alice",
        "tags": ["nightly"],
        "group": "g",
        "job_type": "",
        "config": {"lr": 0.1},
        "summary": {},
    }
    assert fact.details["before"] is None


def test_each_change_of_state_is_an_occurrence_of_its_own(project: Project, facts: list[Fact]) -> None:
    """A run that fails, is resumed and fails again failed twice."""
    run = factories.make_run(project)
    for to in ("failed", "running", "failed"):
        run = MOVES[to](run, AT)

    assert len({fact.dedupe_key for fact in facts}) == len(facts) == 4


def test_a_change_that_is_rolled_back_leaves_no_event(project: Project, facts: list[Fact]) -> None:
    """RE1: the event is written in the transaction that makes it true, or not at all."""
    with transaction.atomic():
        factories.make_run(project, run_id="r1")
        transaction.set_rollback(True)

    assert len(facts) == 1
    assert not Run.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_announcement_without_a_transaction_is_refused() -> None:
    """RE1."""
    run = factories.make_run()
    fact = Fact(kind="RUN_STATE", occurred_at=AT, dedupe_key="x", scopes=runs.run_scopes(run))

    with pytest.raises(RuntimeError, match="announced outside a transaction"):
        announce(fact)


def test_times_and_exit_codes_follow_the_state(project: Project) -> None:
    run = factories.make_run(project, at=AT, state="pending")
    assert (run.started_at, run.duration) == (None, None)

    run = runs.start(run, by=None, at=AT + timedelta(minutes=1))
    run = runs.finish(run, exit_code=3, by=None, at=AT + timedelta(minutes=4))
    assert (run.exit_code, run.duration, run.state) == (3, timedelta(minutes=3), "failed")

    run = runs.start(run, by=None, at=AT + timedelta(minutes=9))
    assert (run.exit_code, run.finished_at) == (None, None)
    assert run.started_at == AT + timedelta(minutes=1)


@pytest.mark.parametrize("exit_code", [1, -9, 255])
def test_any_exit_code_but_zero_is_a_failure(project: Project, exit_code: int) -> None:
    run = runs.finish(factories.make_run(project), exit_code=exit_code, by=None, at=AT)

    run.refresh_from_db()
    assert (run.state, run.exit_code) == ("failed", exit_code)


# --- signs of life ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "silent_for", "crashes"),
    [
        ("running", SILENCE + timedelta(seconds=1), True),
        ("running", SILENCE, False),
        ("pending", timedelta(days=1), False),
        ("finished", timedelta(days=1), False),
        ("killed", timedelta(days=1), False),
    ],
)
def test_ev3_only_running_runs_that_fell_silent_crash(
    project: Project, facts: list[Fact], state: str, silent_for: timedelta, crashes: bool
) -> None:
    run = make_run_in(state, project)
    facts.clear()

    crashed = runs.mark_crashed(silent_for=SILENCE, at=AT + silent_for)

    run.refresh_from_db()
    assert (crashed == [run], run.state == RunState.CRASHED, len(facts) == 1) == (crashes,) * 3


def test_a_crash_is_noticed_once(project: Project, facts: list[Fact]) -> None:
    make_run_in("running", project)
    facts.clear()
    for minutes in (6, 7, 8):
        runs.mark_crashed(silent_for=SILENCE, at=AT + timedelta(minutes=minutes))

    assert states(facts) == [("running", "crashed")]
    assert facts[0].actor is None


def test_a_heartbeat_keeps_a_run_alive(project: Project) -> None:
    run = make_run_in("running", project)
    runs.heartbeat(run, at=AT + timedelta(minutes=4))

    assert runs.mark_crashed(silent_for=SILENCE, at=AT + timedelta(minutes=8)) == []


def test_a_heartbeat_revives_a_crashed_run(project: Project, facts: list[Fact]) -> None:
    run = make_run_in("crashed", project)
    facts.clear()

    run = runs.heartbeat(run, at=AT + timedelta(hours=1))

    assert run.state == RunState.RUNNING
    assert states(facts) == [("crashed", "running")]
    assert run.finished_at is None


def test_a_late_heartbeat_does_not_turn_the_clock_back(project: Project) -> None:
    run = make_run_in("running", project)
    runs.heartbeat(run, at=AT + timedelta(minutes=4))
    run = runs.heartbeat(Run.objects.get(pk=run.pk), at=AT + timedelta(minutes=1))

    assert run.heartbeat_at == Run.objects.get(pk=run.pk).heartbeat_at == AT + timedelta(minutes=4)


# --- bad input ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["finished", "crashed", "killed"])
def test_a_run_begins_as_pending_or_running(project: Project, state: str) -> None:
    with pytest.raises(ValidationError, match="A run begins as pending or running"):
        factories.make_run(project, state=state)

    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"run_id": "a/b"}, "run_id"),
        ({"run_id": "x" * 129}, "run_id"),
        ({"display_name": "x" * 256}, "display_name"),
        ({"display_name": "a\x00b"}, "display_name"),
        ({"config": [1]}, "config"),
        ({"config": {"deep": "\ud800"}}, "config"),
        ({"tags": "nightly"}, "tags"),
        ({"tags": [1]}, "tags"),
        ({"color": "red"}, "color"),
    ],
)
def test_a_field_that_cannot_be_stored_is_named(project: Project, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        factories.make_run(project, **fields)

    assert list(refusal.value.message_dict) == [field]
    assert not Run.objects.exists()


def test_an_id_is_taken_once_per_project(project: Project) -> None:
    factories.make_run(project, run_id="r1")
    with pytest.raises(RunExists, match="There is a run “r1” in research/digits already"):
        factories.make_run(project, run_id="r1")

    assert factories.make_run(factories.make_project(project.team, "other"), run_id="r1").pk


def test_changes_are_merged_and_nan_becomes_text(project: Project) -> None:
    run = factories.make_run(project, config={"lr": 0.1, "seed": 1}, display_name="old")
    runs.update(run, changes={"config": {"lr": 0.2}, "summary": {"loss": float("nan")}, "display_name": "new"})

    run.refresh_from_db()
    assert run.config == {"lr": 0.2, "seed": 1}
    assert run.summary == {"loss": "NaN"}
    assert run.display_name == "new"


def test_a_refused_change_changes_nothing(project: Project) -> None:
    run = factories.make_run(project, display_name="old")
    with pytest.raises(ValidationError):
        runs.update(run, changes={"display_name": "new", "state": "killed"})

    run.refresh_from_db()
    assert (run.display_name, run.state) == ("old", "running")


@pytest.mark.django_db(transaction=True)
def test_two_processes_that_end_a_run_at_once_announce_it_once(facts: list[Fact]) -> None:
    run = factories.make_run()
    facts.clear()

    def end(_: int) -> None:
        try:
            runs.finish(Run.objects.get(pk=run.pk), exit_code=1, by=None, at=AT)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(end, range(4)))

    assert states(facts) == [("running", "failed")]


def test_ev3_one_run_that_cannot_be_given_up_does_not_keep_the_others_from_it(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, fine = (factories.make_run(project, at=AT, run_id=name) for name in ("stuck", "fine"))
    move = runs._move_locked

    def break_for_one(run: Run, **how: Any) -> Run:
        if run.pk == stuck.pk:
            raise RuntimeError("this run is cursed")
        return move(run, **how)

    monkeypatch.setattr(runs, "_move_locked", break_for_one)
    assert runs.mark_crashed(silent_for=SILENCE, at=AT + 2 * SILENCE) == [fine]
    stuck.refresh_from_db()
    assert stuck.state == RunState.RUNNING


# --- limits -----------------------------------------------------------------------------------------------------------

LARGE: list[tuple[dict[str, Any], str]] = [
    ({"note": "ü" * 500_000}, "1,000,011 bytes as JSON; at most 1 MB"),
    ({f"key {number}": 1 for number in range(10_001)}, "10,001 keys; at most 10,000"),
    ({"nested": [{"a": {f"key {number}": 1 for number in range(10_000)}}]}, "10,002 keys"),
]


@pytest.mark.parametrize("field", ["config", "summary"])
@pytest.mark.parametrize(("document", "words"), LARGE)
def test_config_and_summary_are_limited(
    project: Project, alice: User, field: str, document: dict[str, Any], words: str
) -> None:
    """They are copied into every event of the run, and read with every page of it."""
    with pytest.raises(ValidationError, match=words) as refusal:
        runs.create(project, by=alice, at=AT, **{field: document})
    assert list(refusal.value.message_dict) == [field]
    assert not Run.objects.exists()
    run = factories.make_run(project)
    with pytest.raises(ValidationError, match=words):
        runs.update(run, changes={field: document})


@pytest.mark.parametrize("field", ["config", "summary"])
def test_small_updates_do_not_add_up_to_a_large_document(project: Project, field: str) -> None:
    run = factories.make_run(project, **{field: {"first": "x" * 600_000}})
    with pytest.raises(ValidationError, match="at most 1 MB") as refusal:
        runs.update(run, changes={field: {"second": "x" * 600_000}, "notes": "more"})
    assert list(refusal.value.message_dict) == [field]
    run.refresh_from_db()
    assert (list(getattr(run, field)), run.notes) == (["first"], "")
