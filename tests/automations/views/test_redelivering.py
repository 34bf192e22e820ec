"""Redelivering from pages (HI4, UI6)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.utils import timezone

from automations.models import Content, Execution, Redelivery, Status
from tests import factories

if TYPE_CHECKING:
    from projects.models import Project, User
    from registries.models import Registry

pytestmark = pytest.mark.django_db

BULK = "/research/digits/history/redeliver"
RULE = {"name": "Page", "event_type": "RUN_STATE", "action_kind": "GENERIC_WEBHOOK", "payload": '{"to": "${run_name}"}'}


@pytest.fixture
def execution(project: Project) -> Execution:
    """One that failed, of a webhook."""
    automation = factories.make_automation(project, webhook=factories.make_webhook(project.team))
    return failed(automation)


def failed(automation: Any, **fields: Any) -> Execution:
    return factories.make_execution(
        automation,
        factories.make_event(),
        **{"status": Status.FAILED, "rule": RULE, "payload": '{"to":"old"}', **fields},
    )


def wish(**fields: Any) -> dict[str, Any]:
    return {"content": "as_sent", "reason": "", "token": uuid.uuid4().hex, **fields}


def test_hi4_the_page_offers_it_to_admins_and_leads_to_the_new_execution(
    browser: Callable[[User], Client], alice: User, bob: User, charlie: User, execution: Execution
) -> None:
    """HI4, chapter 8"""
    page, address = execution.get_absolute_url(), f"{execution.get_absolute_url()}redeliver"
    assert address in browser(alice).get(page).content.decode()
    assert address not in browser(bob).get(page).content.decode()
    assert (browser(bob).get(address).status_code, browser(charlie).get(address).status_code) == (403, 404)

    answer = browser(alice).post(address, wish(reason="ポケベルが止まっていた"))

    made = Execution.objects.exclude(redelivery=None).get()
    assert (answer.status_code, answer["Location"]) == (302, made.get_absolute_url())
    shown = browser(bob).get(answer["Location"]).content.decode()
    for part in ("Redelivered by alice", "ポケベルが止まっていた", page):
        assert part in shown
    assert made.get_absolute_url() in browser(bob).get(page).content.decode()


def test_a_double_click_makes_one(browser: Callable[[User], Client], alice: User, execution: Execution) -> None:
    client, data = browser(alice), wish()
    first, second = (client.post(f"{execution.get_absolute_url()}redeliver", data) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Execution.objects.count() == 2


def test_the_editor_holds_what_was_sent_and_keeps_what_was_typed(
    browser: Callable[[User], Client], alice: User, execution: Execution
) -> None:
    client, address = browser(alice), f"{execution.get_absolute_url()}redeliver"
    assert client.get(address).context["form"]["payload"].value() == '{\n  "to": "old"\n}'

    refused = client.post(address, wish(content="edited", payload='{"to": new}', reason="why"))
    assert refused.status_code == 422
    form = refused.context["form"]
    assert "not JSON" in form.errors["payload"][0]
    assert (form["payload"].value(), form["reason"].value()) == ('{"to": new}', "why")

    client.post(address, wish(content="edited", payload='{"to": "new"}'))
    made = Execution.objects.exclude(redelivery=None).get()
    Execution.objects.filter(pk=made.pk).update(payload='{"to":"new"}')
    page = client.get(made.get_absolute_url())
    assert [(line.sign, line.text) for line in page.context["payload_changes"] if line.sign in "+-"] == [
        ("-", '  "to": "old"'),
        ("+", '  "to": "new"'),
    ]


def test_what_cannot_be_sent_again_is_said_instead_of_asked(
    browser: Callable[[User], Client], alice: User, execution: Execution
) -> None:
    client, address = browser(alice), f"{execution.get_absolute_url()}redeliver"
    assert execution.automation is not None
    execution.automation.delete()
    assert "With today" not in client.get(address).content.decode()
    assert execution.webhook is not None
    execution.webhook.delete()
    assert "The webhook it went to was deleted" in client.get(address).content.decode()
    assert client.post(address, wish()).status_code == 200
    assert Redelivery.objects.count() == 0


def test_a_rehearsal_is_sent_only_for_real(
    browser: Callable[[User], Client], alice: User, execution: Execution
) -> None:
    """AC2"""
    Execution.objects.update(shadow=True, status=Status.SKIPPED, reason_code="shadow")
    client, address = browser(alice), f"{execution.get_absolute_url()}redeliver"
    assert "Send for real" in client.get(address).content.decode()
    refused = client.post(address, wish())
    assert (refused.status_code, Execution.objects.count()) == (422, 1)
    assert "rehearsal in shadow mode" in refused.content.decode()
    assert client.post(address, wish(for_real="on")).status_code == 302


def test_what_waits_has_buttons_that_hurry_it_or_call_it_off(
    browser: Callable[[User], Client], alice: User, bob: User, execution: Execution
) -> None:
    Execution.objects.update(status=Status.PENDING, next_attempt_at=timezone.now() + timedelta(hours=1))
    client, page = browser(alice), execution.get_absolute_url()
    assert "Try now" in client.get(page).content.decode()
    assert "Try now" not in browser(bob).get(page).content.decode()
    assert browser(bob).post(f"{page}cancel").status_code == 403
    assert "It is tried now." in client.post(f"{page}try-now", follow=True).content.decode()
    assert "Cancelled by alice." in client.post(f"{page}cancel", follow=True).content.decode()
    assert "over already: Skipped" in client.post(f"{page}cancel", follow=True).content.decode()


def test_many_are_chosen_by_row_or_by_filter(
    browser: Callable[[User], Client], alice: User, bob: User, execution: Execution
) -> None:
    """HI4"""
    second, done = failed(execution.automation), failed(execution.automation, status=Status.FINISHED)
    waiting = failed(execution.automation, status=Status.PENDING)
    client = browser(alice)
    assert 'name="pick"' in client.get("/research/digits/history").content.decode()
    assert 'name="pick"' not in browser(bob).get("/research/digits/history").content.decode()
    assert browser(bob).get(BULK).status_code == 403

    asked = client.get(BULK, {"status": "failed"})
    assert "Redeliver 2 executions" in asked.content.decode()
    answer = client.post(f"{BULK}?status=failed", wish(upto=asked.context["upto"]))
    redelivery = Redelivery.objects.get()
    assert (answer["Location"], redelivery.origins) == (redelivery.get_absolute_url(), [execution.pk, second.pk])

    asked = client.get(f"{BULK}?picked=&pick={done.pk}&pick={waiting.pk}&pick=x&pick=999999")
    assert "1 left out: It is not over yet." in asked.content.decode()
    client.post(f"{BULK}?picked=&pick={done.pk}&pick={waiting.pk}", wish())
    assert Redelivery.objects.first().origins == [done.pk]  # type: ignore[union-attr]
    assert "nothing to redeliver" in client.get(f"{BULK}?picked=").content.decode()


def test_what_happens_between_question_and_answer_is_not_redelivered(
    browser: Callable[[User], Client], alice: User, execution: Execution
) -> None:
    client = browser(alice)
    upto = client.get(BULK).context["upto"]
    failed(execution.automation)
    data = wish(upto=upto)
    first, second = (client.post(BULK, data) for _ in range(2))
    assert Redelivery.objects.get().origins == [execution.pk]
    assert first["Location"] == second["Location"]


def test_progress_is_shown_and_what_waits_can_be_cancelled(
    browser: Callable[[User], Client], alice: User, bob: User, charlie: User, execution: Execution
) -> None:
    failed(execution.automation)
    client = browser(alice)
    address = client.post(BULK, wish(reason="Outage"))["Location"]
    first = Execution.objects.exclude(redelivery=None).order_by("pk").first()
    assert first is not None
    Execution.objects.filter(pk=first.pk).update(status=Status.FINISHED, next_attempt_at=None)

    page = client.get(address).content.decode()
    for part in ("1 of 2", "Outage", "asked for by alice", "Cancel what waits", "every 2s", first.get_absolute_url()):
        assert part in page
    assert "Cancel what waits" not in browser(bob).get(address).content.decode()
    assert browser(bob).post(f"{address}cancel").status_code == 403
    assert browser(charlie).get(address).status_code == 404
    part = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "1 of 2" in part
    assert "<html" not in part

    page = client.post(f"{address}cancel", follow=True).content.decode()
    assert "2 of 2" in page
    assert "Cancelled by alice" in page
    assert "every 2s" not in page


def test_a_registrys_history_redelivers_what_its_automations_did(
    browser: Callable[[User], Client], alice: User, project: Project, registry: Registry
) -> None:
    automation = factories.make_automation(registry, "LINK_MODEL", condition={})
    factories.make_link(factories.make_version(project), factories.make_collection(registry))
    Execution.objects.update(status=Status.SKIPPED, next_attempt_at=None)
    client = browser(alice)
    client.post("/registries/acme/models/history/redeliver", wish(content=Content.CURRENT))
    assert Redelivery.objects.get().registry == registry
    assert automation.executions.count() == 2
    # A project's admins have no say about a registry's automations, though it happened in their project, too.
    assert "nothing to redeliver" in client.get(BULK).content.decode()
