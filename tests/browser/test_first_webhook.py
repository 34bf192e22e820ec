"""The main journey: from signing in to three signed webhooks and a history that says why."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect

from automations import executions, signing
from automations.models import Execution, Status
from tests import factories
from tests.browser.wizard import Wizard
from tests.receiver import Received, Receiver

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from projects.models import Project, Team, User

TOKEN = "canary-token-7f3a91"
SIGNING_KEY = "canary-signing-key-51c0de"
RUNS = "/api/projects/research/digits/runs/"


def sign_in(page: Page, username: str, password: str) -> None:
    page.goto("/login")
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def answer_dialog(page: Page, opener: str, action: str, **answers: str) -> None:
    """Open a dialog, fill in or choose by label, and leave it with the button `action`."""
    page.get_by_role("button", name=opener, exact=True).click()
    dialog = page.get_by_role("dialog")
    for label, answer in answers.items():
        field = dialog.get_by_label(label.replace("_", " "))
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(label=answer)
        else:
            field.fill(answer)
    dialog.get_by_role("button", name=action).click()


def set_up_webhook(page: Page, url: str) -> None:
    """Two secrets and the webhook that uses them, in Team settings."""
    page.get_by_role("link", name="Team settings").click()
    for name, value in (("DEPLOY_TOKEN", TOKEN), ("SIGNING_KEY", SIGNING_KEY)):
        answer_dialog(page, "Create secret", "Create secret", Name=name, Value=value)
        expect(page.locator("#toasts")).to_contain_text(f"Secret {name} created.")
    answer_dialog(
        page,
        "Create webhook",
        "Create webhook",
        Name="receiver",
        Endpoint_URL=url,
        Access_token="DEPLOY_TOKEN",
        Signing_secret="SIGNING_KEY",
    )
    expect(page.locator("#toasts")).to_contain_text("Webhook receiver created.")
    expect_no_secret(page)


def try_webhook(page: Page, receiver: Receiver) -> None:
    """WH4: the panel shows status, body and time."""
    receiver.behave(times=1, body=b'{"heard": "you"}')
    page.get_by_role("button", name="Test receiver").click()
    dialog = page.get_by_role("dialog", name="Test webhook receiver")
    dialog.get_by_role("button", name="Send test").click()
    answer = dialog.get_by_role("region", name="Answer")
    expect(answer).to_contain_text(re.compile(r"200 OK in \d+(\.\d+)? m?s"))
    expect(answer.get_by_label("Response body")).to_contain_text('{"heard": "you"}')
    assert [problems_of(request) for request in receiver.requests] == [[]]
    expect_no_secret(page)
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()


def begin(page: Page) -> Wizard:
    """From wherever one is to the first step, by the links of the pages."""
    page.get_by_role("navigation", name="Sections").get_by_role("link", name="Automations").click()
    page.get_by_role("link", name="Create automation").first.click()
    wizard = Wizard(page)
    wizard.expect_step("What starts it")
    return wizard


def call_receiver(wizard: Wizard) -> None:
    wizard.next()
    wizard.expect_step("What it does")
    wizard.page.get_by_role("combobox", name="Webhook", exact=True).select_option(label="receiver (127.0.0.1)")


def name_it(wizard: Wizard, name: str) -> None:
    wizard.next()
    wizard.expect_step("What it is called")
    wizard.page.get_by_label("Name").fill(name)
    wizard.create()
    expect(wizard.page.locator("#toasts")).to_contain_text(f"Automation “{name}” created.")
    expect(wizard.page.get_by_role("heading", level=1)).to_have_text(name)


def send(client: APIClient, address: str, body: object) -> dict[str, str]:
    """What a training script sends. NaN is written as Python writes it."""
    answer = client.post(address, json.dumps(body), content_type="application/json")
    assert answer.status_code in {200, 201}, answer.content
    found: dict[str, str] = answer.json()
    return found


def carry_out() -> None:
    """What workers do with the queue."""
    for pk in Execution.objects.filter(status=Status.PENDING).order_by("pk").values_list("pk", flat=True):
        executions.run(pk)


def create_failure_automation(page: Page) -> None:
    """When a run fails; the payload is written by clicks, and Back keeps everything."""
    wizard = begin(page)
    wizard.expect_sentence("When an event happens, do something.")
    wizard.choose("Event", "Run state")
    wizard.expect_sentence("When a run changes its state, do something.")
    page.get_by_label("Failed or crashed").check()
    wizard.expect_sentence("When a run fails, do something.")
    call_receiver(wizard)
    wizard.expect_sentence("When a run fails, call webhook receiver.")
    wizard.payload.fill('{"text": "')
    page.get_by_role("button", name="${run_name}").click()
    wizard.payload.press_sequentially(" is ")
    page.get_by_role("button", name="${run_status}").click()
    wizard.payload.press_sequentially('", "token": "')
    page.get_by_role("button", name="${ACCESS_TOKEN}").click()
    wizard.payload.press_sequentially('"}')
    typed = '{"text": "${run_name} is ${run_status}", "token": "${ACCESS_TOKEN}"}'
    expect(wizard.payload).to_have_value(typed)
    expect_preview(page, "earlier-run is failed")
    wizard.back()
    wizard.expect_step("What starts it")
    expect(page.get_by_label("Failed or crashed")).to_be_checked()
    wizard.next()
    expect(wizard.payload).to_have_value(typed)
    name_it(wizard, "Run failure alert")


def expect_preview(page: Page, text: str) -> None:
    preview = page.get_by_label("What it would have sent last time")
    expect(preview).to_contain_text(text)
    expect_no_secret(page)


def create_loss_automation(page: Page) -> None:
    wizard = begin(page)
    wizard.choose("Event", "Run metric threshold")
    page.get_by_role("combobox", name="Metric").fill("loss")
    page.get_by_label("Comparison").select_option(label="is NaN or infinite")
    wizard.expect_sentence("When loss is NaN or infinite, do something.")
    call_receiver(wizard)
    name_it(wizard, "Loss guard")


def create_alias_automation(page: Page) -> None:
    wizard = begin(page)
    wizard.choose("Event", "Alias added")
    page.get_by_label("Alias matches").fill("^production$")
    wizard.expect_sentence("When alias ^production$ is added, do something.")
    call_receiver(wizard)
    name_it(wizard, "Deploy production")


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Sections").get_by_role("link", name=name).click()


def row_of(page: Page, automation: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=automation))


def problems_of(request: Received) -> list[str]:
    return signing.verify(request.body, request.headers, secret=SIGNING_KEY, now=time.time())


def check_history(page: Page) -> None:
    """HI1, HI2: what happened, and that it is finished, without anybody asking further."""
    page.get_by_role("link", name="digits").first.click()
    open_tab(page, "History")
    for automation, subject in (
        ("Run failure alert", "fails"),
        ("Loss guard", "diverges"),
        ("Deploy production", "classifier:production"),
    ):
        row = row_of(page, automation)
        expect(row).to_have_count(1)
        expect(row).to_contain_text("Finished")
        expect(row.get_by_role("link", name=subject)).to_be_visible()
    expect_no_secret(page)


def check_execution(page: Page) -> None:
    """HI3: from the event to the outcome, with the payload and the attempt, and the secrets masked."""
    row_of(page, "Run failure alert").get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Run failure alert")
    story = page.get_by_role("list").filter(has=page.get_by_role("heading", name="Why it matched"))
    expect(story.get_by_role("heading", level=3)).to_have_text(
        ["Run state: fails failed", "Why it matched", "The automation as it was", "Call webhook receiver", "Finished"]
    )
    payload = page.get_by_label("Payload as sent, secrets masked")
    expect(payload).to_contain_text("fails is failed")
    attempt = page.get_by_role("article")
    expect(attempt).to_have_count(1)
    expect(attempt).to_contain_text(re.compile(r"Attempt 1\b.*\b200 in \d", re.DOTALL))
    attempt.get_by_text("Request", exact=True).click()
    expect(attempt).to_contain_text("webhook-signature")
    expect(attempt).to_contain_text("X-Wandb-Signature")
    expect_no_secret(page)


def expect_no_secret(page: Page) -> None:
    """Neither seen nor in what is folded, hidden or in a field."""
    text = page.content() + "".join(page.locator("input, textarea").evaluate_all("all => all.map(one => one.value)"))
    assert TOKEN not in text
    assert SIGNING_KEY not in text


@pytest.fixture
def script(api: Callable[[User | None], APIClient], bob: User, project: Project) -> APIClient:
    """The training script of bob; an earlier run of his has failed."""
    client = api(bob)
    run = send(client, RUNS, {"display_name": "earlier-run"})
    send(client, f"{RUNS}{run['run_id']}/finish/", {"exit_code": 1})
    return client


def train_three_times(script: APIClient) -> None:
    """One run fails, one diverges, one promotes its model."""
    failing = send(script, RUNS, {"display_name": "fails"})
    send(script, f"{RUNS}{failing['run_id']}/finish/", {"exit_code": 1})
    diverging = send(script, RUNS, {"display_name": "diverges"})
    send(script, f"{RUNS}{diverging['run_id']}/metrics/", [{"loss": 0.5}, {"loss": float("nan")}, {"loss": 0.4}])
    send(script, f"{RUNS}{diverging['run_id']}/finish/", {"exit_code": 0})
    model = {"collection": "classifier", "type": "model", "aliases": ["staging", "production"]}
    send(script, "/api/projects/research/digits/artifacts/", model)


def test_three_automations_made_in_the_browser_each_deliver_one_signed_webhook(
    page: Page, team: Team, script: APIClient, receiver: Receiver
) -> None:
    """UI2, WH2, WH3, HI1–HI3, SE1: the journey of a new user, and nothing shows the secrets on the way."""
    sign_in(page, "alice", factories.PASSWORD)
    page.get_by_role("link", name="digits").first.click()
    set_up_webhook(page, receiver.url)
    try_webhook(page, receiver)
    page.get_by_role("link", name="Projects").click()
    page.get_by_role("link", name="digits").click()
    create_failure_automation(page)
    page.get_by_role("link", name="digits").first.click()
    create_loss_automation(page)
    page.get_by_role("link", name="digits").first.click()
    create_alias_automation(page)
    receiver.requests.clear()

    train_three_times(script)
    carry_out()

    requests = receiver.requests
    assert [problems_of(request) for request in requests] == [[], [], []]
    assert [request.headers["Authorization"] for request in requests] == [f"Bearer {TOKEN}"] * 3
    assert requests[0].json() == {"text": "fails is failed", "token": TOKEN}
    assert requests[1].json()["metric"]["name"] == "loss"
    assert requests[2].json()["alias"] == "production"
    check_history(page)
    check_execution(page)
