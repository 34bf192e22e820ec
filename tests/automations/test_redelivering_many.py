"""Carrying many executions out once more: in order, resumed, called off (HI4, IF3)."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from automations import redelivering
from automations.models import Execution, Redelivery, Status
from automations.redelivering import NotRedeliverable, Wish
from tests import factories

if TYPE_CHECKING:
    from projects.models import Project, Team, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def several(project: Project, team: Team) -> list[Execution]:
    """Seven failed executions of one automation, the third one still waiting."""
    automation = factories.make_automation(project, webhook=factories.make_webhook(team))
    made = []
    for number in range(7):
        status = Status.PENDING if number == 2 else Status.FAILED
        rule = {"name": "a", "event_type": "RUN_STATE", "action_kind": "GENERIC_WEBHOOK", "payload": "{}"}
        made.append(factories.make_execution(automation, factories.make_event(), status=status, rule=rule))
    return made


def ask(project: Project, by: User, **wish: Any) -> Redelivery:
    found = redelivering.chosen(Execution.objects.filter(redelivery=None), project)
    return redelivering.redeliver_many(project, found, Wish(**wish), by=by, at=timezone.now())


def test_many_are_redelivered_in_order_and_what_is_not_over_is_left_out(
    alice: User, project: Project, several: list[Execution], monkeypatch: pytest.MonkeyPatch
) -> None:
    """HI4"""
    monkeypatch.setattr(redelivering, "CHUNK", 2)
    asked = ask(project, alice)

    made = Execution.objects.filter(redelivery=asked).order_by("pk")
    assert [execution.origin for execution in made] == [*several[:2], *several[3:]]
    assert (asked.left_out, asked.prepared, asked.prepared_at is not None) == (1, 6, True)
    assert redelivering.progress_of(asked, reader=alice) == redelivering.Progress({"pending": 6}, 6)


def test_what_a_crash_cut_short_is_carried_on_without_doubles(
    alice: User, project: Project, several: list[Execution], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redelivering, "CHUNK", 2)
    asked = ask(project, alice, token="t")
    keep = Execution.objects.filter(redelivery=asked).order_by("pk").values_list("pk", flat=True)[:4]
    Execution.objects.filter(redelivery=asked).exclude(pk__in=list(keep)).delete()
    Redelivery.objects.update(prepared=4, prepared_at=None)  # as it is after the second transaction

    assert redelivering.progress_of(Redelivery.objects.get(), reader=alice).total == 6
    assert redelivering.prepare_left_over(at=timezone.now()) == 1
    assert redelivering.prepare_left_over(at=timezone.now()) == 0
    made = Execution.objects.filter(redelivery=asked).order_by("pk")
    assert [execution.origin for execution in made] == [*several[:2], *several[3:]]
    assert ask(project, alice, token="t") == asked
    assert made.count() == 6


def test_a_redelivery_of_many_can_be_called_off(
    alice: User, bob: User, project: Project, several: list[Execution]
) -> None:
    asked = ask(project, alice)
    sent = asked.executions.order_by("pk").first()
    assert sent is not None
    Execution.objects.filter(pk=sent.pk).update(status=Status.FINISHED, next_attempt_at=None)

    with pytest.raises(PermissionDenied):
        redelivering.cancel(asked, by=bob, at=timezone.now())
    assert redelivering.cancel(asked, by=alice, at=timezone.now()) == 5
    assert asked.cancelled_by == alice
    progress = redelivering.progress_of(asked, reader=alice)
    assert (progress.over, progress.waiting, progress.by_status) == (6, 0, {"finished": 1, "skipped": 5})
    assert set(asked.executions.filter(status="skipped").values_list("reason_code", "result")) == {
        ("cancelled", "Cancelled by alice.")
    }


def test_many_are_bounded_and_cost_the_same_queries_for_few_and_many(
    alice: User, project: Project, several: list[Execution], monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = []
    for _ in range(2):
        found = redelivering.chosen(Execution.objects.filter(status=Status.FAILED), project)
        with CaptureQueriesContext(connection) as captured:
            redelivering.divided(found, Wish(), by=alice)
        costs.append(len(captured))
        for execution in several[3:]:
            factories.make_execution(
                execution.automation, factories.make_event(), status=Status.FAILED, rule=execution.rule
            )
    assert costs[0] == costs[1]
    monkeypatch.setattr(redelivering, "MOST", 3)
    with pytest.raises(NotRedeliverable, match="At most 3 executions"):
        ask(project, alice)


def test_nothing_to_send_is_said(alice: User, project: Project, several: list[Execution]) -> None:
    Execution.objects.update(status=Status.PENDING, next_attempt_at=timezone.now())
    with pytest.raises(NotRedeliverable, match="None of these"):
        ask(project, alice)


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_make_one_redelivery(alice: User, project: Project, several: list[Execution]) -> None:
    def click(_: int) -> int:
        try:
            return ask(project, alice, token="click").pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(click, range(4)))) == 1
    assert Execution.objects.exclude(redelivery=None).count() == 6


def test_an_unknown_key_is_no_redelivery(alice: User) -> None:
    from automations.access import redelivery_for

    with pytest.raises(Http404):
        redelivery_for(alice, uuid.uuid4())
