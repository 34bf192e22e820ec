"""Opening an automation's form and saving it untouched changes nothing: whatever it listens to, covers and does, and
wherever it was written (the form must not lose what it cannot show)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, assume, given, settings

from automations import editing
from automations.editing import Draft
from automations.models import ActionKind, Automation, EventType, ScopeKind
from automations.triggers import InvalidCondition, trigger_for
from tests import factories
from tests.automations.drafting import drafts, make_scope
from tests.automations.views.filling import Filling, same

pytestmark = pytest.mark.django_db


def stored(pk: int) -> tuple[Draft, str]:
    automation = Automation.objects.select_related("webhook", "slack_channel").get(pk=pk)
    return editing.draft_of(automation), json.dumps([automation.filter, automation.condition])


@given(drafts())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_an_edit_that_changes_nothing_keeps_everything(written: tuple[Draft, ScopeKind, bool]) -> None:
    draft, kind, of_registry = written
    try:
        trigger_for(draft.event_type).compile(draft.condition, draft.filter)
    except InvalidCondition:
        assume(False)
    admin = factories.make_user("operator", superuser=True)
    scope = make_scope(kind, of_registry=of_registry)
    team = factories.make_team()
    if draft.action_kind == ActionKind.WEBHOOK:
        draft.webhook = team.webhooks.first() or factories.make_webhook(team)
    if draft.action_kind == ActionKind.SLACK:
        draft.slack_channel = team.slack_channels.first() or factories.make_slack_channel(team)
    Automation.objects.all().delete()  # one that an example left when it failed
    automation = editing.create(draft, scope=scope, by=admin)
    before = stored(automation.pk)
    client = Client()
    client.force_login(admin)
    filling = Filling(client, f"/automations/{automation.pk}/edit")
    for step in (1, 2, 3):
        shown = client.get(filling.address, {"draft": filling.draft, "step": step} if filling.draft else {})
        response = filling.post(go="next" if step < 3 else "save", **same(shown))
        assert response.status_code == 302, shown.context["form"].errors or response.context["form"].errors

    assert stored(automation.pk) == before


@pytest.mark.parametrize("event_type", list(EventType))
@pytest.mark.parametrize("action", list(ActionKind))
def test_renaming_changes_the_name_alone(event_type: EventType, action: ActionKind) -> None:
    """In the last step, with the others never opened."""
    admin = factories.make_user("operator", superuser=True)
    project = factories.make_project()
    targets: dict[ActionKind, dict[str, Any]] = {
        ActionKind.WEBHOOK: {"webhook": factories.make_webhook(project.team), "payload": '{"a":\n 1}'},
        ActionKind.SLACK: {
            "slack_channel": factories.make_slack_channel(project.team),
            "title": "a\nb",
            "message": " m ",
        },
        ActionKind.NO_OP: {},
    }
    document = {"$nor": [{"user": {"$regex": " x"}}]}
    absence = event_type is EventType.ARTIFACT_ABSENCE
    scope = factories.make_version(project).collection if absence else project
    automation = factories.make_automation(
        scope, event_type, filter={} if absence else document, shadow=True, **targets[action]
    )
    before, documents = stored(automation.pk)
    client = Client()
    client.force_login(admin)
    filling = Filling(client, f"/automations/{automation.pk}/edit")
    filling.step = 3
    assert filling.post(go="save", name="Renamed", description="", shadow="on").status_code == 302

    after, kept = stored(automation.pk)
    assert after.name == "Renamed"
    after.name = before.name
    assert (after, kept) == (before, documents)
