"""Saving automations: what is refused, by which field, and who may (SC2, SC4, EV10, AC3, AZ3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils import timezone

from automations import editing
from automations.access import Scope
from automations.editing import Draft, NameTaken
from automations.models import ActionKind, Automation, EventType
from projects.models import Project, Team, User
from registries.models import Registry
from tests import factories
from tests.rivals import raised_by_loser

pytestmark = pytest.mark.django_db

FAILURE = Draft(
    name="Run failure", event_type=EventType.RUN_STATE, action_kind=ActionKind.NO_OP, condition={"states": ["FAILED"]}
)


def problems(draft: Draft, *, scope: Scope, by: User) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as error:
        editing.create(draft, scope=scope, by=by)
    assert not Automation.objects.exists()
    found: dict[str, list[str]] = error.value.message_dict
    return found


def test_what_is_saved_comes_back_as_the_same_draft(project: Project, alice: User, team: Team) -> None:
    draft = replace(
        FAILURE,
        description="日本語",
        filter={"$or": [{"$and": [{"display_name": {"$regex": "^prod-"}}]}]},
        action_kind=ActionKind.WEBHOOK,
        webhook=factories.make_webhook(team),
        payload='{"text": "${run_name}"}',
        enabled=False,
    )
    saved = editing.create(draft, scope=project, by=alice)
    assert editing.draft_of(Automation.objects.select_related("webhook").get(pk=saved.pk)) == draft
    assert saved.created_by == alice


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"name": "  "}, "name", "Give the automation a name"),
        ({"name": "x" * 256}, "name", "at most 255"),
        ({"name": "a\x00b"}, "name", "NUL"),
        ({"name": "two\nlines"}, "name", "no line breaks"),
        ({"name": "\u202eevil"}, "name", "turn text around"),
        ({"event_type": "RUN_DANCE"}, "event_type", "not an event"),
        ({"condition": {"states": []}}, "condition.states", "at least one"),
        ({"condition": {"states": ["KILLED"]}}, "condition.states", "KILLED"),
        ({"condition": {"status": ["FAILED"]}}, "condition", "status"),
        ({"condition": []}, "condition", "object"),
        ({"filter": {"nmae": "x"}}, "filter", "nmae"),
        ({"filter": {"display_name": {"$regex": "a(?=b)"}}}, "filter", "display_name"),
        ({"filter": {"config.lr": {"$gt": float("nan")}}}, "filter", "config.lr"),
        ({"action_kind": "DANCE"}, "action_kind", "not an action"),
        ({"action_kind": ActionKind.WEBHOOK}, "webhook", "Choose the webhook"),
        ({"action_kind": ActionKind.NO_OP, "payload": "{}"}, "action_kind", "“Do nothing” has no payload"),
        ({"action_kind": ActionKind.WEBHOOK, "severity": "INFO"}, "action_kind", "has no severity"),
        ({"action_kind": ActionKind.SLACK}, "slack_channel", "Choose the Slack channel"),
        ({"action_kind": ActionKind.SLACK, "severity": "LOUD"}, "severity", "INFO, WARN, ERROR"),
        ({"action_kind": ActionKind.SLACK, "title": "x" * 1_001}, "title", "at most 1,000"),
        ({"action_kind": ActionKind.SLACK, "message": "a\x00b"}, "message", "NUL"),
        ({"action_kind": ActionKind.WEBHOOK, "payload": "{oops"}, "payload", "line 1"),
    ],
)
def test_bad_input_is_refused_with_its_field(
    project: Project, alice: User, changes: dict[str, Any], field: str, words: str
) -> None:
    found = problems(replace(FAILURE, **changes), scope=project, by=alice)
    assert words in " ".join(found[field])


def test_everything_that_is_wrong_is_said_at_once(project: Project, alice: User) -> None:
    draft = Draft(name="", event_type="NONE", action_kind="NONE")
    assert set(problems(draft, scope=project, by=alice)) == {"name", "event_type", "action_kind"}


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        ({"name": "loss", "agg_op": None, "window_size": 0, "cmp_op": "$gt", "threshold": 1}, "condition.window_size"),
        (
            {"name": "loss", "agg_op": "AVERAGE", "window_size": 10**9, "cmp_op": "$gt", "threshold": 1},
            "condition.window_size",
        ),
        ({"name": "", "agg_op": None, "window_size": 1, "cmp_op": "$gt", "threshold": 1}, "condition.name"),
        (
            {"name": "loss", "agg_op": None, "window_size": 1, "cmp_op": "$gt", "threshold": float("nan")},
            "condition.threshold",
        ),
        ({"name": "loss"}, "condition.agg_op"),
    ],
)
def test_ev6_a_threshold_that_makes_no_sense_is_refused(
    project: Project, alice: User, condition: dict[str, Any], field: str
) -> None:
    draft = replace(FAILURE, event_type=EventType.RUN_METRIC, condition=condition)
    assert field in problems(draft, scope=project, by=alice)


def test_sc2_names_are_unique_within_a_scope_only(project: Project, team: Team, alice: User) -> None:
    editing.create(FAILURE, scope=project, by=alice)
    with pytest.raises(NameTaken, match="Run failure"):
        editing.create(FAILURE, scope=project, by=alice)
    editing.create(FAILURE, scope=factories.make_project(team, "elsewhere"), by=alice)
    editing.create(FAILURE, scope=team, by=alice)


def test_sc2_the_database_refuses_a_name_twice(project: Project) -> None:
    factories.make_automation(project, name="same")
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.make_automation(project, name="same")


def test_sc4_an_event_that_does_not_fit_its_scope_is_refused_by_form_and_database(
    registry: Registry, alice: User
) -> None:
    assert "event_type" in problems(FAILURE, scope=registry, by=alice)
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.make_automation(registry, EventType.RUN_STATE)


def test_the_database_refuses_an_automation_of_two_scopes(project: Project, registry: Registry) -> None:
    automation = factories.make_automation(project, EventType.ADD_ARTIFACT_ALIAS)
    with pytest.raises(IntegrityError), transaction.atomic():
        Automation.objects.filter(pk=automation.pk).update(registry=registry)


def test_members_edit_automations_only_where_the_team_lets_them(
    project: Project, team: Team, bob: User, charlie: User
) -> None:
    with pytest.raises(PermissionDenied, match="your role there is member"):
        editing.create(FAILURE, scope=project, by=bob)
    team.members_edit_automations = True
    team.save()
    project.refresh_from_db()
    assert editing.create(FAILURE, scope=project, by=bob).created_by == bob
    with pytest.raises(Http404):
        editing.create(FAILURE, scope=project, by=charlie)


def test_members_edit_automations_of_registries(registry: Registry, bob: User) -> None:
    draft = Draft(name="Linked", event_type=EventType.LINK_ARTIFACT, action_kind=ActionKind.NO_OP)
    assert editing.create(draft, scope=registry, by=bob).registry == registry


def test_ac3_a_webhook_of_another_team_needs_an_admin_of_that_team(project: Project, alice: User, bob: User) -> None:
    other = factories.make_team("other-team", admin=bob)
    hook = factories.make_webhook(other, name="theirs")
    draft = replace(FAILURE, action_kind=ActionKind.WEBHOOK, webhook=hook)
    assert "You may not use this webhook" in problems(draft, scope=project, by=alice)["webhook"][0]
    factories.make_team("other-team", member=alice)
    assert "You may not use webhook theirs" in problems(draft, scope=project, by=alice)["webhook"][0]
    factories.make_team("other-team", admin=alice)
    assert editing.create(draft, scope=project, by=alice).webhook == hook


def test_az3_an_automation_keeps_its_webhook_when_somebody_else_edits_it(
    project: Project, team: Team, alice: User, bob: User
) -> None:
    factories.make_team("other-team", admin=alice)
    hook = factories.make_webhook(factories.make_team("other-team"), name="theirs")
    saved = editing.create(replace(FAILURE, action_kind=ActionKind.WEBHOOK, webhook=hook), scope=project, by=alice)
    factories.make_team(team.name, admin=bob)
    changed = editing.update(saved, replace(editing.draft_of(saved), name="Renamed"), by=bob)
    assert changed.webhook == hook


def test_a_duplicate_is_disabled_and_has_a_name_of_its_own(project: Project, alice: User) -> None:
    saved = editing.create(FAILURE, scope=project, by=alice)
    names = [editing.duplicate(saved, by=alice).name for _ in range(3)]
    assert names == ["Run failure copy", "Run failure copy 2", "Run failure copy 3"]
    assert not Automation.objects.get(name="Run failure copy").enabled


def test_a_long_name_can_be_duplicated(project: Project, alice: User) -> None:
    saved = editing.create(replace(FAILURE, name="x" * 255), scope=project, by=alice)
    assert len(editing.duplicate(saved, by=alice).name) == 255


def test_deleting_leaves_the_history(project: Project, alice: User) -> None:
    automation = factories.make_automation(project)
    execution = factories.make_execution(automation)
    editing.delete(automation, by=alice)
    execution.refresh_from_db()
    assert execution.automation_id is None
    assert execution.rule["name"] == "Tell the pager"


def test_every_change_of_a_metric_rule_raises_the_stamp_of_its_projects(
    project: Project, team: Team, alice: User
) -> None:
    def stamp() -> int:
        project.refresh_from_db()
        return project.rules_version

    condition = {"name": "loss", "agg_op": None, "window_size": 1, "cmp_op": "$nonfinite", "threshold": None}
    draft = replace(FAILURE, event_type=EventType.RUN_METRIC, condition=condition)
    before = stamp()
    saved = editing.create(draft, scope=project, by=alice)
    assert (after := stamp()) > before
    editing.set_enabled(saved, False, by=alice)
    assert stamp() > after
    after = stamp()
    editing.update(saved, FAILURE, by=alice)
    assert stamp() > after
    after = stamp()
    editing.create(replace(draft, name="Team wide"), scope=team, by=alice)
    assert stamp() > after
    after = stamp()
    editing.create(replace(FAILURE, name="State"), scope=project, by=alice)
    assert stamp() == after


def test_a_rule_that_is_moved_is_forgotten_where_it_was_and_known_where_it_is(team: Team, alice: User) -> None:
    old, new = factories.make_project(team, "old"), factories.make_project(team, "new")
    saved = factories.make_automation(old, EventType.RUN_METRIC)
    before = dict(Project.objects.values_list("name", "rules_version"))

    moved = editing.change(saved, by=alice, scope=new, name="Moved")

    assert (moved.scope, moved.name) == (new, "Moved")
    assert Automation.objects.get().project == new
    after = dict(Project.objects.values_list("name", "rules_version"))
    assert all(after[name] > before[name] for name in ("old", "new"))


def test_moving_needs_the_right_to_edit_both_scopes_and_an_event_that_fits(
    project: Project, registry: Registry, alice: User, bob: User
) -> None:
    saved = factories.make_automation(project, EventType.LINK_ARTIFACT)
    with pytest.raises(PermissionDenied):
        editing.change(saved, by=bob, scope=registry)
    assert editing.change(saved, by=alice, scope=registry).registry == registry

    with pytest.raises(PermissionDenied):
        editing.change(saved, by=bob, scope=project)
    with pytest.raises(ValidationError, match="does not happen in a registry"):
        editing.change(saved, by=alice, event_type=EventType.RUN_STATE, condition={"states": ["FAILED"]})


def test_moving_is_refused_where_the_name_is_taken_or_the_webhook_is_not_theirs_to_use(
    project: Project, registry: Registry, team: Team, alice: User, bob: User
) -> None:
    hook = factories.make_webhook(factories.make_team("other-team", admin=alice), name="theirs")
    saved = factories.make_automation(registry, EventType.LINK_ARTIFACT, webhook=hook)
    factories.make_team(team.name, admin=bob)
    with pytest.raises(ValidationError, match="ask an admin of its team"):
        editing.change(saved, by=bob, scope=project)

    factories.make_automation(project, name=saved.name)
    with pytest.raises(NameTaken):
        editing.change(saved, by=alice, scope=project)


def test_ev13_changing_one_field_does_not_undo_what_somebody_else_changed_meanwhile(
    project: Project, alice: User
) -> None:
    stale = editing.create(FAILURE, scope=project, by=alice)
    editing.set_enabled(Automation.objects.get(pk=stale.pk), False, by=alice)
    editing.change(stale, by=alice, description="seen before it was switched off")
    saved = Automation.objects.get(pk=stale.pk)
    assert (saved.enabled, saved.description) == (False, "seen before it was switched off")


def test_what_was_deleted_meanwhile_is_not_brought_back_by_who_changes_it(project: Project, alice: User) -> None:
    stale = editing.create(FAILURE, scope=project, by=alice)
    Automation.objects.filter(pk=stale.pk).delete()
    for change in (
        lambda: editing.change(stale, by=alice, description="too late"),
        lambda: editing.update(stale, replace(FAILURE, name="Too late"), by=alice),
        lambda: editing.set_enabled(stale, True, by=alice),
    ):
        with pytest.raises(Http404, match="any more"):
            change()
    assert not Automation.objects.exists()


def test_saving_does_not_write_over_when_it_was_triggered_last(project: Project, alice: User) -> None:
    stale = editing.create(FAILURE, scope=project, by=alice)
    Automation.objects.update(last_triggered_at=timezone.now())
    editing.update(stale, replace(FAILURE, name="Another name"), by=alice)
    saved = Automation.objects.get()
    assert (saved.name, saved.last_triggered_at is not None) == ("Another name", True)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_make_the_same_automation_at_once_one_is_told_that_the_name_is_taken() -> None:
    alice = factories.make_user()
    project = factories.make_project(factories.make_team(admin=alice))

    told = raised_by_loser(lambda: editing.create(FAILURE, scope=project, by=alice), over=Automation)

    assert isinstance(told, NameTaken)
    assert Automation.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_scope_that_was_deleted_meanwhile_is_not_mistaken_for_a_taken_name() -> None:
    alice = factories.make_user()
    project = factories.make_project(factories.make_team(admin=alice))
    type(project).objects.filter(pk=project.pk).delete()

    with pytest.raises(Http404, match="project was deleted meanwhile"):
        editing.create(FAILURE, scope=project, by=alice)


@pytest.mark.django_db(transaction=True)
def test_a_webhook_that_is_deleted_while_its_automation_is_saved_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    alice = factories.make_user()
    project = factories.make_project(factories.make_team(admin=alice))
    webhook = factories.make_webhook(project.team)
    calling = replace(FAILURE, action_kind=ActionKind.WEBHOOK, webhook=webhook)
    gone = type(webhook).objects.filter(pk=webhook.pk)
    monkeypatch.setattr(editing, "check", lambda *_, **__: gone.delete())

    with pytest.raises(ValidationError) as refusal:
        editing.create(calling, scope=project, by=alice)

    assert refusal.value.message_dict == {"webhook": ["This webhook was deleted meanwhile. Choose another one."]}
