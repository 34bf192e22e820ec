"""What a plan says, what applying does, and who may."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from automations import ascode, editing
from automations.ascode import forecast
from automations.editing import Draft
from automations.models import ActionKind, Automation, AutomationVersion, EventType
from projects import metrics, runs
from projects.models import Project, Team, User
from registries.models import Registry
from tests import factories

pytestmark = pytest.mark.django_db

FAILURE = Draft(
    name="Run failure", event_type=EventType.RUN_STATE, action_kind=ActionKind.NO_OP, condition={"states": ["FAILED"]}
)
DECLARED = """\
project: research/digits
automations:
  - name: Run failure
    event_type: RUN_STATE
    condition: {states: [FAILED]}
    action_kind: NO_OP
  - name: Loss is high
    event_type: RUN_METRIC
    condition: {name: loss, agg_op: null, window_size: 1, cmp_op: $gt, threshold: 2}
    action_kind: GENERIC_WEBHOOK
    webhook: research/pager
    payload: |
      {
        "text": "${run_name}"
      }
"""


@pytest.fixture
def hook(team: Team) -> None:
    factories.make_webhook(team)


def problems(text: str, *, by: User) -> str:
    with pytest.raises(ascode.InvalidDeclaration) as error:
        ascode.plan(text, by=by)
    return str(error.value)


@pytest.mark.usefixtures("hook")
def test_a_plan_says_what_applying_does(project: Project, alice: User) -> None:
    """Create, update, delete and leave alone; then the text is what there is."""
    editing.create(FAILURE, scope=project, by=alice)
    assert ascode.text_of(ascode.plan(DECLARED, by=alice)) == (
        "+ project research/digits: Loss is high\n"
        "    + When loss is above 2, call webhook pager\n"
        "\n"
        "1 to create, 0 to update, 0 to delete, 1 unchanged.\n"
    )
    ascode.apply(DECLARED, by=alice)
    changed = DECLARED.replace("threshold: 2", "threshold: 3").replace('"text"', '"body"')
    changed = changed.replace("- name: Run failure", "- name: Run end").replace("[FAILED]", "[FINISHED]")

    planned = ascode.plan(changed, by=alice, prune=True)
    assert not Automation.objects.filter(name="Run end").exists()
    applied = ascode.apply(changed, by=alice, prune=True)

    assert ascode.text_of(applied, applied=True) == (
        "+ project research/digits: Run end\n"
        "    + When a run finishes, do nothing but record it\n"
        "\n"
        "~ project research/digits: Loss is high\n"
        "    - When loss is above 2, call webhook pager\n"
        "    + When loss is above 3, call webhook pager\n"
        "    condition threshold: 2 → 3\n"
        "    payload:\n"
        "        {\n"
        '      -   "text": "${run_name}"\n'
        '      +   "body": "${run_name}"\n'
        "        }\n"
        "\n"
        "- project research/digits: Run failure\n"
        "    - When a run fails, do nothing but record it\n"
        "\n"
        "1 created, 1 updated, 1 deleted, 0 unchanged.\n"
    )
    assert ascode.text_of(planned, applied=True) == ascode.text_of(applied, applied=True)
    assert set(Automation.objects.values_list("name", flat=True)) == {"Run end", "Loss is high"}
    assert ascode.apply(changed, by=alice, prune=True).changes == []


@pytest.mark.usefixtures("hook")
def test_applying_is_an_edit_like_any_other(project: Project, alice: User) -> None:
    """It makes a version where something changes, and none where nothing does."""
    ascode.apply(DECLARED, by=alice)
    ascode.apply(DECLARED.replace("threshold: 2", "threshold: 3"), by=alice)
    ascode.apply(DECLARED.replace("- name: Run failure", "- name: Run failure\n    enabled: false"), by=alice)

    made = AutomationVersion.objects.order_by("pk").values_list("automation__name", "number", "created_by__username")
    assert list(made) == [
        ("Run failure", 1, "alice"),
        ("Loss is high", 1, "alice"),
        ("Loss is high", 2, "alice"),
        ("Loss is high", 3, "alice"),
    ]
    assert not Automation.objects.get(name="Run failure").enabled


def test_all_of_a_text_is_applied_or_none(project: Project, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "team: research\nautomations:\n"
    entry = "  - {{name: '{}', event_type: RUN_STATE, condition: {{states: [FAILED]}}, action_kind: NO_OP}}\n"
    create = editing.create

    def somebody_was_faster(draft: Draft, **kwargs: object) -> Automation:
        if draft.name == "b":
            raise editing.NameTaken("b", project)
        return create(draft, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(editing, "create", somebody_was_faster)
    with pytest.raises(editing.NameTaken):
        ascode.apply(text + entry.format("a") + entry.format("b"), by=alice)
    assert not Automation.objects.exists()


def test_only_the_named_scopes_are_pruned(project: Project, team: Team, alice: User) -> None:
    editing.create(FAILURE, scope=project, by=alice)
    editing.create(FAILURE, scope=team, by=alice)
    assert ascode.apply("team: research\n", by=alice).changes == []
    ascode.apply("team: research\n", by=alice, prune=True)
    assert [automation.scope for automation in Automation.objects.all()] == [project]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "research/digits",
            "research/nowhere",
            "documents[0].project: There is no project “research/nowhere”. (line 1)",
        ),
        ("research/digits", "digits", "“digits” does not name a project. Write it as team/project. (line 1)"),
        ("research/pager", "research/siren", "automations[1].webhook: There is no webhook “research/siren”. (line 11)"),
        ("RUN_METRIC", "RUN_DANCE", "automations[1].event_type: “RUN_DANCE” is not an event."),
        ("threshold: 2", "threshold: x", "automations[1].condition.threshold: "),
        ("threshold: 2", "threshold: x", "(line 9)"),
        ("GENERIC_WEBHOOK", "PHONE", "automations[1].action_kind: "),
        ("GENERIC_WEBHOOK", "NO_OP", "“Do nothing” has no webhook, payload; leave that out."),
        ('"${run_name}"', "oops", "automations[1].payload: "),
        ("project: research/digits", "organization: acme", "Only admins of the organization"),
    ],
)
@pytest.mark.usefixtures("hook")
def test_what_cannot_be_is_refused_with_path_and_line(
    project: Project, alice: User, old: str, new: str, told: str
) -> None:
    """SC4, EV10: nothing of the text is applied."""
    text = DECLARED.replace(old, new)
    with pytest.raises((ascode.InvalidDeclaration, PermissionDenied)) as error:
        ascode.apply(text, by=alice)
    assert told in str(error.value)
    assert not Automation.objects.exists()


def test_az1_what_one_may_not_see_is_not_exported_nor_named(
    project: Project, registry: Registry, alice: User, bob: User, charlie: User
) -> None:
    hidden = factories.make_project(factories.make_team("hidden", admin=alice), "secret")
    factories.make_webhook(hidden.team, name="night-pager")
    editing.create(FAILURE, scope=hidden, by=alice)
    assert ascode.export(by=bob) == ""
    assert "There is no project “hidden/secret”" in problems("project: hidden/secret", by=bob)
    text = DECLARED.replace("research/pager", "hidden/night-pager")
    assert "There is no webhook “hidden/night-pager”" in problems(text, by=bob)
    with pytest.raises(ValidationError, match="There is no project “hidden/secret”"):
        ascode.export(by=charlie, scopes=[("project", "hidden/secret")])


@pytest.mark.usefixtures("hook")
def test_who_may_look_may_plan_what_changes_nothing_alone(project: Project, alice: User, bob: User) -> None:
    ascode.apply(DECLARED, by=alice)
    assert ascode.plan(DECLARED, by=bob).unchanged == 2
    for text, prune in ((DECLARED.replace("FAILED", "FINISHED"), False), ("project: research/digits", True)):
        with pytest.raises(PermissionDenied):
            ascode.plan(text, by=bob, prune=prune)


def test_az1_the_target_of_a_hidden_team_stays_though_it_cannot_be_named(
    project: Project, team: Team, alice: User, bob: User
) -> None:
    hook = factories.make_webhook(factories.make_team("hidden", admin=alice), name="night-pager")
    draft = Draft("Page", EventType.RUN_STATE, ActionKind.WEBHOOK, condition={"states": ["FAILED"]}, webhook=hook)
    saved = editing.create(draft, scope=project, by=alice)
    team.members_edit_automations = True
    team.save()

    text = ascode.export(by=bob)
    assert "night-pager" not in text
    assert ascode.apply(text, by=bob).unchanged == 1
    applied = ascode.apply(text.replace("FAILED", "FINISHED"), by=bob)

    assert "night-pager" not in ascode.text_of(applied)
    saved.refresh_from_db()
    assert (saved.webhook, saved.condition) == (hook, {"states": ["FINISHED"]})
    assert "hidden/night-pager" in ascode.export(by=alice)


@pytest.mark.usefixtures("hook")
def test_an_export_of_scopes_names_them_even_if_they_have_nothing(project: Project, team: Team, alice: User) -> None:
    ascode.apply(DECLARED, by=alice)
    assert ascode.export(by=alice, scopes=[("team", "research")]) == "---\nteam: research\nautomations: []\n"
    of_project = ascode.export(by=alice, scopes=[("project", "research/digits")])
    assert of_project == ascode.export(by=alice)
    assert 'payload: |\n      {\n        "text": "${run_name}"\n      }\n' in of_project


def test_it_costs_the_same_queries_for_many_automations(project: Project, team: Team, alice: User) -> None:
    def cost(call: Callable[[], object]) -> int:
        with CaptureQueriesContext(connection) as asked:
            call()
        return len(asked)

    def both() -> tuple[int, int]:
        text = ascode.export(by=alice)
        return cost(lambda: ascode.export(by=alice)), cost(lambda: ascode.plan(text, by=alice, prune=True))

    hooks = [factories.make_webhook(team, name=f"hook{number}") for number in range(10)]
    editing.create(Draft("0", EventType.RUN_STATE, "NO_OP", condition={"states": ["FAILED"]}), scope=team, by=alice)
    for number, hook in enumerate(hooks):
        factories.make_automation(factories.make_project(team, f"p{number % 2}"), name=str(number), webhook=hook)
        if number == 1:
            before = both()
    assert both() == before


def test_hi7_a_plan_says_how_often_each_would_have_fired(project: Project, alice: User) -> None:
    for loss in (1, 2.5, 4):
        run = factories.make_run(project)
        metrics.append(run, metrics.parse(f'[{{"loss": {loss}}}]'.encode()), at=timezone.now())
        runs.finish(run, exit_code=1, by=alice, at=timezone.now())
    factories.make_webhook(project.team)
    ascode.apply(DECLARED, by=alice)
    text = DECLARED.replace("threshold: 2", "threshold: 3").replace("- name: Run failure", "- name: Failed")

    made = ascode.plan(text, by=alice, prune=True, at=timezone.now())

    fired = {change.name: (change.fired_before, change.fired_after) for change in made.changes}
    counts = {name: tuple(one and one.count for one in both) for name, both in fired.items()}
    assert counts == {"Failed": (None, 3), "Loss is high": (2, 1), "Run failure": (3, None)}
    assert "In the last 30 days: would have fired 2 times before, would have fired 1 time after." in ascode.text_of(
        made
    )


def test_hi7_a_disabled_automation_sees_nothing_and_a_renamed_message_changes_nothing(
    project: Project, alice: User
) -> None:
    runs.finish(factories.make_run(project), exit_code=1, by=alice, at=timezone.now())
    factories.make_webhook(project.team)
    ascode.apply(DECLARED, by=alice)
    text = DECLARED.replace("- name: Run failure", "- name: Run failure\n    enabled: false").replace(
        '"text"', '"body"'
    )

    made = ascode.plan(text, by=alice, at=timezone.now())

    failure, loss = made.changes
    assert failure.fired_before is not None
    assert (failure.fired_before.count, failure.fired_after) == (1, forecast.Forecast(0))
    assert loss.fired_before is loss.fired_after


def test_hi7_a_plan_does_not_look_for_longer_than_it_may(
    project: Project, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecast, "LONGEST", 0.0)
    factories.make_webhook(project.team)
    made = ascode.plan(DECLARED, by=alice, at=timezone.now())
    assert "would have fired an unknown number of times after. There was no time left" in ascode.text_of(made)
