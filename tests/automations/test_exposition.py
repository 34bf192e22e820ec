"""RE4: figures for Prometheus."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from automations import retention
from automations.models import Attempt, Status, Webhook
from projects.models import Project
from tests import factories

pytestmark = pytest.mark.django_db

TOKEN = "a-token-that-only-prometheus-knows"


@pytest.fixture(autouse=True)
def token(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN


def figures(client: Client) -> dict[str, float]:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = [line for line in answer.content.decode().splitlines() if not line.startswith("#")]
    return {
        name.removeprefix("automations_"): float(value) for name, _, value in (line.rpartition(" ") for line in lines)
    }


@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer wrong", TOKEN])
def test_without_the_token_there_is_no_such_page(client: Client, given: str) -> None:
    assert client.get("/metrics", headers={"Authorization": given}).status_code == 404


def test_without_a_token_set_nobody_reads_them(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_an_empty_server_has_figures_of_zero(client: Client, db: None) -> None:
    found = figures(client)
    assert found['executions_last_hour{status="failed"}'] == 0
    assert found["oldest_due_seconds"] == 0
    assert found["notices_open"] == 0


def test_they_tell_what_happened_what_waits_and_what_fails(client: Client, project: Project) -> None:
    now = timezone.now()
    run = factories.make_run(project)
    hook = factories.make_webhook(project.team)
    for number, (status, age) in enumerate([("finished", 1), ("failed", 2), ("failed", 61), ("pending", 3)]):
        automation = factories.make_automation(project, webhook=hook, name=str(number))
        execution = factories.make_execution(
            automation,
            factories.make_event(run),
            status=status,
            created_at=now - timedelta(minutes=age),
            next_attempt_at=now - timedelta(minutes=age) if status == Status.PENDING else None,
        )
        code = {"finished": 200, "failed": 503}.get(status)
        Attempt.objects.create(execution=execution, number=1, started_at=now, url="", status_code=code, error="x")
    Webhook.objects.update(failing_since=now)
    retention.purge(at=now)
    found = figures(client)
    assert found['executions_last_hour{status="failed"}'] == 1
    assert found['executions_last_hour{status="finished"}'] == 1
    assert found['executions_unfinished{status="pending"}'] == 1
    assert found['attempts_last_hour{outcome="taken"}'] == 1
    assert found['attempts_last_hour{outcome="server_error"}'] == 1
    assert found['attempts_last_hour{outcome="no_answer"}'] == 1
    assert 179 < found["oldest_due_seconds"] < 240
    assert found['failing{kind="webhook"}'] == 1
    assert found["purge_complete"] == 1
    assert abs(found["purge_started_timestamp"] - now.timestamp()) < 2


def test_a_scrape_costs_the_same_however_much_there_is(client: Client, project: Project) -> None:
    with CaptureQueriesContext(connection) as few:
        figures(client)
    run = factories.make_run(project)
    for number in range(10):
        factories.make_execution(factories.make_automation(project, name=str(number)), factories.make_event(run))
    with CaptureQueriesContext(connection) as many:
        figures(client)
    assert len(many) == len(few)
