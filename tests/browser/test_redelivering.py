"""A webhook that fails, is mended and is sent again; many at once by keyboard (HI3, HI4, UI6), in a real browser."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from automations import executions
from automations.models import Execution, Status
from projects import runs
from tests import factories

if TYPE_CHECKING:
    from projects.models import Project, User
    from tests.browser.conftest import OpenPage, Witness
    from tests.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = {"viewport": {"width": 375, "height": 800}}
HISTORY = "/research/digits/history"
PAYLOAD = json.dumps({"text": "${run_name} が失敗しました", "environment": "prod", "by": "${event_author}"})


@pytest.fixture(autouse=True)
def refused_forms(witness: Witness) -> None:
    """A form that is filled in badly is answered with 422, which Chromium tells of."""
    witness.refusals.add(422)


def fail(project: Project, by: User, name: str) -> Execution:
    run = factories.make_run(project, user=by, display_name=name)
    runs.finish(run, exit_code=1, by=by, at=timezone.now())
    execution = Execution.objects.latest("pk")
    executions.run(execution.pk)
    return execution


def work() -> None:
    """What workers would do."""
    for execution in Execution.objects.filter(status=Status.PENDING).order_by("pk"):
        executions.run(execution.pk)


def automate(project: Project, receiver: Receiver, **webhook: Any) -> None:
    secret = factories.make_secret(project.team, "SIGNING", "s3cret-canary")
    hook = factories.make_webhook(project.team, receiver.url, secret=secret, **webhook)
    factories.make_automation(project, name="失敗を知らせる", webhook=hook, payload=PAYLOAD)


@pytest.mark.parametrize("options", [{}, PHONE])
def test_a_failure_is_seen_edited_and_sent_again(
    open_page: OpenPage, receiver: Receiver, alice: User, project: Project, options: dict[str, Any]
) -> None:
    """HI4"""
    automate(project, receiver)
    receiver.behave(times=1, status=422, body=b'{"error": "environment prod is not known"}')
    origin = fail(project, alice, "夜間学習-" + "長い名前" * 20)
    page = open_page(alice, **options)
    page.goto(origin.get_absolute_url())
    expect(page.get_by_text("The receiver answered 422").first).to_be_visible()
    page.get_by_text("Receiver kit").click()
    page.get_by_text("Python", exact=True).first.click()
    expect(page.get_by_text("def is_genuine")).to_be_visible()
    assert "s3cret-canary" not in page.content()

    page.get_by_role("link", name="Redeliver").click()
    page.get_by_role("radio", name="With an edited payload").check()
    editor = page.get_by_role("textbox", name="Payload")
    editor.fill(editor.input_value().replace('"prod"', "production"))
    page.get_by_label("Reason").fill("環境名が変わった")
    page.get_by_role("dialog").get_by_role("button", name="Redeliver").click()
    expect(page.get_by_text("The payload is not JSON")).to_be_visible()
    editor.fill(editor.input_value().replace("production", '"production"'))
    page.get_by_role("dialog").get_by_role("button", name="Redeliver").click()

    expect(page.get_by_role("heading", name="Redelivered by alice")).to_be_visible()
    work()
    expect(page.get_by_text("The receiver answered 200 OK.")).to_be_visible()
    page.get_by_text("What is different").click()
    expect(page.get_by_text('"environment": "production"').last).to_be_visible()
    assert receiver.requests[1].json()["environment"] == "production"
    page.get_by_role("link", name="the execution it repeats").click()
    expect(page.get_by_text("Redelivered since")).to_be_visible()


@pytest.mark.parametrize("options", [{}, PHONE])
def test_many_are_chosen_with_the_keyboard_and_followed_to_their_end(
    open_page: OpenPage, receiver: Receiver, alice: User, project: Project, options: dict[str, Any]
) -> None:
    """HI4, UI6"""
    automate(project, receiver)
    receiver.behave(times=3, status=400)
    for name in ("night-1", "night-2", "夜間-3"):
        fail(project, alice, name)
    page = open_page(alice, **options)
    page.goto(HISTORY)
    boxes = page.get_by_role("checkbox", name="Choose the execution")
    boxes.nth(0).focus()
    page.keyboard.press("Space")
    boxes.nth(2).focus()
    page.keyboard.press("Space")
    expect(page.locator("[data-pick-count]")).to_have_text("2")
    button = page.get_by_role("button", name="Redeliver chosen")
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Redeliver 2 executions")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    dialog.get_by_label("Reason").fill("The pager was down.")
    dialog.get_by_role("button", name="Redeliver").press("Enter")

    expect(page.get_by_text("0 of 2")).to_be_visible()
    executions.run(Execution.objects.filter(status=Status.PENDING).order_by("pk")[0].pk)
    expect(page.get_by_text("1 of 2")).to_be_visible()
    page.get_by_role("button", name="Cancel what waits").press("Enter")
    expect(page.get_by_text("2 of 2")).to_be_visible()
    expect(page.get_by_text("Cancelled by alice").first).to_be_visible()
    assert len(receiver.requests) == 4
