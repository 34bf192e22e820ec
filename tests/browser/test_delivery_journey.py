"""The journey of whoever sets up deliveries: connect Slack, make a webhook with a secret, watch one fail, see why, put
it right, redeliver, see it finished."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from automations import executions, signing
from automations.models import Execution, Status
from projects import runs
from tests import factories
from tests.browser.wizard import Wizard
from tests.receiver import Behaviour, Received, Receiver
from tests.slack import CLIENT_ID, CLIENT_SECRET, FakeSlack, channel

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

    from projects.models import Project, User
    from tests.browser.conftest import OpenPage, Witness

pytestmark = pytest.mark.django_db(transaction=True)
SIGNING_KEY = "canary-signing-key-51c0de"
SETTINGS = "/teams/research/settings/"


class Pager(Receiver):
    """Listens at /hook, and knows nothing of other paths."""

    def _take(self, received: Received) -> Behaviour:
        behaviour = super()._take(received)
        return behaviour if received.path == "/hook" else Behaviour(status=404, body=b'{"error": "no such route"}')


@pytest.fixture
def pager() -> Iterator[Pager]:
    with Pager() as listening:
        yield listening


@pytest.fixture
def slack(settings: Any, live_server: LiveServer, witness: Witness) -> Iterator[FakeSlack]:
    """A Slack in which the operator has made an app, to which people are sent."""
    with FakeSlack() as server:
        server.serve(settings)
        settings.SLACK_CLIENT_ID, settings.SLACK_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
        settings.PUBLIC_URL = live_server.url
        server.redirect_urls = {f"{live_server.url}/settings/slack/connected"}
        server.listed += [channel("ml-releases", "C0000000002"), channel("random", "C0000000003", member=False)]
        server.channels.add("C0000000002")
        witness.elsewhere.add(server.authorize_url.partition("/oauth")[0])
        yield server


def answer_dialog(page: Page, opener: str, action: str, answers: dict[str, str]) -> None:
    page.get_by_role("button", name=opener, exact=True).click()
    dialog = page.get_by_role("dialog")
    for label, answer in answers.items():
        field = dialog.get_by_label(label)
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(label=answer)
        else:
            field.fill(answer)
    dialog.get_by_role("button", name=action).click()


def connect_slack(page: Page) -> None:
    """No at first, then yes: the channel chosen in Slack is there, and another one is picked."""
    page.goto(SETTINGS)
    page.get_by_role("button", name="Connect Slack").click()
    page.get_by_role("link", name="Cancel").click()
    expect(page.locator("#toasts")).to_contain_text("Slack was not connected, because it was not allowed in Slack.")
    page.get_by_role("button", name="Connect Slack").click()
    expect(page.get_by_role("heading", name="Automations asks to post to Acme")).to_be_visible()
    page.get_by_role("link", name="Allow").click()
    expect(page.locator("#toasts")).to_contain_text("Connected to Acme: automations may post to #ml-alerts.")

    page.get_by_role("button", name="Add a channel of Acme").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("radio")).to_have_count(3)
    dialog.get_by_label("Channel", exact=True).press_sequentially("releases")
    expect(dialog.get_by_role("radio")).to_have_count(1)
    dialog.get_by_role("radio").check()
    dialog.get_by_role("button", name="Add channel").click()
    expect(page.locator("#toasts")).to_contain_text("Slack channel #ml-releases added.")


def make_webhook(page: Page, url: str) -> None:
    answer_dialog(page, "Create secret", "Create secret", {"Name": "SIGNING_KEY", "Value": SIGNING_KEY})
    expect(page.locator("#toasts")).to_contain_text("Secret SIGNING_KEY created.")
    fields = {"Name": "pager", "Endpoint URL": url, "Signing secret": "SIGNING_KEY"}
    answer_dialog(page, "Create webhook", "Create webhook", fields)
    expect(page.locator("#toasts")).to_contain_text("Webhook pager created.")


def begin(page: Page, action: str) -> Wizard:
    """An automation on failed runs, up to the fields of its action."""
    page.goto("/research/digits/automations/new")
    wizard = Wizard(page)
    wizard.choose("Event", "Run state")
    page.get_by_role("checkbox", name="Failed or crashed").check()
    wizard.next()
    wizard.expect_step("What it does")
    wizard.choose("Action", action)
    return wizard


def create(wizard: Wizard, name: str) -> None:
    wizard.next()
    wizard.expect_step("What it is called")
    wizard.page.get_by_label("Name").fill(name)
    wizard.create()
    expect(wizard.page.locator("#toasts")).to_contain_text(f"Automation “{name}” created.")


def make_automations(page: Page) -> None:
    """One calls the webhook with a payload that starts from a preset; one posts to Slack."""
    wizard = begin(page, "Webhook")
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.get_by_role("combobox", name="Webhook", exact=True).select_option(label="pager (127.0.0.1)")
    # The webhook brings presets of its own, in a menu that takes the place of this one.
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added")).to_have_count(0)
    page.get_by_role("button", name="Start from…").click()
    page.get_by_role("button", name="All variables").click()
    expect(wizard.payload).to_have_value(re.compile(r'"run_status": "\$\{run_status\}"'))
    create(wizard, "Page somebody")

    wizard = begin(page, "Slack notification")
    page.get_by_label("Slack channel", exact=True).select_option("#ml-alerts (Acme)")
    page.get_by_label("Severity").select_option("Error")
    create(wizard, "Tell the team")


def carry_out() -> None:
    """What workers do with the queue."""
    for pk in Execution.objects.filter(status=Status.PENDING).order_by("pk").values_list("pk", flat=True):
        executions.run(pk)


def see_why_it_failed(page: Page) -> None:
    page.goto("/research/digits/history")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="Page somebody"))
    expect(row).to_contain_text("Failed")
    row.get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=3, name="Failed", exact=True)).to_be_visible()
    attempt = page.get_by_role("article")
    expect(attempt).to_contain_text(re.compile(r"Attempt 1\b.*\b404\b", re.DOTALL))
    expect(attempt).to_contain_text("no such route")
    assert SIGNING_KEY not in page.content()


def put_it_right(page: Page, url: str) -> None:
    page.goto(SETTINGS)
    page.get_by_role("button", name="More for pager").click()
    answer_dialog(page, "Edit", "Save webhook", {"Endpoint URL": url})
    expect(page.locator("#toasts")).to_contain_text("Webhook pager saved.")


def redeliver(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("link", name="Redeliver").click()
    page.get_by_role("dialog").get_by_role("button", name="Redeliver").click()
    expect(page).not_to_have_url(re.compile(re.escape(address)))
    carry_out()
    page.reload()
    expect(page.get_by_role("heading", level=3, name="Finished", exact=True)).to_be_visible()


def test_what_failed_is_put_right_and_redelivered(
    open_page: OpenPage, slack: FakeSlack, pager: Pager, alice: User, project: Project
) -> None:
    """SL1, SL2, WH3, WH5, HI3, HI4."""
    page = open_page(alice)
    connect_slack(page)
    make_webhook(page, f"http://127.0.0.1:{pager.port}/hok")
    make_automations(page)

    run = factories.make_run(project, user=alice, display_name="baseline")
    runs.finish(run, exit_code=1, by=alice, at=timezone.now())
    carry_out()
    (posted,) = slack.messages
    assert posted["text"].startswith("ERROR: Tell the team – Run baseline")
    see_why_it_failed(page)
    failed = page.url
    put_it_right(page, pager.url)
    redeliver(page, failed)

    first, again = pager.requests
    assert (first.path, again.path) == ("/hok", "/hook")
    assert again.json()["run_status"] == "failed"
    assert again.body == first.body
    assert again.headers["webhook-id"] == first.headers["webhook-id"]
    assert signing.verify(again.body, again.headers, secret=SIGNING_KEY, now=time.time()) == []
    assert len(slack.messages) == 1
    page.goto("/research/digits/history")
    expect(page.get_by_role("row").filter(has_text="Finished")).to_have_count(2)
