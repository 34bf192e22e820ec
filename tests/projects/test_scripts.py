"""How runs begin, end and begin again when scripts speak of them, rather than people."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from projects import runs
from projects.events import Fact
from projects.models import Project, Run, RunState, User
from projects.models.run import PREEMPTED_FOR
from projects.naming import invented_name
from tests import factories

NOW = timezone.now()
WAIT = timedelta(minutes=5)


def ensure(project: Project, by: User, *, starting: bool = True, **fields: object) -> Run:
    return runs.ensure(project, run_id="first", by=by, at=timezone.now(), starting=starting, **fields)[0]


def test_a_run_is_made_once_and_then_changed(project: Project, bob: User) -> None:
    first, made = runs.ensure(project, run_id="first", by=bob, at=NOW, starting=True, config={"lr": 1}, tags=None)
    again, made_again = runs.ensure(project, run_id="first", by=bob, at=NOW, starting=False, config={"late": 2})
    assert (made, made_again, first.pk) == (True, False, again.pk)
    assert again.config == {"lr": 1, "late": 2}
    assert again.display_name == first.display_name != "first"
    assert ensure(project, bob, display_name="mine").display_name == "mine"
    assert runs.ensure(project, run_id=None, by=bob, at=NOW, starting=True)[1]


def test_names_are_made_of_words_and_the_number_of_the_run() -> None:
    names = {invented_name(7) for _ in range(50)}
    assert len(names) > 10
    assert all(name.count("-") == 2 and name.endswith("-7") and name.islower() for name in names)


@pytest.mark.django_db(transaction=True)
def test_a_run_that_is_begun_many_times_at_once_is_one() -> None:
    project, user = factories.make_project(), factories.make_user()

    def begin(_: int) -> int:
        try:
            return ensure(project, user, config={"lr": 1}).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(begin, range(8)))) == 1


@pytest.mark.parametrize("run_id", ["a/b", "..", "x" * 200, "a\x00b"])
def test_ids_that_are_no_path_are_refused(project: Project, bob: User, run_id: str) -> None:
    with pytest.raises(ValidationError):
        runs.ensure(project, run_id=run_id, by=bob, at=NOW, starting=True)


@pytest.mark.parametrize("state", [RunState.FINISHED, RunState.FAILED, RunState.KILLED, RunState.CRASHED])
def test_only_a_script_that_begins_takes_a_run_back_to_running(project: Project, bob: User, state: RunState) -> None:
    ensure(project, bob)
    Run.objects.update(state=state, stop_requested_at=NOW, preempting=True)

    assert ensure(project, bob, starting=False, notes="later").state == state
    again = ensure(project, bob)
    assert (again.state, again.stop_requested_at, again.preempting) == (RunState.RUNNING, None, False)


def test_a_script_may_prepare_a_run_that_waits(project: Project, bob: User) -> None:
    run = ensure(project, bob, state="pending", starting=False)
    assert (run.state, run.started_at) == (RunState.PENDING, None)
    assert ensure(project, bob, state="pending").state == RunState.PENDING
    assert ensure(project, bob).state == RunState.RUNNING


def test_a_stopped_script_that_does_not_end_well_was_killed(project: Project, bob: User, facts: list[Fact]) -> None:
    run = runs.request_stop(ensure(project, bob), by=bob, at=NOW)
    assert (run.state, run.is_to_stop) == (RunState.RUNNING, True)
    assert runs.request_stop(run, by=bob, at=NOW + WAIT).stop_requested_at == NOW
    for _ in range(2):
        run = runs.finish(run, exit_code=255, by=bob, at=NOW)
    assert (run.state, run.exit_code) == (RunState.KILLED, 255)
    assert [fact.details["state"] for fact in facts] == ["running", "killed"]


def test_a_stopped_script_that_ends_well_has_finished(project: Project, bob: User) -> None:
    run = runs.request_stop(ensure(project, bob), by=bob, at=NOW)
    assert runs.finish(run, exit_code=0, by=bob, at=NOW).state == RunState.FINISHED


def test_a_run_that_waits_is_stopped_at_once(project: Project, bob: User) -> None:
    run = ensure(project, bob, state="pending", starting=False)
    assert runs.request_stop(run, by=bob, at=NOW).state == RunState.KILLED


@pytest.mark.parametrize("state", [RunState.RUNNING, RunState.FAILED, RunState.CRASHED])
def test_a_run_is_queued_again(project: Project, bob: User, state: RunState) -> None:
    run = ensure(project, bob)
    Run.objects.update(state=state)
    assert runs.wait_again(run, by=bob, at=NOW).state == RunState.PENDING


@pytest.mark.parametrize("state", [RunState.FINISHED, RunState.KILLED])
def test_a_run_that_ended_for_good_is_not_queued_again(project: Project, bob: User, state: RunState) -> None:
    run = ensure(project, bob)
    Run.objects.update(state=state)
    with pytest.raises(runs.InvalidTransition):
        runs.wait_again(run, by=bob, at=NOW)


def test_a_preempted_run_may_be_silent_for_a_day_longer(project: Project, bob: User) -> None:
    run = ensure(project, bob)
    Run.objects.update(preempting=True)
    silent = run.heartbeat_at + WAIT + timedelta(seconds=1)
    assert runs.mark_crashed(silent_for=WAIT, at=silent) == []
    assert runs.mark_crashed(silent_for=WAIT, at=silent + PREEMPTED_FOR) == [run]


@pytest.mark.parametrize("changes", [{"client_config": 1}, {"config": []}, {"host": "x" * 300}, {"state": "finished"}])
def test_what_cannot_be_kept_is_refused_by_field(project: Project, bob: User, changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refused:
        ensure(project, bob, **changes)
    assert set(refused.value.message_dict) == set(changes)
