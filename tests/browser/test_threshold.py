"""A threshold chosen by what it would have done: the line in the plot, the number, and the replay agree (UI2)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import orjson
import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from automations.models import Automation
from projects import metrics
from tests import factories
from tests.browser.conftest import OpenPage
from tests.browser.keyboard import press, tab_to, write
from tests.browser.wizard import Wizard

if TYPE_CHECKING:
    from projects.models import Project, User

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(open_page: OpenPage, alice: User, project: Project) -> Page:
    now = timezone.now()
    for name, highest in (("calm", 4.0), ("wild", 8.0)):
        run = factories.make_run(project, user=alice, display_name=name, at=now - timedelta(days=2))
        rows = [{"loss": step * highest / 20} for step in range(21)]
        metrics.append(run, metrics.parse(orjson.dumps(rows)), at=now - timedelta(days=1))
    page = open_page(alice)
    page.goto(f"{project.get_absolute_url()}automations/new?metric=loss")
    return page


def threshold(page: Page) -> Locator:
    return page.get_by_role("textbox", name="The threshold")


def line(page: Page) -> Locator:
    return page.get_by_role("slider", name="Threshold")


def test_ui2_a_threshold_is_chosen_and_an_automation_made_by_keyboard(page: Page, project: Project) -> None:
    wizard = Wizard(page)
    wizard.expect_step("What starts it")
    expect(page.get_by_role("figure")).to_have_attribute("data-drawn", "2")
    tab_to(line(page))
    expect(line(page)).to_have_attribute("aria-valuetext", "not set")
    press(line(page), "End")
    expect(threshold(page)).to_have_value("8")
    for _ in range(2):
        press(line(page), "PageDown")
    press(line(page), "ArrowUp")
    expect(threshold(page)).to_have_value("7.05")
    expect(line(page)).to_have_attribute("aria-valuenow", "7.05")
    wizard.expect_sentence("When loss is above 7.05, do something.")
    fired = re.compile(r"^▲ Would have fired 1 time in 30 days: wild;")
    expect(page.get_by_role("figure").get_by_text(fired)).to_be_visible()

    write(threshold(page), "3")
    expect(line(page)).to_have_attribute("aria-valuenow", "3")
    expect(page.get_by_role("status").get_by_text("Would have fired 2 times in 30 days: calm and wild")).to_be_visible()
    press(page.get_by_role("button", name="Next step"))
    wizard.expect_step("What it does")
    press(page.get_by_role("radio", name=re.compile("^Webhook")), "ArrowLeft")
    press(page.get_by_role("button", name="Next step"))
    wizard.expect_step("What it is called")
    press(page.get_by_role("button", name="Create automation"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Loss is above 3")

    assert project.automations.get().condition["threshold"] == 3.0


def test_ui2_the_line_is_dragged_and_the_number_follows(page: Page) -> None:
    expect(page.get_by_role("figure")).to_have_attribute("data-drawn", "2")
    threshold(page).fill("4")
    expect(line(page)).to_have_attribute("aria-valuenow", "4")
    line(page).scroll_into_view_if_needed()
    box = line(page).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] - 40, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 60, steps=4)
    moved = float(threshold(page).input_value())
    page.mouse.up()

    assert 5 < moved < 8
    expect(line(page)).to_have_attribute("aria-valuenow", f"{moved:g}")
    Wizard(page).expect_sentence(f"When loss is above {moved:g}, do something.")
    assert not Automation.objects.exists()


def test_a_run_that_diverged_does_not_flatten_the_others(open_page: OpenPage, alice: User, project: Project) -> None:
    """The plot shows where most values are, says how far the others go, and the line moves among the former."""
    run = factories.make_run(project, user=alice, display_name="diverged")
    losses = [1 / (step + 1) + 0.5 for step in range(20)] + [10.0 ** (4 * step) for step in range(1, 9)]
    rows = [{"loss": loss} for loss in losses]
    metrics.append(run, metrics.parse(orjson.dumps(rows)), at=timezone.now())
    page = open_page(alice)
    page.goto(f"{project.get_absolute_url()}automations/new?metric=loss")
    expect(page.get_by_text("Values go as far as 1e32: beyond the edge of the plot")).to_be_visible()
    press(line(page), "End")
    assert 1.4 <= float(threshold(page).input_value()) < 10

    page.goto(project.get_absolute_url())
    figure = page.get_by_role("figure").filter(has_text="loss")
    expect(figure).to_have_attribute("data-drawn", "1")
    expect(figure.get_by_text("Values go as far as")).to_be_hidden()
    page.get_by_role("checkbox", name="Ignore outliers").check()
    expect(figure.get_by_text("Values go as far as 1e32")).to_be_visible()
    page.reload()
    expect(figure.get_by_text("Values go as far as 1e32")).to_be_visible()


def test_the_line_is_there_for_thresholds_alone_and_the_plot_for_metrics_that_were_logged(page: Page) -> None:
    wizard = Wizard(page)
    expect(line(page)).to_be_visible()
    page.get_by_label("The comparison").select_option("is NaN or infinite")
    expect(line(page)).to_be_hidden()
    wizard.choose("Event", "Run metric change")
    expect(page.get_by_role("figure")).to_be_visible()
    page.get_by_role("combobox", name="Metric").fill("los")
    expect(page.get_by_text("No recent run here has logged this metric.")).to_be_visible()
    expect(page.get_by_role("figure")).to_be_hidden()
    wizard.choose("Event", "Run state")
    expect(page.get_by_text("No recent run here has logged this metric.")).to_be_hidden()
