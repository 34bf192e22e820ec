"""Finding the automations an event may start: those that listen are evaluated, those that match are read."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from automations import candidates, editing
from automations.models import Automation, EventType, Execution
from projects import runs
from projects.events import run_scopes
from projects.models import Project, User
from tests import factories

pytestmark = pytest.mark.django_db


def met_by_failure(project: Project, name: str) -> tuple[list[str], int]:
    """Names of the automations that the failure of a run of this name starts, and what finding them cost, without the
    query that holds them where rows can be held."""
    run = factories.make_run(project, display_name=name)
    event = factories.make_event(run, details={"state": "failed"})
    with CaptureQueriesContext(connection) as captured:
        found = candidates.met_by(event, run_scopes(run))
    return [automation.name for automation in found], sum("FOR NO KEY UPDATE" not in one["sql"] for one in captured)


def watch(project: Project, count: int) -> None:
    for number in range(count):
        factories.make_automation(project, name=f"{number:02}", filter={"display_name": {"$regex": f"^prod-{number}$"}})


def test_automations_that_are_known_and_not_met_are_not_read(project: Project) -> None:
    watch(project, 30)
    assert met_by_failure(project, "prod-7") == (["07"], 2)  # which learns all of them
    assert met_by_failure(project, "prod-7") == (["07"], 2)
    assert met_by_failure(project, "dev") == ([], 1)


def test_a_change_is_seen_by_the_next_event(project: Project, alice: User) -> None:
    watch(project, 2)
    met_by_failure(project, "prod-0")
    automation = Automation.objects.get(name="01")
    editing.change(automation, filter={"display_name": "dev"}, by=alice)
    assert met_by_failure(project, "dev")[0] == ["01"]
    assert met_by_failure(project, "prod-1")[0] == []


def test_sc3_an_automation_made_later_is_learnt_on_the_way(project: Project) -> None:
    watch(project, 2)
    met_by_failure(project, "prod-0")
    factories.make_automation(project.team, name="team-wide")
    assert met_by_failure(project, "prod-0") == (["00", "team-wide"], 2)


def test_what_cannot_be_evaluated_any_more_is_met_by_nothing(project: Project) -> None:
    watch(project, 1)
    Automation.objects.update(filter={"no_such_field": 1})
    assert met_by_failure(project, "prod-0")[0] == []
    assert met_by_failure(project, "prod-0") == ([], 1)


def test_more_automations_than_a_process_keeps_in_mind_are_found_all_the_same(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "MOST_RULES", 3)
    watch(project, 8)
    for number in (0, 7, 3, 0):
        assert met_by_failure(project, f"prod-{number}")[0] == [f"{number:02}"]


@pytest.mark.django_db(transaction=True)
def test_ev13_an_automation_edited_while_events_pour_in_is_the_old_or_the_new_one_and_never_a_mixture() -> None:
    """Name and filter change together: no execution may have the name of one and the filter of the other."""
    project = factories.make_project()
    automation = factories.make_automation(
        project, EventType.RUN_STATE, name="prod", filter={"display_name": {"$regex": "^prod"}}
    )
    editor = factories.make_user("operator", superuser=True)
    people = [factories.make_user(name) for name in ("alice", "bob")]

    def edit() -> None:
        for name in ("dev", "prod") * 10:
            editing.change(automation, name=name, filter={"display_name": {"$regex": f"^{name}"}}, by=editor)

    def fail_runs(kind: str, user: User) -> None:
        for _ in range(10):
            run = factories.make_run(project, user=user, display_name=f"{kind}-run")
            runs.finish(run, exit_code=1, by=user, at=timezone.now())

    def closing(work: Callable[..., None], *given: object) -> None:
        try:
            work(*given)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        works = [pool.submit(closing, edit)]
        works += [pool.submit(closing, fail_runs, *one) for one in zip(("prod", "dev"), people, strict=True)]
        for work in works:
            work.result()
    # However it went meanwhile, what is "prod" in the end fires for these.
    fail_runs("prod", people[0])

    executions = list(Execution.objects.select_related("event"))
    assert executions
    for execution in executions:
        name = execution.rule["name"]
        assert execution.rule["filter"] == {"display_name": {"$regex": f"^{name}"}}
        assert execution.event.facts["display_name"] == f"{name}-run"
        assert execution.matched_because == f"the run failed with exit code 1; run name matches ^{name}"
