"""What lists show, in a constant number of queries (UI1, HI1, HI5)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from automations import history
from automations.models import EventType, Execution, Status
from projects.models import Project, User
from registries.models import Registry
from tests import factories

pytestmark = pytest.mark.django_db


def test_ui1_each_automation_comes_with_its_last_execution_and_its_week(project: Project) -> None:
    now = timezone.now()
    automation = factories.make_automation(project)
    factories.make_execution(automation, created_at=now - timedelta(days=8))
    factories.make_execution(automation, factories.make_event(), created_at=now - timedelta(days=1))
    last = factories.make_execution(automation, factories.make_event(), created_at=now, status=Status.FAILED)
    (listed,) = history.with_figures(history.automations_in(project), now=now)
    shown = {name: getattr(listed, name) for name in ("last_key", "last_status", "executions_7d")}
    assert shown == {"last_key": last.key, "last_status": "failed", "executions_7d": 2}


def test_a_project_lists_its_own_automations_and_those_of_its_collections(project: Project, registry: Registry) -> None:
    collection = factories.make_version(project).collection
    factories.make_automation(project, name="project")
    factories.make_automation(collection, EventType.ADD_ARTIFACT_ALIAS, name="collection")
    factories.make_automation(registry, EventType.ADD_ARTIFACT_ALIAS, name="registry")
    factories.make_automation(
        factories.make_collection(registry), EventType.ADD_ARTIFACT_ALIAS, name="registry collection"
    )
    names = {automation.name for automation in history.automations_in(project)}
    assert names == {"project", "collection"}
    names = {automation.name for automation in history.automations_in(registry)}
    assert names == {"registry", "registry collection"}
    assert [a.name for a in history.automations_in(collection)] == ["collection"]


def test_ui1_sorting_and_searching(project: Project, alice: User) -> None:
    now = timezone.now()
    for name, hours in (("beta", 1), ("Alpha", 2), ("never", None)):
        fired = now - timedelta(hours=hours) if hours else None
        factories.make_automation(project, name=name, last_triggered_at=fired)
    listed = history.automations_in(project)

    def order(sort: str) -> list[str]:
        return [automation.name for automation in history.sorted_by(listed, sort, reader=alice)]

    assert order("last_triggered") == ["beta", "Alpha", "never"]
    assert order("name") == ["Alpha", "beta", "never"]
    assert order("created") == ["never", "Alpha", "beta"]
    assert order("nonsense") == ["beta", "Alpha", "never"]
    assert [a.name for a in history.searched(listed, "ALPH")] == ["Alpha"]


def test_figures_keep_the_order_of_the_page(project: Project) -> None:
    first, second, third = (factories.make_automation(project, name=name) for name in "abc")
    assert history.with_figures([third, first, second], now=timezone.now()) == [third, first, second]


def test_listing_costs_the_same_for_one_and_for_twenty(alice: User, project: Project) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            for automation in history.with_figures(history.automations_in(project), now=timezone.now()):
                assert automation.scope.pk
            for execution in history.executions_in(project, reader=alice):
                assert execution.event.kind
        return len(captured)

    factories.make_execution(factories.make_automation(project, name="one"))
    few = queries()
    for number in range(20):
        factories.make_execution(factories.make_automation(project, name=str(number)), factories.make_event())
    assert queries() == few


def test_hi5_history_is_filtered_by_status_event_automation_and_time(alice: User, project: Project) -> None:
    now = timezone.now()
    failed = factories.make_execution(factories.make_automation(project), status=Status.FAILED)
    other = factories.make_execution(
        factories.make_automation(project, EventType.RUN_METRIC, name="metric"),
        factories.make_event(),
        created_at=now - timedelta(days=2),
    )
    everything = history.executions_in(project, reader=alice)
    assert list(everything) == [other, failed]
    assert list(history.filtered(everything, status="failed")) == [failed]
    assert list(history.filtered(everything, event_type=EventType.RUN_METRIC)) == [other]
    assert list(history.filtered(everything, automation=other.automation_id)) == [other]
    assert list(history.filtered(everything, since=now - timedelta(days=1))) == [failed]
    assert list(history.filtered(everything, until=now - timedelta(days=1))) == [other]


def test_the_surplus_of_the_last_day_is_summed(project: Project) -> None:
    now = timezone.now()
    automation = factories.make_automation(project)
    for hours, surplus in ((1, 3), (2, 4), (30, 100)):
        automation.cooldowns.create(
            run=factories.make_run(project), fired_at=now - timedelta(hours=hours), surplus=surplus
        )
    assert history.surplus_of(automation, now=now) == 7


def test_an_action_is_found_without_reading_the_rule(project: Project) -> None:
    """HI5: what a history is filtered by is beside the rule, of a match as of a redelivery."""
    factories.make_execution(factories.make_automation(project, name="recorded"))
    webhook = factories.make_webhook(project.team)
    called = factories.make_execution(factories.make_automation(project, name="called", webhook=webhook))
    found = history.filtered(Execution.objects.all(), action_kind="GENERIC_WEBHOOK")
    assert list(found) == [called]
    assert "rule" not in str(found.values("pk").query)


def test_the_index_of_a_history_holds_all_it_is_filtered_by() -> None:
    """Of a history of a million, what does not match is passed over without being read."""
    indexes = {index.name: index.fields for index in Execution._meta.indexes}
    for name in ("execution_in_project", "execution_in_registry"):
        assert set(indexes[name]) >= {"-id", "created_at", "status", "event_type", "action_kind", "shadow"}
