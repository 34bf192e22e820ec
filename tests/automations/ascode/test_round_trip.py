"""What is exported is what there is: the same bytes each time, and applied elsewhere the same automations."""

from __future__ import annotations

import math
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from automations import ascode, editing, versions
from automations.ascode import yamltext
from automations.editing import Draft
from automations.models import ActionKind, Automation, AutomationVersion, EventType, ScopeKind
from automations.models.automation import FITTING_SCOPES
from automations.triggers import InvalidCondition, trigger_for
from projects.jsonvalues import same
from projects.models import Team, User
from tests import factories
from tests.automations.drafting import drafts, make_scope

pytestmark = pytest.mark.django_db

texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"))
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
LOOKALIKES = [
    "yes",
    "no",
    "on",
    "null",
    "~",
    "1",
    "1.0",
    "1e3",
    "0x1f",
    "010",
    "1:30",
    "2026-05-04",
    "=",
    "<<",
    "-",
    "",
]
BREAKS = [
    "a\nb",
    "\na",
    " a\nb ",
    "a\n\n",
    "\t\n",
    "a\r\nb",
    "a\x85b",
    "a\u2028b",
    "\ufeffa",
    "# a\n- b: c",
    "a: b",
    "\x07",
    "%a",
    "'\"\n",
]


@given(st.lists(values.filter(lambda value: value is not None), min_size=1, max_size=3))
@settings(max_examples=300, deadline=None)
def test_every_value_of_json_comes_back_as_it_was(documents: list[Any]) -> None:
    text = yamltext.write(documents)
    back = yamltext.read(text).documents
    assert same(back, documents)
    assert yamltext.write(back) == text


@pytest.mark.parametrize("text", LOOKALIKES + BREAKS)
def test_text_stays_text(text: str) -> None:
    document = {text: [text, {"deep": text}]}
    assert yamltext.read(yamltext.write([document])).documents == [document]


def test_numbers_stay_what_they_are() -> None:
    numbers = [1, 1.0, -0.5, 1e300, 1e-300, 5e-324, 10**25, math.pi, 1e16, 123456789.0]
    back = yamltext.read(yamltext.write([numbers])).documents[0]
    assert [(type(number), number) for number in back] == [(type(number), number) for number in numbers]


def with_target(draft: Draft, team: Team) -> Draft:
    if draft.action_kind == ActionKind.WEBHOOK:
        draft.webhook = team.webhooks.first() or factories.make_webhook(team)
    if draft.action_kind == ActionKind.SLACK:
        draft.slack_channel = team.slack_channels.first() or factories.make_slack_channel(team)
    return draft


def applied_again(text: str, *, by: User) -> None:
    """Applied where nothing is, it makes the same; applied to what is there, it changes nothing."""
    before = {automation.name: versions.document_of(automation) for automation in Automation.objects.all()}
    enabled = set(Automation.objects.filter(enabled=True).values_list("name", flat=True))
    count = AutomationVersion.objects.count()
    plan = ascode.apply(text, by=by, prune=True)
    assert (plan.changes, plan.unchanged, AutomationVersion.objects.count()) == ([], len(before), count)

    Automation.objects.all().delete()
    assert len(ascode.apply(text, by=by).changes) == len(before)
    after = {automation.name: versions.document_of(automation) for automation in Automation.objects.all()}
    assert same(after, before)
    assert set(Automation.objects.filter(enabled=True).values_list("name", flat=True)) == enabled
    assert ascode.export(by=by) == text


@given(drafts())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_automation_is_exported_and_applied_without_a_change(written: tuple[Draft, ScopeKind, bool]) -> None:
    draft, kind, of_registry = written
    try:
        trigger_for(draft.event_type).compile(draft.condition, draft.filter)
    except InvalidCondition:
        assume(False)
    admin = factories.make_user("operator", superuser=True)
    with transaction.atomic():
        Automation.objects.all().delete()
        scope = make_scope(kind, of_registry=of_registry)
        editing.create(with_target(draft, factories.make_team()), scope=scope, by=admin)
        text = ascode.export(by=admin)
        assert text == ascode.export(by=admin)
        applied_again(text, by=admin)


@pytest.mark.parametrize("event_type", list(EventType))
@pytest.mark.parametrize("action", list(ActionKind))
def test_every_event_in_every_scope_with_every_action(event_type: EventType, action: ActionKind) -> None:
    """EV1, SC3, IF5: also what the SDK cannot express."""
    admin = factories.make_user("operator", superuser=True)
    conditions = factories.CONDITIONS | {"RUN_METRIC": factories.CONDITIONS["RUN_METRIC"] | {"cmp_op": "$eq"}}
    for kind in sorted(FITTING_SCOPES[event_type]):
        for of_registry in (False, True)[: 2 if kind is ScopeKind.COLLECTION else 1]:
            draft = Draft(
                name=f"{kind} {of_registry}",
                event_type=event_type.value,
                condition=conditions.get(event_type, {}),
                action_kind=action.value,
                severity="WARN" if action is ActionKind.SLACK else "",
            )
            scope = make_scope(kind, of_registry=of_registry)
            editing.create(with_target(draft, factories.make_team()), scope=scope, by=admin)
    applied_again(ascode.export(by=admin), by=admin)
