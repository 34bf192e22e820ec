"""What one does with the history, in both languages, on a desk and on a phone, by keyboard alone (HI1, HI5, UI6)."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from automations.models import EventType, Status
from tests import factories

if TYPE_CHECKING:
    from projects.models import Project, User
    from tests.browser.visitor import Visitor

pytestmark = pytest.mark.django_db(transaction=True)


def export(visitor: Visitor, form: str) -> str:
    """The file that a link leads to."""
    with visitor.page.expect_download() as download:
        visitor.press(visitor.page.get_by_role("link", name=form, exact=True))
    assert download.value.suggested_filename == f"digits-history.{form.lower()}"
    return Path(download.value.path()).read_text(encoding="utf-8-sig")


def test_the_history_is_filtered_exported_left_and_come_back_to(
    visitor: Visitor, project: Project, alice: User
) -> None:
    """HI1, HI5: filters stand in the address, and hold for files as well."""
    failures = factories.make_automation(project, name="Tell us")
    losses = factories.make_automation(project, EventType.RUN_METRIC, name="Loss guard")
    event = factories.make_event(factories.make_run(project, user=alice, display_name="night"))
    sought = factories.make_execution(failures, event, status=Status.SKIPPED)
    factories.make_execution(failures, factories.make_event(event.run))
    factories.make_execution(losses, event, status=Status.SKIPPED)
    page = visitor.page
    page.goto("/research/digits/history")
    rows = page.locator("#executions tbody tr")
    expect(rows).to_have_count(3)
    visitor.press(visitor.find("combobox", "Status"), "End")
    expect(rows).to_have_count(2)
    visitor.press(visitor.find("combobox", "Event"), "ArrowDown")
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile("status=skipped.*event=RUN_STATE"))
    expect(page.get_by_text(visitor.words("Export what these filters show:"))).to_be_visible()

    page.reload()
    expect(rows).to_have_count(1)
    (written,) = csv.DictReader(export(visitor, "CSV").splitlines())
    (told,) = json.loads(export(visitor, "JSON"))
    assert written["key"] == told["key"] == str(sought.key)
    assert written["automation_name"] == "Tell us"

    visitor.press(rows.get_by_role("link").first)
    expect(page.get_by_role("heading", level=1, name="Tell us")).to_be_visible()
    expect(visitor.find("heading", "Skipped")).to_be_visible()
    assert str(sought.key) in page.url
    page.go_back()
    expect(rows).to_have_count(1)
    expect(visitor.find("combobox", "Status")).to_have_value("skipped")
    expect(visitor.find("combobox", "Event")).to_have_value("RUN_STATE")
    page.go_back()
    expect(rows).to_have_count(2)
    expect(visitor.find("combobox", "Status")).to_have_value("skipped")
    expect(visitor.find("combobox", "Event")).to_have_value("")

    visitor.press(visitor.find("combobox", "Mode"), "End")
    expect(page.get_by_text(visitor.words("Nothing in the history matches these filters."))).to_be_visible()
    visitor.press(visitor.find("link", "Show all"))
    expect(rows).to_have_count(3)
    expect(page).to_have_url(re.compile("/history$"))
