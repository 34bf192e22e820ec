"""A webhook that fails, is mended and is sent again, one or many, in both languages and widths, by keyboard alone
(HI3, HI4, UI6)."""

from __future__ import annotations

import json
import re
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
    from tests.browser.conftest import Witness
    from tests.browser.visitor import Visitor
    from tests.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)

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


def test_a_failure_is_seen_edited_and_sent_again(
    visitor: Visitor, receiver: Receiver, alice: User, project: Project
) -> None:
    """HI4"""
    automate(project, receiver)
    receiver.behave(times=1, status=422, body=b'{"error": "environment prod is not known"}')
    origin = fail(project, alice, "夜間学習-" + "長い名前" * 20)
    page = visitor.page
    page.goto(origin.get_absolute_url())
    expect(page.get_by_text("422").first).to_be_visible()
    visitor.press(page.locator("summary").filter(has_text=visitor.words("Receiver kit")))
    visitor.press(page.locator("summary").filter(has_text="Python").first)
    expect(page.get_by_text("def is_genuine")).to_be_visible()
    assert "s3cret-canary" not in page.content()

    visitor.press(visitor.find("link", "Redeliver"))
    dialog = page.get_by_role("dialog")
    visitor.press(visitor.find("radio", "As it was sent", within=dialog), "ArrowUp")
    expect(visitor.find("radio", "With an edited payload", within=dialog)).to_be_checked()
    editor = visitor.find("textbox", "Payload", within=dialog)
    payload = editor.input_value()
    assert '"prod"' in payload
    visitor.write(editor, payload.replace('"prod"', "production"))
    visitor.write(visitor.begins("textbox", "Reason", within=dialog), "環境名が変わった")
    visitor.press(visitor.find("button", "Redeliver", within=dialog))
    expect(editor).to_have_attribute("aria-invalid", "true")
    told = {"problem": visitor.words("Expecting value"), "line": r"\d+", "column": r"\d+"}
    said = visitor.words("The payload is not JSON: %(problem)s at line %(line)s, column %(column)s.", **told)
    expect(editor).to_have_accessible_description(re.compile(said))
    visitor.write(editor, payload.replace('"prod"', '"production"'))
    visitor.press(visitor.find("button", "Redeliver", within=dialog))

    expect(visitor.find("heading", "Redelivered by %(user)s", user="alice")).to_be_visible()
    work()
    expect(visitor.find("heading", "Finished")).to_be_visible()
    visitor.press(
        page.locator("summary").filter(has_text=visitor.words("What is different from the execution it repeats"))
    )
    expect(page.get_by_text('"environment": "production"').last).to_be_visible()
    assert receiver.requests[1].json()["environment"] == "production"
    visitor.press(visitor.find("link", "the execution it repeats"))
    expect(page.get_by_text(visitor.words("Redelivered since:"))).to_be_visible()


def test_many_are_chosen_and_followed_to_their_end(
    visitor: Visitor, receiver: Receiver, alice: User, project: Project
) -> None:
    """HI4, UI6"""
    automate(project, receiver)
    receiver.behave(times=3, status=400)
    for name in ("night-1", "night-2", "夜間-3"):
        fail(project, alice, name)
    page = visitor.page
    page.goto(HISTORY)
    boxes = page.locator("tbody").get_by_role("checkbox")
    visitor.press(boxes.nth(0), "Space")
    visitor.press(boxes.nth(2), "Space")
    expect(page.locator("[data-pick-count]")).to_have_text("2")
    button = visitor.begins("button", "Redeliver chosen")
    visitor.press(button)
    title = visitor.count("Redeliver %(count)s execution", "Redeliver %(count)s executions", 2)
    dialog = page.get_by_role("dialog", name=title, exact=True)
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    visitor.write(visitor.begins("textbox", "Reason", within=dialog), "The pager was down.")
    visitor.press(visitor.find("button", "Redeliver", within=dialog))

    progress = visitor.find("progressbar", "Executions that are done")
    expect(progress).to_have_attribute("value", "0")
    cancel = visitor.find("button", "Cancel what waits")
    visitor.press(cancel, "Shift")
    executions.run(Execution.objects.filter(status=Status.PENDING).order_by("pk")[0].pk)
    expect(progress).to_have_attribute("value", "1")
    # It came anew with all around it.
    expect(cancel).to_be_focused()
    page.keyboard.press("Enter")
    expect(progress).to_have_attribute("value", "2")
    told = visitor.count(
        "Cancelled: %(count)s execution will not be sent.", "Cancelled: %(count)s executions will not be sent.", 1
    )
    expect(page.locator("#toasts")).to_contain_text(told)
    assert len(receiver.requests) == 4
