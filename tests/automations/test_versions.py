"""Every edit leaves a version, an execution names the one it ran under, and an old one can be restored."""

from __future__ import annotations

import importlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.http import Http404
from django.utils import timezone

from automations import differences, disclosure, editing, restoring, versions
from automations.access import version_for
from automations.ascode.declared import KEYS
from automations.editing import Draft, NameTaken
from automations.models import (
    ActionKind,
    Automation,
    AutomationSwitch,
    AutomationVersion,
    EventType,
    Execution,
    ScopeKind,
)
from automations.models.automation import FITTING_SCOPES, TARGETS
from automations.models.version import SWITCHES
from projects import metrics, runs
from projects.models import Project, Run, Team, User
from registries.models import Registry
from tests import factories

pytestmark = pytest.mark.django_db

FAILURE = Draft(
    name="Run failure", event_type=EventType.RUN_STATE, action_kind=ActionKind.NO_OP, condition={"states": ["FAILED"]}
)


def numbers(automation: Automation) -> list[int]:
    return list(automation.versions.order_by("number").values_list("number", flat=True))


def restore(automation: Automation, number: int, *, by: User) -> Automation:
    return restoring.restore(version_for(automation, number), by=by)


def test_every_field_of_a_draft_is_in_versions_differences_and_texts() -> None:
    kept = {*versions.FIELDS, *TARGETS.values(), *SWITCHES}
    assert kept == {field.name for field in fields(Draft)} == set(KEYS) == {*differences.ORDER} - {"scope"}


def test_an_edit_makes_the_next_version_with_who_and_the_whole_rule(project: Project, team: Team, alice: User) -> None:
    """IF1: pages, REST, SDK gateway and admin all save through these functions."""
    saved = editing.create(FAILURE, scope=project, by=alice)
    draft = replace(
        FAILURE,
        name="Renamed",
        action_kind=ActionKind.WEBHOOK,
        webhook=factories.make_webhook(team),
        payload='{"text": "${run_name}"}',
    )
    editing.update(saved, draft, by=alice)

    first, second = saved.versions.order_by("number")
    assert (first.number, first.created_by, second.number, saved.version) == (1, alice, 2, 2)
    assert first.rule["scope"] == {"kind": "project", "name": "research/digits", "id": project.pk}
    assert (first.rule["name"], first.rule["webhook"]) == ("Run failure", None)
    assert second.rule["webhook"] == "research/pager"
    assert {name: second.rule[name] for name in versions.FIELDS} == {
        name: getattr(draft, name) for name in versions.FIELDS
    }


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"name": " Run failure "},
        {"filter": {"user": "bob", "config.lr": 1.0}},
    ],
)
def test_an_edit_that_changes_nothing_makes_none(project: Project, alice: User, changes: dict[str, Any]) -> None:
    """The order of keys and the spelling of a number change nothing."""
    draft = replace(FAILURE, filter={"config.lr": 1, "user": "bob"})
    saved = editing.create(draft, scope=project, by=alice)

    editing.update(saved, replace(draft, **changes), by=alice)
    editing.change(saved, by=alice, description="")

    assert numbers(saved) == [1]


def test_true_is_not_one(project: Project, alice: User) -> None:
    saved = editing.create(replace(FAILURE, filter={"config.debug": 1}), scope=project, by=alice)
    editing.change(saved, by=alice, filter={"config.debug": True})
    assert numbers(saved) == [1, 2]


def test_switching_is_recorded_beside_the_versions(project: Project, alice: User) -> None:
    """EV13: it is no edit of the rule, whether it is done alone or with one."""
    saved = editing.create(FAILURE, scope=project, by=alice)
    editing.set_enabled(saved, False, by=alice)
    editing.set_enabled(saved, False, by=alice)
    editing.change(saved, by=alice, enabled=True)
    assert numbers(saved) == [1]
    editing.change(saved, by=alice, enabled=False, description="Too loud")

    switches = AutomationSwitch.objects.order_by("pk").values_list("version", "field", "value", "created_by__username")
    assert list(switches) == [
        (1, "enabled", False, "alice"),
        (1, "enabled", True, "alice"),
        (2, "enabled", False, "alice"),
    ]
    assert str(AutomationSwitch.objects.latest("pk")) == "Run failure: disabled"
    assert numbers(saved) == [1, 2]


