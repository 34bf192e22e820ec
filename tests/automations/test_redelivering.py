"""Carrying executions out once more (HI4, WH3, PL4, AC2, AC3, and chapter 8 of the specification)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import model_to_dict
from django.http import Http404
from django.utils import timezone
from pytest_django import Settings

from automations import editing, executions, redelivering, signing
from automations.models import Automation, Content, Cooldown, Execution, ReasonCode, Redelivery, Status
from automations.redelivering import NotRedeliverable, TokenUsed, Wish
from automations.unsealing import MASK
from projects import runs
from tests import factories
from tests.receiver import Receiver

if TYPE_CHECKING:
    from projects.models import Project, Team, User
    from registries.models import Registry

pytestmark = pytest.mark.django_db


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with Receiver() as receiver:
        yield receiver


def delivered(receiver: Receiver, *, payload: str = "", name: str = "", **webhook: Any) -> Execution:
    """An execution that was sent to the receiver: a run failed."""
    hook = factories.make_webhook(url=receiver.url, **webhook)
    factories.make_automation(webhook=hook, payload=payload)
    run = factories.make_run(display_name=name or "夜間学習-7")
    runs.finish(run, exit_code=1, by=run.user, at=timezone.now())
    return carried_out(Execution.objects.get())


def carried_out(execution: Execution) -> Execution:
    executions.run(execution.pk)
    return Execution.objects.get(pk=execution.pk)


def redeliver(execution: Execution, by: User, **wish: Any) -> Execution:
    """The redelivery, carried out."""
    return carried_out(redelivering.redeliver(execution, Wish(**wish), by=by, at=timezone.now()))


def everything(execution: Execution) -> list[Any]:
    """All columns of an execution and of its attempts."""
    row = Execution.objects.get(pk=execution.pk)
    attempts = [model_to_dict(attempt) for attempt in row.attempts.all()]
    return [{field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}, attempts]


def test_hi4_a_redelivery_is_a_new_execution_that_names_its_origin_and_its_actor(
    receiver: Receiver, alice: User, team: Team
) -> None:
    """HI4"""
    origin = delivered(receiver)
    before = everything(origin)

    again = redeliver(origin, alice, reason="The pager was down.")

    assert again.status == Status.FINISHED
    assert again.origin == origin
    assert again.redelivery is not None
    assert (again.redelivery.asked_by, again.redelivery.reason) == (alice, "The pager was down.")
    assert list(origin.redeliveries.all()) == [again]
    assert everything(origin) == before


@pytest.mark.parametrize("payload", ["", '{"text": "${run_name}: ${run_status}", "to": ["東京"]}'])
def test_wh3_as_it_was_sent_means_the_same_bytes_and_the_same_message(
    receiver: Receiver, alice: User, team: Team, payload: str
) -> None:
    """WH3: the body is the very one that went out, also when names have changed since; the time and its signature are
    new."""
    origin = delivered(receiver, payload=payload, secret=factories.make_secret(name="SIGNING", value="s3cret"))
    alice.username = "alicia"
    alice.save()
    Automation.objects.update(name="Renamed", payload='{"changed": true}')

    again = redeliver(origin, alice)

    first, second = receiver.requests
    assert second.body == first.body
    assert second.headers["webhook-id"] == first.headers["webhook-id"] == f"msg_{origin.key.hex}"
    assert second.headers["X-Automation-Redelivery"] == str(again.key)
    assert "X-Automation-Redelivery" not in first.headers
    assert signing.verify(second.body, second.headers, secret="s3cret", now=second.at) == []


def test_wh3_a_redelivery_of_a_redelivery_is_still_the_first_message(
    receiver: Receiver, alice: User, team: Team
) -> None:
    """WH3"""
    origin = delivered(receiver)
    third = redeliver(redeliver(origin, alice), alice)

    assert third.origin != origin
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
    assert len({request.body for request in receiver.requests}) == 1


def test_pl4_secrets_are_those_of_today_and_masked_in_the_history(receiver: Receiver, alice: User, team: Team) -> None:
    """PL4"""
    token = factories.make_secret(name="TOKEN", value="old-canary")
    origin = delivered(receiver, payload='{"token": "${ACCESS_TOKEN}", "run": "${run_name}"}', access_token=token)
    token.value = "new-canary"
    token.save()

    again = redeliver(origin, alice)

    assert receiver.requests[1].json() == {"token": "new-canary", "run": "夜間学習-7"}
    assert receiver.requests[1].headers["Authorization"] == "Bearer new-canary"
    assert again.payload == origin.payload
    assert "canary" not in json.dumps(everything(again), default=str)


def test_with_secrets_that_did_not_change_the_body_is_the_same(receiver: Receiver, alice: User, team: Team) -> None:
    token = factories.make_secret(name="TOKEN", value="t0ken-value")
    payload = '{"token": "${ACCESS_TOKEN}", "event": "${event_type}", "by": "${event_author}"}'
    origin = delivered(receiver, payload=payload, access_token=token)
    redeliver(origin, alice)
    assert receiver.requests[1].body == receiver.requests[0].body


def test_with_todays_automation_it_is_another_message(receiver: Receiver, alice: User, team: Team) -> None:
    """HI4"""
    origin = delivered(receiver)
    elsewhere = factories.make_webhook(team, f"{receiver.url}/new", name="new")
    Automation.objects.update(payload='{"today": "${run_name}"}', webhook=elsewhere)

    again = redeliver(origin, alice, content=Content.CURRENT)

    request = receiver.requests[1]
    assert (request.path, request.json()) == ("/hook/new", {"today": "夜間学習-7"})
    assert request.headers["webhook-id"] == f"msg_{again.key.hex}"
    assert request.headers["X-Automation-Replay-Of"] == f"msg_{origin.key.hex}"
    assert again.target == f"new → {receiver.url}/new"


def test_hi4_an_edited_payload_is_rendered_and_secrets_stay_references(
    receiver: Receiver, alice: User, team: Team
) -> None:
    """HI4, PL4"""
    token = factories.make_secret(name="TOKEN", value="t0ken-canary")
    origin = delivered(receiver, access_token=token)

    again = redeliver(
        origin, alice, content=Content.EDITED, payload='{"to": "staging", "run": "${run_name}", "t": "${ACCESS_TOKEN}"}'
    )

    request = receiver.requests[1]
    assert request.json() == {"to": "staging", "run": "夜間学習-7", "t": "t0ken-canary"}
    assert request.headers["X-Automation-Replay-Of"] == request.headers["webhook-id"].replace(
        again.key.hex, origin.key.hex
    )
    assert json.loads(again.payload)["t"] == MASK
    assert "t0ken-canary" not in json.dumps([everything(again), again.redelivery.payload], default=str)  # type: ignore[union-attr]

    third = redeliver(again, alice)
    assert receiver.requests[2].body == request.body
    assert receiver.requests[2].headers["webhook-id"] == request.headers["webhook-id"]
    assert receiver.requests[2].headers["X-Automation-Replay-Of"] == f"msg_{origin.key.hex}"
    assert third.rule["payload"] == again.rule["payload"]


def test_an_edited_payload_has_to_be_json(receiver: Receiver, alice: User, team: Team) -> None:
    origin = delivered(receiver)
    with pytest.raises(ValidationError, match="not JSON"):
        redeliver(origin, alice, content=Content.EDITED, payload='{"to": staging}')
    assert Execution.objects.count() == 1


def test_a_redelivery_neither_matches_again_nor_counts_as_a_firing(receiver: Receiver, alice: User, team: Team) -> None:
    """HI4: EV11's 24 hours have no say, and do not begin anew."""
    origin = delivered(receiver)
    quiet = list(Cooldown.objects.values())
    fired = Automation.objects.values_list("last_triggered_at", flat=True).get()

    redeliver(origin, alice)

    assert list(Cooldown.objects.values()) == quiet
    assert Automation.objects.values_list("last_triggered_at", flat=True).get() == fired


