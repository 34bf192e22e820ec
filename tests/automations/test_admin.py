"""The admin pages of webhooks and automations: the same checks as everywhere."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from automations.models import Automation, Webhook
from projects.models import (
    Project,
    Team,
    User,
)
from tests import factories
from tests.admin_pages import page, shown


@pytest.fixture
def webhook_fields(team: Team) -> dict[str, Any]:
    return {
        "team": team.pk,
        "name": "pager",
        "url": "https://hooks.example.com/x",
        "signature_encoding": "base64",
        "extra_headers": "",
    }


def test_a_webhook_is_made_and_changed(operator: Client, team: Team, webhook_fields: dict[str, Any]) -> None:
    secret = factories.make_secret(team)
    webhook_fields |= {"secret": secret.pk, "extra_headers": "X-Team: research\nX-Key: Bearer ${TOKEN}"}

    assert operator.post(page(Webhook, "add"), webhook_fields).status_code == 302
    webhook = Webhook.objects.get()
    assert webhook.created_by == User.objects.get(username="operator")
    assert [(h.name, h.value, h.secret) for h in webhook.headers.order_by("name")] == [
        ("X-Key", "Bearer ${TOKEN}", secret),
        ("X-Team", "research", None),
    ]

    webhook_fields |= {"name": "siren", "secret": "", "extra_headers": ""}
    assert operator.post(page(Webhook, "change", webhook.pk), webhook_fields).status_code == 302
    webhook.refresh_from_db()
    assert (webhook.name, webhook.secret, webhook.headers.count()) == ("siren", None, 0)
    assert LogEntry.objects.count() == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "http://169.254.169.254/latest/meta-data"),
        ("url", "ftp://hooks.example.com"),
        ("name", "-bad/name"),
        ("extra_headers", "no colon"),
        ("extra_headers", "Host: elsewhere"),
        ("extra_headers", "X-Key: ${MISSING}"),
        ("extra_headers", "A: 1\nA: 2"),
        ("secret", "of another team"),
    ],
)
def test_a_webhook_is_checked_as_everywhere(
    operator: Client, webhook_fields: dict[str, Any], field: str, value: str
) -> None:
    other = factories.make_secret(factories.make_team("other"), name="FOREIGN")
    webhook_fields[field] = other.pk if field == "secret" else value

    answer = operator.post(page(Webhook, "add"), webhook_fields)

    assert list(answer.context["adminform"].form.errors) == [field]
    assert not Webhook.objects.exists()


def test_a_paused_webhook_is_resumed(operator: Client, team: Team) -> None:
    webhook = factories.make_webhook(team, paused_at=timezone.now(), paused_reason="410 Gone")

    operator.post(page(Webhook, "changelist"), {"action": "resume", "_selected_action": [webhook.pk]})

    webhook.refresh_from_db()
    assert webhook.paused_at is None


@pytest.fixture
def automation_fields(project: Project) -> dict[str, Any]:
    return {
        "project": project.pk,
        "name": "Tell the pager",
        "enabled": "on",
        "event_type": "RUN_STATE",
        "filter": "{}",
        "condition": '{"states": ["FAILED"]}',
        "action_kind": "NO_OP",
    }


def test_an_automation_is_made_and_changed(
    operator: Client, project: Project, automation_fields: dict[str, Any]
) -> None:
    webhook = factories.make_webhook(project.team)

    assert operator.post(page(Automation, "add"), automation_fields).status_code == 302
    automation = Automation.objects.get()
    assert (automation.scope, automation.created_by) == (project, User.objects.get(username="operator"))

    automation_fields |= {"action_kind": "GENERIC_WEBHOOK", "webhook": webhook.pk, "payload": '{"run": "${run_name}"}'}
    assert operator.post(page(Automation, "change", automation.pk), automation_fields).status_code == 302
    automation.refresh_from_db()
    assert (automation.webhook, automation.payload) == (webhook, '{"run": "${run_name}"}')
    assert [version.rule["action_kind"] for version in automation.versions.all()] == ["GENERIC_WEBHOOK", "NO_OP"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"event_type": "LINK_MODEL", "condition": '{"states": []}'}, "condition"),
        ({"condition": '{"states": ["SLEEPING"]}'}, "condition"),
        ({"condition": "[]"}, "condition"),
        ({"condition": "{"}, "condition"),
        ({"filter": '{"display_name": {"$regex": "(?=x)"}}'}, "filter"),
        ({"filter": '{"nonsense": 1}'}, "filter"),
        ({"action_kind": "GENERIC_WEBHOOK"}, "webhook"),
        ({"name": "Taken"}, "name"),
        ({"name": ""}, "name"),
        ({"project": ""}, "__all__"),
        ({"team": "research"}, "__all__"),
        (
            {
                "event_type": "RUN_METRIC",
                "condition": '{"name": "loss", "agg_op": null, "window_size": 1, "cmp_op": "$gt", "threshold": NaN}',
            },
            "condition",
        ),
    ],
    ids=str,
)
def test_an_automation_is_checked_as_everywhere(
    operator: Client, automation_fields: dict[str, Any], changes: dict[str, str], field: str
) -> None:
    """SC2, SC4, EV10."""
    taken = factories.make_automation(name="Taken")
    if "team" in changes:
        changes = {"team": str(Team.objects.get(name="research").pk)}

    answer = operator.post(page(Automation, "add"), automation_fields | changes)

    assert list(answer.context["adminform"].form.errors) == [field]
    assert Automation.objects.get() == taken


def test_an_automation_keeps_its_scope(operator: Client, project: Project, automation_fields: dict[str, Any]) -> None:
    automation = factories.make_automation(project)
    other = factories.make_project(project.team, "other")

    operator.post(page(Automation, "change", automation.pk), automation_fields | {"project": other.pk})

    automation.refresh_from_db()
    assert automation.project == project


@pytest.mark.parametrize(("action", "enabled"), [("enable", True), ("disable", False)])
def test_automations_are_switched(operator: Client, action: str, enabled: bool) -> None:
    automation = factories.make_automation(enabled=not enabled)

    operator.post(page(Automation, "changelist"), {"action": action, "_selected_action": [automation.pk]})

    automation.refresh_from_db()
    assert automation.enabled is enabled


def test_an_operator_writes_an_automation_that_posts_to_slack(operator: Client) -> None:
    project = factories.make_project()
    channel = factories.make_slack_channel(project.team)
    form = {
        "project": project.pk,
        "name": "Tell the team",
        "enabled": "on",
        "event_type": "RUN_ALERT",
        "filter": "{}",
        "condition": '{"levels": ["ERROR"]}',
        "action_kind": "NOTIFICATION",
        "slack_channel": channel.pk,
        "title": "${alert_title}",
    }
    refused = operator.post(page(Automation, "add"), form | {"payload": "{}"})
    assert "“Slack notification” has no payload" in shown(refused)

    answer = operator.post(page(Automation, "add"), form)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    automation = Automation.objects.get()
    assert (automation.slack_channel, automation.severity, automation.title) == (channel, "INFO", "${alert_title}")