def test_a_refused_edit_leaves_no_version(project: Project, alice: User) -> None:
    saved = editing.create(FAILURE, scope=project, by=alice)
    editing.create(replace(FAILURE, name="Taken"), scope=project, by=alice)
    with pytest.raises(NameTaken):
        editing.change(saved, by=alice, name="Taken")
    assert numbers(saved) == [1]


def test_moving_it_is_an_edit(project: Project, team: Team, alice: User) -> None:
    saved = editing.create(FAILURE, scope=project, by=alice)
    editing.change(saved, by=alice, scope=team)
    assert [version.rule["scope"]["name"] for version in saved.versions.order_by("number")] == [
        "research/digits",
        "research",
    ]


@pytest.mark.parametrize("kind", list(ScopeKind))
@pytest.mark.parametrize("action", list(ActionKind))
def test_what_was_there_before_versions_gets_its_first(
    project: Project, registry: Registry, kind: ScopeKind, action: ActionKind
) -> None:
    """The migration writes what `versions` would have."""
    migration = importlib.import_module("automations.migrations.0009_first_versions_of_automations")
    scopes = {
        ScopeKind.ORGANIZATION: registry.organization,
        ScopeKind.TEAM: project.team,
        ScopeKind.PROJECT: project,
        ScopeKind.REGISTRY: registry,
        ScopeKind.COLLECTION: factories.make_collection(registry),
    }
    targets: dict[ActionKind, dict[str, Any]] = {
        ActionKind.WEBHOOK: {"webhook": factories.make_webhook(project.team)},
        ActionKind.SLACK: {"slack_channel": factories.make_slack_channel(project.team)},
        ActionKind.NO_OP: {},
    }
    event = next(event for event, kinds in FITTING_SCOPES.items() if kind in kinds)
    automation = factories.make_automation(scopes[kind], event, **targets[action])
    AutomationVersion.objects.all().delete()
    Automation.objects.update(version=0)

    migration.write_first_versions(apps, None)
    migration.write_first_versions(apps, None)

    (version,) = AutomationVersion.objects.all()
    automation.refresh_from_db()
    assert (version.automation, version.number, automation.version) == (automation, 1, 1)
    assert version.rule == versions.document_of(automation)


def test_an_execution_names_the_version_it_ran_under(project: Project, alice: User) -> None:
    saved = editing.create(FAILURE, scope=project, by=alice)
    editing.change(saved, by=alice, name="Second")
    runs.finish(factories.make_run(project), exit_code=1, by=alice, at=timezone.now())
    editing.change(saved, by=alice, name="Third")

    execution = Execution.objects.get()
    assert (execution.rule["version"], execution.rule["name"]) == (2, "Second")


def test_restoring_makes_a_new_version_equal_to_the_old_one(project: Project, team: Team, alice: User) -> None:
    hook = factories.make_webhook(team)
    draft = replace(FAILURE, action_kind=ActionKind.WEBHOOK, webhook=hook, payload='{"a":\n 1}', filter={"user": "bob"})
    saved = editing.create(draft, scope=project, by=alice)
    editing.update(saved, replace(FAILURE, name="Another", enabled=False), by=alice, scope=team)

    restored = restore(saved, 1, by=alice)

    first, _, third = restored.versions.order_by("number")
    assert third.rule == first.rule
    assert (restored.project, restored.webhook, restored.enabled, restored.version) == (project, hook, False, 3)
    assert restore(saved, 1, by=alice).version == 3


def test_a_version_whose_webhook_is_gone_is_not_restored(project: Project, team: Team, alice: User) -> None:
    hook = factories.make_webhook(team)
    saved = editing.create(replace(FAILURE, action_kind=ActionKind.WEBHOOK, webhook=hook), scope=project, by=alice)
    editing.update(saved, FAILURE, by=alice)
    hook.delete()
    with pytest.raises(ValidationError, match="its webhook research/pager was deleted"):
        restore(saved, 1, by=alice)
    assert numbers(saved) == [1, 2]


def test_a_version_whose_project_is_gone_is_not_restored(project: Project, team: Team, alice: User) -> None:
    saved = editing.create(FAILURE, scope=project, by=alice)
    editing.change(saved, by=alice, scope=team)
    project.delete()
    with pytest.raises(ValidationError, match="covered something that is gone"):
        restore(saved, 1, by=alice)


