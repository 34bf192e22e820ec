"""From changes to executions: state, versions, links and aliases (EV1–EV4, EV11, RE1)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from automations import editing, matching
from automations.models import Automation, Cooldown, Event, EventType, Execution, Status
from automations.triggers import Match
from projects import runs
from projects.models import Run
from registries import labels, linking
from tests import factories

pytestmark = pytest.mark.django_db


def finish(run: Run, exit_code: int) -> Run:
    return runs.finish(run, exit_code=exit_code, by=run.user, at=timezone.now())


def fired() -> list[str]:
    return [execution.rule["name"] for execution in Execution.objects.order_by("pk")]


def test_a_failed_run_starts_an_execution_that_is_due_at_once() -> None:
    factories.make_automation()
    finish(factories.make_run(), exit_code=1)
    execution = Execution.objects.get()
    assert execution.status == Status.PENDING
    assert execution.matched_because == "the run failed with exit code 1"
    assert execution.rule["summary"] == "When a run fails, do nothing but record it"
    assert list(Execution.objects.due(timezone.now())) == [execution]
    assert execution.automation is not None
    assert execution.automation.last_triggered_at == execution.created_at


@pytest.mark.parametrize(
    ("states", "exit_code", "fires"),
    [
        (["FAILED"], 1, True),
        (["FAILED"], 0, False),
        (["FINISHED"], 0, True),
        (["FINISHED", "FAILED"], 3, True),
        (["RUNNING"], 0, False),
    ],
)
def test_ev1_run_state_fires_on_the_states_asked_for(states: list[str], exit_code: int, fires: bool) -> None:
    run = factories.make_run()
    factories.make_automation(condition={"states": states})
    finish(run, exit_code=exit_code)
    assert Execution.objects.exists() is fires


def test_ev3_a_crash_counts_as_a_failure_and_is_shown_as_a_crash() -> None:
    run = factories.make_run(at=timezone.now() - timedelta(minutes=10))
    factories.make_automation()
    assert runs.mark_crashed(silent_for=timedelta(minutes=5), at=timezone.now()) == [run]
    assert Execution.objects.get().event.details["state"] == "crashed"


def test_ev3_killed_and_pending_never_fire() -> None:
    factories.make_automation(condition={"states": ["RUNNING", "FINISHED", "FAILED"]})
    pending = factories.make_run(state="pending")
    runs.kill(pending, by=pending.user, at=timezone.now())
    assert Event.objects.count() == 2
    assert not Execution.objects.exists()


def test_ev3_running_fires_when_a_run_is_created() -> None:
    factories.make_automation(condition={"states": ["RUNNING"]})
    factories.make_run()
    assert Execution.objects.count() == 1


def test_ev11_a_resumed_run_that_fails_again_is_held_back() -> None:
    run = factories.make_run()
    factories.make_automation()
    for _ in range(3):
        run = finish(run, exit_code=1)
        run = runs.start(run, by=run.user, at=timezone.now())
    assert Execution.objects.count() == 1
    assert Cooldown.objects.get().surplus == 2


def test_ev11_a_crash_and_a_failure_of_one_run_fire_once() -> None:
    run = factories.make_run(at=timezone.now() - timedelta(minutes=10))
    factories.make_automation()
    runs.mark_crashed(silent_for=timedelta(minutes=5), at=timezone.now())
    run.refresh_from_db()
    finish(run, exit_code=1)
    assert Execution.objects.count() == 1


@pytest.mark.parametrize(
    ("filter", "fires"),
    [
        ({"display_name": {"$regex": "^prod-"}}, True),
        ({"display_name": {"$regex": "^dev-"}}, False),
        ({"user": "alice"}, True),
        ({"user": "bob"}, False),
        ({"$and": [{"user": "alice"}, {"config.lr": {"$gt": 0.1}}]}, True),
    ],
)
def test_ev4_run_filters_by_user_name_and_config(filter: dict[str, Any], fires: bool) -> None:
    run = factories.make_run(display_name="prod-7", config={"lr": 0.5})
    factories.make_automation(filter=filter)
    finish(run, exit_code=1)
    assert Execution.objects.exists() is fires


def test_sc3_one_event_fires_at_every_scope_that_covers_it() -> None:
    project = factories.make_project()
    elsewhere = factories.make_project(project.team, "elsewhere")
    factories.make_automation(project, name="project")
    factories.make_automation(project.team, name="team")
    factories.make_automation(project.team.organization, name="organization")
    factories.make_automation(elsewhere, name="other project")
    finish(factories.make_run(project), exit_code=1)
    assert sorted(fired()) == ["organization", "project", "team"]


def test_a_rule_that_does_not_match_hides_no_later_one() -> None:
    factories.make_automation(name="no", filter={"user": "charlie"})
    factories.make_automation(name="yes")
    finish(factories.make_run(), exit_code=1)
    assert fired() == ["yes"]


def test_ev13_a_disabled_automation_is_not_started() -> None:
    factories.make_automation(enabled=False)
    finish(factories.make_run(), exit_code=1)
    assert not Execution.objects.exists()


def test_ev13_an_automation_disabled_or_deleted_while_it_is_matched_is_not_started() -> None:
    run = factories.make_run()
    gone, off, fine = (factories.make_automation(name=name) for name in ("gone", "off", "fine"))
    event = factories.make_event(run)
    hits = [matching.Hit(automation, Match(True, "it matched", key="FAILED")) for automation in (gone, off, fine)]
    Automation.objects.filter(pk=gone.pk).delete()
    Automation.objects.filter(pk=off.pk).update(enabled=False)
    started = matching.start(hits, event, at=timezone.now())
    assert [execution.automation for execution in started] == [fine]


@pytest.mark.django_db(transaction=True)
def test_deleting_automations_while_events_pour_in_breaks_neither() -> None:
    alice = factories.make_user()
    factories.make_team(admin=alice)
    automations = [factories.make_automation(name=str(number)) for number in range(8)]
    started = [factories.make_run() for _ in range(16)]

    def work(task: Automation | Run) -> None:
        try:
            if isinstance(task, Automation):
                editing.delete(task, by=alice)
            else:
                finish(task, exit_code=1)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(
            pool.map(work, [one for pair in zip(started[::2], automations, started[1::2], strict=True) for one in pair])
        )
    assert not Automation.objects.exists()
    assert {run.state for run in Run.objects.all()} == {"failed"}


def test_a_rule_that_became_invalid_stops_neither_the_change_nor_other_rules() -> None:
    broken = factories.make_automation(name="broken")
    Automation.objects.filter(pk=broken.pk).update(filter={"no_such_field": 1})
    factories.make_automation(name="fine")
    run = finish(factories.make_run(), exit_code=1)
    assert run.state == "failed"
    assert fired() == ["fine"]


def test_re1_when_the_change_is_rolled_back_nothing_is_left() -> None:
    run = factories.make_run()
    factories.make_automation()

    def fail_halfway() -> None:
        with transaction.atomic():
            finish(run, exit_code=1)
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        fail_halfway()
    assert not Execution.objects.exists()
    assert not Cooldown.objects.exists()


def test_matching_costs_the_same_for_one_automation_and_for_thirty() -> None:
    def queries(count: int) -> int:
        for number in range(count):
            factories.make_automation(name=f"{count}-{number}", filter={"display_name": {"$regex": "x"}})
        run = factories.make_run(display_name="abc")
        with CaptureQueriesContext(connection) as captured:
            finish(run, exit_code=1)
        return len(captured)

    assert queries(1) == queries(30)


# --- artifacts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filter", "fires"),
    [
        ({}, True),
        ({"collection": {"$regex": "^class"}}, True),
        ({"collection": {"$regex": "^other"}}, False),
        ({"type": "model"}, True),
        ({"type": "dataset"}, False),
        ({"alias": {"$regex": "^best$"}}, True),
        ({"alias": "worst"}, False),
        ({"metadata.accuracy": {"$gte": 0.9}}, True),
    ],
)
def test_ev1_a_new_version_fires_by_collection_type_and_the_aliases_it_was_born_with(
    filter: dict[str, Any], fires: bool
) -> None:
    factories.make_automation(event_type=EventType.CREATE_ARTIFACT, filter=filter)
    factories.make_version(collection="classifier", aliases=["best"], metadata={"accuracy": 0.93})
    assert Execution.objects.exists() is fires


def test_artifact_events_are_not_limited_to_once_a_run() -> None:
    run = factories.make_run()
    factories.make_automation(event_type=EventType.CREATE_ARTIFACT)
    factories.make_version(run.project, run=run)
    factories.make_version(run.project, run=run)
    assert Execution.objects.count() == 2


def test_ev1_an_alias_that_matches_fires_and_another_does_not() -> None:
    factories.make_automation(event_type=EventType.ADD_ARTIFACT_ALIAS, filter={"alias": {"$regex": "^production$"}})
    version = factories.make_version()
    labels.add_alias(version, "staging", by=None, at=timezone.now())
    assert not Execution.objects.exists()
    labels.add_alias(version, "production", by=None, at=timezone.now())
    assert Execution.objects.get().matched_because == (
        "alias production was added to model:v0; alias matches ^production$"
    )


def test_ev2_moving_an_alias_is_an_event_and_adding_it_again_is_none() -> None:
    factories.make_automation(event_type=EventType.ADD_ARTIFACT_ALIAS)
    first, second = factories.make_version(), factories.make_version()
    for version in (first, first, second, second, first):
        labels.add_alias(version, "production", by=None, at=timezone.now())
    assert [execution.event.details["version"] for execution in Execution.objects.order_by("pk")] == [
        "v0",
        "v1",
        "v0",
    ]


def test_ev1_linking_fires_in_registry_collection_project_team_and_organization() -> None:
    version = factories.make_version()
    project = version.collection.project
    assert project is not None
    registry = factories.make_registry()
    collection = factories.make_collection(registry)
    other = factories.make_collection(registry, "other")
    assert project.team.organization is not None
    for name, scope in {
        "registry": registry,
        "collection": collection,
        "project": project,
        "team": project.team,
        "organization": project.team.organization,
        "other collection": other,
    }.items():
        factories.make_automation(scope, EventType.LINK_ARTIFACT, name=name)
    factories.make_link(version, collection)
    assert sorted(fired()) == ["collection", "organization", "project", "registry", "team"]


def test_linking_again_is_no_event() -> None:
    collection = factories.make_collection()
    factories.make_automation(collection, EventType.LINK_ARTIFACT)
    version = factories.make_version()
    factories.make_link(version, collection)
    factories.make_link(version, collection)
    assert Execution.objects.count() == 1


def test_an_alias_in_a_registry_fires_there_and_not_in_the_project() -> None:
    version = factories.make_version()
    collection = factories.make_collection()
    factories.make_automation(version.collection.project, EventType.ADD_ARTIFACT_ALIAS, name="project")
    factories.make_automation(collection.registry, EventType.ADD_ARTIFACT_ALIAS, name="registry")
    linking.link(version, to=collection, by=factories.make_user(), at=timezone.now(), aliases=["production"])
    assert fired() == ["registry"]
