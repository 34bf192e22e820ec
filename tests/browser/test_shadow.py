"""From waiting for a stall in shadow mode to making it live, in a real browser (AC2, UI2)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from automations import executions, silence
from automations.models import Automation, Execution
from projects.models import Run
from tests import factories
from tests.browser.wizard import Wizard

if TYPE_CHECKING:
    from projects.models import Project, User
    from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_stall_is_waited_for_in_shadow_mode_and_made_live(open_page: OpenPage, alice: User, project: Project) -> None:
    page = open_page(alice)
    page.goto("/research/digits/automations/new")
    wizard = Wizard(page)
    wizard.choose("Event", "Run stalled")
    page.get_by_label("What stands still").select_option("a metric")
    page.get_by_label("Metric", exact=True).fill("loss")
    page.get_by_label("What stands still").select_option("the step")
    expect(page.get_by_label("Metric", exact=True)).to_be_hidden()
    page.get_by_label("The number of minutes").fill("45")
    wizard.expect_sentence("When a run is running and the step has not moved for 45 min, do something.")
    wizard.next()
    wizard.choose("Action", "Do nothing")
    wizard.next()
    page.get_by_role("checkbox", name="Shadow mode").check()
    wizard.create()
    expect(page.get_by_text("Shadow mode: it does everything but send.")).to_be_visible()
    assert Automation.objects.get().condition == {"source": "STEP", "minutes": 45}

    run = factories.make_run(project, user=alice, display_name="stuck", at=timezone.now() - timedelta(hours=1))
    Run.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now())
    assert silence.detect(at=timezone.now()) == 1
    executions.run(Execution.objects.get().pk)
    page.goto("/research/digits/automations")
    expect(page.get_by_role("row", name="step has not moved")).to_contain_text("would have fired 1×")
    page.get_by_role("button", name="More for").click()
    page.get_by_role("button", name="Make it live").click()
    expect(page.get_by_text("is live. What matches from now on is sent.")).to_be_visible()
    assert not Automation.objects.get().shadow
    page.goto("/research/digits/history?mode=shadow")
    page.get_by_role("row", name="Shadow").get_by_role("link").first.click()
    expect(page.get_by_text("it would have done nothing but record this")).to_be_visible()
