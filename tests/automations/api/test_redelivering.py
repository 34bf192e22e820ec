"""Redelivering over REST (HI4, IF2, IF3)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from automations.models import Execution, Redelivery, Status
from projects.models import Project, User
from registries.models import Registry
from tests import factories

Api = Callable[[User | None], APIClient]
MANY = "/api/executions/redeliver/"


@pytest.fixture
def execution(project: Project) -> Execution:
    """One that failed, of a webhook."""
    automation = factories.make_automation(project, webhook=factories.make_webhook(project.team))
    return failed(automation)


def failed(automation: Any, **fields: Any) -> Execution:
    rule = {"name": "a", "event_type": "RUN_STATE", "action_kind": "GENERIC_WEBHOOK", "payload": ""}
    return factories.make_execution(
        automation, factories.make_event(), **{"status": Status.FAILED, "rule": rule, **fields}
    )


def test_hi4_an_execution_is_redelivered(api: Api, alice: User, bob: User, execution: Execution) -> None:
    """HI4"""
    address = f"/api/executions/{execution.key}/"
    answer = api(alice).post(f"{address}redeliver/", {"reason": "The pager was down."})

    made = answer.json()
    assert answer.status_code == 201
    assert (made["origin"], made["redelivered_by"], made["status"]) == (str(execution.key), "alice", "pending")
    assert api(bob).get(address).json()["redeliveries"] == [made["key"]]
    wished = api(bob).get(f"/api/redeliveries/{made['redelivery']}/").json()
    assert (wished["total"], wished["over"], wished["reason"]) == (1, 0, "The pager was down.")


def test_if3_an_idempotency_key_makes_asking_twice_asking_once(api: Api, alice: User, execution: Execution) -> None:
    """IF3"""
    client, address = api(alice), f"/api/executions/{execution.key}/redeliver/"
    first, second = (client.post(address, {}, headers={"Idempotency-Key": "k"}).json() for _ in range(2))
    assert first == second
    assert Execution.objects.count() == 2
    used = client.post(address, {"content": "current"}, headers={"Idempotency-Key": "k"})
    assert (used.status_code, used.json()["title"]) == (409, "Conflict")
    assert client.post(address, {}, headers={"Idempotency-Key": "k" * 256}).status_code == 400


def test_an_edited_payload_is_sent_as_json(api: Api, alice: User, execution: Execution) -> None:
    client, address = api(alice), f"/api/executions/{execution.key}/redeliver/"
    made = client.post(address, {"content": "edited", "payload": {"text": "${run_name} 失敗"}}).json()
    assert Execution.objects.get(key=made["key"]).rule["payload"] == '{"text": "${run_name} 失敗"}'
    for body in ({"content": "edited"}, {"payload": {}}, {"content": "edited", "payload": "x"}, {"content": "odd"}):
        assert client.post(address, body).status_code == 400


def test_what_cannot_be_sent_again_is_a_conflict_with_a_sentence(api: Api, alice: User, execution: Execution) -> None:
    Execution.objects.update(shadow=True)
    answer = api(alice).post(f"/api/executions/{execution.key}/redeliver/", {})
    assert answer.status_code == 409
    assert "rehearsal in shadow mode" in answer.json()["detail"]


def test_many_are_redelivered_by_filter_or_by_key(
    api: Api, alice: User, project: Project, registry: Registry, execution: Execution
) -> None:
    other = failed(execution.automation)
    failed(execution.automation, status=Status.FINISHED)
    elsewhere = failed(factories.make_automation(factories.make_project(project.team, "other")))
    client = api(alice)

    asked = {"project": "research/digits", "filter": {"status": "failed", "automation": execution.automation_id}}
    by_filter = client.post(MANY, asked)
    assert by_filter.status_code == 201
    assert (by_filter.json()["total"], by_filter.json()["by_status"]) == (2, {"pending": 2})
    origins = Execution.objects.exclude(origin=None).order_by("pk").values_list("origin", flat=True)
    assert list(origins) == [execution.pk, other.pk]

    keys = [str(other.key), str(elsewhere.key), str(uuid.uuid4())]
    by_key = client.post(MANY, {"project": "research/digits", "executions": keys}).json()
    assert by_key["total"] == 1
    cancelled = client.post(f"/api/redeliveries/{by_key['key']}/cancel/").json()
    assert (cancelled["cancelled_by"], cancelled["by_status"], cancelled["over"]) == ("alice", {"skipped": 1}, 1)


@pytest.mark.parametrize(
    "body",
    [
        {"filter": {}},
        {"project": "research/digits"},
        {"project": "research/digits", "registry": "acme/models", "filter": {}},
        {"project": "research/digits", "executions": [], "filter": {}},
        {"project": "research/digits", "filter": {"status": "asleep"}},
        {"project": "research/digits", "filter": {"colour": "red"}},
        {"project": "research/digits", "executions": ["x"]},
        {"project": "research/digits", "filter": {}, "content": "edited"},
    ],
)
def test_what_is_asked_for_has_to_be_clear(
    api: Api, alice: User, registry: Registry, execution: Execution, body: dict[str, Any]
) -> None:
    assert api(alice).post(MANY, body).status_code == 400
    assert Redelivery.objects.count() == 0


def test_many_of_what_one_may_not_see_are_none(api: Api, charlie: User, execution: Execution) -> None:
    """AZ1"""
    assert api(charlie).post(MANY, {"project": "research/digits", "filter": {}}).status_code == 404
    own = factories.make_project(charlie.personal_team, "own")
    answer = api(charlie).post(MANY, {"project": str(own), "executions": [str(execution.key)]})
    assert (answer.status_code, Redelivery.objects.count()) == (409, 0)


def test_what_waits_is_tried_now_or_cancelled(api: Api, alice: User, bob: User, execution: Execution) -> None:
    later = timezone.now() + timedelta(hours=1)
    Execution.objects.update(status=Status.PENDING, next_attempt_at=later)
    client, address = api(alice), f"/api/executions/{execution.key}/"

    assert api(bob).post(f"{address}cancel/").status_code == 403
    assert client.post(f"{address}try-now/").json()["next_attempt_at"] < later.isoformat()
    assert client.post(f"{address}cancel/").json()["reason_code"] == "cancelled"
    answer = client.post(f"{address}cancel/")
    assert (answer.status_code, answer.json()["detail"]) == (409, "It is over already: Skipped.")