def test_what_was_skipped_can_be_caught_up_with(receiver: Receiver, alice: User, team: Team) -> None:
    origin = delivered(receiver)
    Execution.objects.update(status=Status.SKIPPED, reason_code=ReasonCode.RATE_LIMIT, payload="", result="Too many.")
    origin.refresh_from_db()

    again = redeliver(origin, alice)

    assert (again.status, again.reason_code) == (Status.FINISHED, "")
    assert receiver.requests[1].body == receiver.requests[0].body


def test_ac2_a_rehearsal_is_sent_for_real_only_if_that_is_said(receiver: Receiver, alice: User, team: Team) -> None:
    """AC2"""
    factories.make_automation(webhook=factories.make_webhook(url=receiver.url), shadow=True)
    run = factories.make_run()
    runs.finish(run, exit_code=1, by=run.user, at=timezone.now())
    origin = carried_out(Execution.objects.get())

    with pytest.raises(NotRedeliverable, match="rehearsal in shadow mode"):
        redeliver(origin, alice)
    assert receiver.requests == []
    again = redeliver(origin, alice, for_real=True)
    assert (again.status, again.shadow, len(receiver.requests)) == (Status.FINISHED, False, 1)


def test_asking_again_for_what_was_cancelled_before_it_began_says_so(
    receiver: Receiver, alice: User, team: Team
) -> None:
    """The server was killed between the wish and its execution, and another admin cancelled it."""
    origin = delivered(receiver)
    now = timezone.now()
    Redelivery.objects.create(
        project=origin.project,
        asked_by=alice,
        asked_at=now,
        token="once",
        content=Content.AS_SENT,
        origins=[origin.pk],
        cancelled_at=now,
    )
    with pytest.raises(NotRedeliverable, match="was cancelled"):
        redeliver(origin, alice, token="once")
    assert len(receiver.requests) == 1


def test_ac2_todays_automation_in_shadow_mode_sends_only_if_that_is_said(
    receiver: Receiver, alice: User, team: Team
) -> None:
    """AC2"""
    origin = delivered(receiver)
    Automation.objects.update(shadow=True)
    origin = Execution.objects.get(pk=origin.pk)

    with pytest.raises(NotRedeliverable, match="is today in shadow mode"):
        redeliver(origin, alice, content=Content.CURRENT)
    assert len(receiver.requests) == 1
    assert redeliver(origin, alice).status == Status.FINISHED
    assert redeliver(origin, alice, content=Content.CURRENT, for_real=True).status == Status.FINISHED


