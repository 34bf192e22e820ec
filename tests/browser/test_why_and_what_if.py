"""What an automation would have done is seen before it is saved (HI7)."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from projects import metrics
from tests import factories
from tests.browser.wizard import Wizard

if TYPE_CHECKING:
    from projects.models import Project, Run, User
    from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def diverged(project: Project, bob: User) -> Run:
    run = factories.make_run(project, user=bob, display_name="diverged")
    rows = [{"loss": 1.0}, {"loss": math.nan}, {"loss": math.nan}]
    metrics.append(run, metrics.parse(json.dumps(rows).encode()), at=timezone.now())
    return run


def test_the_form_says_what_it_would_have_done(open_page: OpenPage, alice: User, diverged: Run) -> None:
    page = open_page(alice)
    page.goto("/research/digits/automations/new?metric=loss")
    wizard = Wizard(page)
    page.locator("[name=cmp_op]").select_option("$nonfinite")
    wizard.next()
    wizard.expect_step("What it does")
    wizard.choose("Action", "Do nothing")
    wizard.next()
    wizard.expect_step("What it is called")
    verdict = page.get_by_role("region", name="What it would have done").get_by_role("status")
    expect(verdict).to_have_text("Would have fired 1 time in 30 days: diverged; 1 point held back by once a day.")
    page.get_by_role("button", name="7 days").click()
    expect(verdict).to_contain_text("in 7 days")
    wizard.create()
    expect(page.get_by_text("It has not fired yet.")).to_be_visible()
    page.get_by_role("button", name="90 days").click()
    expect(verdict).to_contain_text("in 90 days")