def test_restoring_passes_the_checks_of_an_edit(project: Project, team: Team, alice: User, bob: User) -> None:
    """AZ1, AC3, SC2: permissions, the use of a webhook, and a name that somebody else took."""
    foreign = factories.make_webhook(factories.make_team("elsewhere", admin=alice), name="siren")
    saved = editing.create(replace(FAILURE, action_kind=ActionKind.WEBHOOK, webhook=foreign), scope=project, by=alice)
    editing.update(saved, replace(FAILURE, name="Second"), by=alice)
    with pytest.raises(PermissionDenied):
        restore(saved, 1, by=bob)
    with pytest.raises(Http404):
        restore(saved, 1, by=factories.make_user("charlie"))
    team.members_edit_automations = True
    team.save()
    with pytest.raises(ValidationError, match="You may not use this webhook"):
        restore(saved, 1, by=bob)
    editing.create(FAILURE, scope=project, by=alice)
    with pytest.raises(NameTaken):
        restore(saved, 1, by=alice)


def test_a_reader_is_told_no_name_of_a_hidden_team(
    project: Project, registry: Registry, alice: User, bob: User
) -> None:
    """AZ1"""
    hidden = factories.make_project(factories.make_team("hidden-team", admin=alice), "hidden-project")
    hook = factories.make_webhook(hidden.team, name="night-pager")
    saved = editing.create(FAILURE, scope=hidden, by=alice)
    editing.update(saved, replace(FAILURE, action_kind=ActionKind.WEBHOOK, webhook=hook), by=alice, scope=project)

    for_bob = disclosure.prepare_versions(saved.versions.all(), reader=bob)
    for_alice = disclosure.prepare_versions(saved.versions.all(), reader=alice)

    assert "night-pager" not in str(for_bob[0].rule)
    assert for_bob[0].rule["webhook_id"] is None
    assert for_bob[1].hidden
    assert for_alice[0].rule["webhook"] == "hidden-team/night-pager"
    assert for_alice[1].rule["scope"]["name"] == "hidden-team/hidden-project"


THRESHOLD = {"name": "loss", "agg_op": None, "window_size": 1, "cmp_op": "$gt"}
# Two rules each, which both react to what the runs do, and say of themselves which of them did.
ALTERNATIVES: dict[str, list[dict[str, Any]]] = {
    "RUN_STATE": [
        {"name": "failed", "condition": {"states": ["FAILED"]}, "filter": {"user": {"$ne": "failed"}}},
        {"name": "ended", "condition": {"states": ["FINISHED", "FAILED"]}, "filter": {"user": {"$ne": "ended"}}},
    ],
    "RUN_METRIC": [
        {"name": "above 1", "condition": THRESHOLD | {"threshold": 1}},
        {"name": "above 2", "condition": THRESHOLD | {"threshold": 2}},
    ],
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("event_type", ALTERNATIVES)
def test_each_event_sees_the_old_rule_or_the_new_one_while_it_is_edited(event_type: str) -> None:
    """RE1: events pour in from many threads while others edit. Every execution is one version to the letter, was
    matched by it, and versions have no gaps."""
    alice = factories.make_user()
    project = factories.make_project(factories.make_team(admin=alice))
    drafts = [
        replace(FAILURE, event_type=event_type, description=str(rule["name"]), **rule)
        for rule in ALTERNATIVES[event_type]
    ]
    automation = editing.create(drafts[0], scope=project, by=alice)
    started = [factories.make_run(project) for _ in range(24)]

    def work(task: Run | int) -> None:
        try:
            if isinstance(task, int):
                editing.update(Automation.objects.get(pk=automation.pk), drafts[task % 2], by=alice)
            elif event_type == "RUN_METRIC":
                metrics.append(task, metrics.parse(b'[{"loss": 5}]'), at=timezone.now())
            else:
                runs.finish(task, exit_code=1, by=alice, at=timezone.now())
        finally:
            connection.close()

    tasks: list[Run | int] = [one for pair in zip(started, range(1, 25), strict=True) for one in pair]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, tasks))

    rules = {version.number: version.rule for version in automation.versions.all()}
    executions = list(Execution.objects.all())
    assert len(executions) == len(started)
    for execution in executions:
        version = rules[execution.rule["version"]]
        assert all(execution.rule[name] == version[name] for name in ("name", "filter", "condition", "payload"))
        if event_type == "RUN_METRIC":
            assert f"{version['condition']['threshold']}" in execution.matched_because
    assert sorted(rules) == list(range(1, len(rules) + 1))
    assert len(rules) > 1