def test_what_cannot_be_sent_again_says_why(receiver: Receiver, alice: User, team: Team) -> None:
    origin = delivered(receiver)
    webhook = origin.webhook
    assert webhook is not None
    webhook.paused_at, webhook.paused_reason = timezone.now(), "Gone."
    webhook.save()
    with pytest.raises(NotRedeliverable, match="webhook is paused"):
        redeliver(Execution.objects.get(), alice)
    editing.delete(Automation.objects.get(), by=alice)
    with pytest.raises(NotRedeliverable, match="automation was deleted"):
        redeliver(Execution.objects.get(), alice, content=Content.CURRENT)
    webhook.delete()
    with pytest.raises(NotRedeliverable, match="webhook it went to was deleted"):
        redeliver(Execution.objects.get(), alice)
    Execution.objects.update(status=Status.PENDING, next_attempt_at=timezone.now() + timedelta(hours=1))
    with pytest.raises(NotRedeliverable, match="not over yet"):
        redeliver(Execution.objects.get(), alice)
    assert Execution.objects.count() == 1


def test_what_does_nothing_is_recorded_once_more(alice: User, team: Team) -> None:
    factories.make_automation()
    run = factories.make_run()
    runs.finish(run, exit_code=1, by=run.user, at=timezone.now())
    origin = carried_out(Execution.objects.get())
    assert redeliver(origin, alice).status == Status.FINISHED
    with pytest.raises(NotRedeliverable, match="Only what goes to a webhook"):
        redeliver(origin, alice, content=Content.EDITED, payload="{}")


def test_only_team_admins_redeliver(receiver: Receiver, bob: User, charlie: User, team: Team) -> None:
    """Chapter 8: redeliver is for team admins."""
    origin = delivered(receiver)
    with pytest.raises(PermissionDenied, match="You may not redeliver"):
        redeliver(origin, bob)
    with pytest.raises(Http404):
        redeliver(origin, charlie)
    assert len(receiver.requests) == 1


def test_what_a_registrys_automation_did_is_for_the_registrys_admins(
    alice: User, bob: User, project: Project, registry: Registry
) -> None:
    """Chapter 8: redeliver is for registry admins, though the version is from a team's project."""
    factories.make_automation(registry, "LINK_MODEL", condition={})
    factories.make_link(factories.make_version(project), factories.make_collection(registry))
    origin = carried_out(Execution.objects.get())
    assert (origin.project, origin.registry, origin.home) == (project, registry, registry)
    factories.make_team(admin=bob)

    with pytest.raises(PermissionDenied, match="in acme/models"):
        redeliver(origin, bob)
    assert redeliver(origin, alice).status == Status.FINISHED
    assert list(Execution.objects.kept_by(registry)) == list(Execution.objects.all())
    assert list(Execution.objects.kept_by(project)) == []


def test_ac3_another_teams_webhook_gets_only_what_the_automation_sends_it(
    receiver: Receiver, alice: User, team: Team
) -> None:
    """AC3: nobody writes by hand to the endpoints of a team they have no say in."""
    foreign = factories.make_webhook(factories.make_team("other"), receiver.url)
    automation = factories.make_automation(webhook=foreign)
    run = factories.make_run()
    runs.finish(run, exit_code=1, by=run.user, at=timezone.now())
    origin = carried_out(Execution.objects.get())

    assert redeliver(origin, alice).status == Status.FINISHED
    with pytest.raises(PermissionDenied, match="An edited payload goes only to"):
        redeliver(origin, alice, content=Content.EDITED, payload="{}")
    automation.webhook = factories.make_webhook(team, receiver.url, name="own")
    automation.save()
    with pytest.raises(PermissionDenied, match="no longer goes there"):
        redeliver(Execution.objects.get(pk=origin.pk), alice)
    factories.make_team("other", admin=alice)
    assert redeliver(Execution.objects.get(pk=origin.pk), alice).status == Status.FINISHED


def test_asking_twice_with_one_token_is_asking_once(receiver: Receiver, alice: User, team: Team) -> None:
    """IF3"""
    origin = delivered(receiver)
    again = redeliver(origin, alice, token="click-1")
    assert redeliver(origin, alice, token="click-1") == again
    assert redeliver(origin, alice, token="click-2") != again
    assert len(receiver.requests) == 3
    with pytest.raises(TokenUsed):
        redeliver(again, alice, token="click-1")
    with pytest.raises(TokenUsed):
        redeliver(origin, alice, token="click-1", content=Content.CURRENT)


def test_the_chain_of_the_loop_guard_is_kept(receiver: Receiver, alice: User, team: Team) -> None:
    from automations import causes

    origin = delivered(receiver)
    again = redeliver(origin, alice)
    chain = causes.read(receiver.requests[1].headers["X-Automation-Cause"])
    assert [(cause.execution, cause.automation) for cause in chain] == [(again.key, origin.automation_id)]
