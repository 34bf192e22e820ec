"""From a new team to a first webhook that is Finished, by nothing but what Home says: in less than two minutes."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from automations import executions
from automations.models import Execution, Status
from tests.browser.conftest import OpenPage
from tests.browser.wizard import Wizard
from tests.receiver import Receiver

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

    from projects.models import Team, User

TWO_MINUTES = 120


def make_key(page: Page) -> str:
    page.get_by_role("button", name="Create API key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("my script")
    dialog.get_by_role("button", name="Create key").click()
    key = page.locator("#new-key").inner_text()
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    return key


def log_a_run(page: Page, key: str) -> None:
    """The command as it stands on the page, in a shell."""
    command = page.locator("#curl-command").inner_text()
    shell = ["bash", "-e", "-c", command]
    done = subprocess.run(
        shell, env={"AUTOMATIONS_API_KEY": key, "PATH": "/usr/bin:/bin"}, capture_output=True, check=True
    )
    assert b'"state":"finished"' in done.stdout.replace(b": ", b":"), done.stdout


def expect_current(page: Page, title: str) -> None:
    expect(page.locator(".checklist > .current")).to_contain_text(title)


@pytest.fixture
def home(open_page: OpenPage, live_server: LiveServer, alice: User, settings: Any) -> Page:
    """Home of somebody new, where commands name the server as the shell reaches it."""
    settings.PUBLIC_URL = live_server.url
    page = open_page(alice)
    page.goto("/")
    return page


def test_a_new_team_gets_to_its_first_delivery_by_what_home_says(team: Team, home: Page, receiver: Receiver) -> None:
    begun = time.monotonic()
    page = home
    key = make_key(page)
    log_a_run(page, key)
    expect_current(page, "Add a webhook or a Slack channel")

    page.get_by_role("button", name="Create webhook").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Name")).to_have_value("alerts")
    dialog.get_by_label("Endpoint URL").fill(receiver.url)
    dialog.get_by_role("button", name="Create webhook").click()
    expect_current(page, "Create the first automation")

    page.get_by_role("link", name="Create automation").click()
    wizard = Wizard(page)
    wizard.next()
    wizard.expect_step("What it does")
    wizard.next()
    wizard.expect_step("What it is called")
    wizard.create()
    expect(page.get_by_role("heading", level=1)).to_have_text("Run finished or failed")

    page.get_by_role("navigation", name="Main").get_by_role("link", name="Home").click()
    expect_current(page, "See the first delivery arrive")
    log_a_run(page, key)
    for pk in Execution.objects.filter(status=Status.PENDING).values_list("pk", flat=True):
        executions.run(pk)
    expect(page.locator("#first-steps")).to_contain_text("the first delivery is Finished")
    assert [request.json()["run"]["name"] for request in receiver.requests] == ["first run"]
    page.reload()
    expect(page.get_by_role("heading", name="Get started")).to_have_count(0)
    expect(page.get_by_text("Nothing: no automation fails")).to_be_visible()
    assert time.monotonic() - begun < TWO_MINUTES
