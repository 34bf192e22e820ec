"""Plots of a project's runs: chosen, looked at closely, automated from, and live (UI3, UI5)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from projects import metrics
from tests import factories
from tests.browser.conftest import OpenPage

if TYPE_CHECKING:
    from projects.models import Project, Run, User

pytestmark = pytest.mark.django_db(transaction=True)


def log(run: Run, *losses: float) -> None:
    rows: list[dict[str, Any]] = [{"train/loss": loss, "accuracy": 0.5} for loss in losses]
    metrics.append(run, metrics.parse(json.dumps(rows).encode()), at=timezone.now())


def plot(page: Page, metric: str = "train/loss") -> Locator:
    """The plot of a metric, which is drawn once it is near the screen."""
    figure = page.get_by_role("figure").filter(has=page.get_by_role("heading", name=metric, exact=True))
    figure.scroll_into_view_if_needed()
    return figure


def look_again(page: Page) -> None:
    """As if somebody came back to the tab: what is live is asked for at once."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


@pytest.fixture
def runs(project: Project, alice: User) -> dict[str, Run]:
    made = {
        name: factories.make_run(project, user=alice, run_id=name, display_name=name) for name in ("steady", "wild")
    }
    log(made["steady"], *(1 / (step + 1) for step in range(30)))
    log(made["wild"], *(float(step % 7) for step in range(30)))
    return made


@pytest.fixture
def page(open_page: OpenPage, alice: User, project: Project, runs: dict[str, Run]) -> Page:
    page = open_page(alice)
    page.goto(project.get_absolute_url())
    return page


def test_dragging_zooms_and_pointing_lists_what_is_near(page: Page) -> None:
    figure = plot(page)
    expect(figure).to_have_attribute("data-drawn", "2")
    area = figure.get_by_role("img").bounding_box()
    assert area is not None
    x, y, width, height = area["x"], area["y"], area["width"], area["height"]
    page.mouse.move(x + width / 2, y + height / 2)
    expect(figure.get_by_text("steady")).to_be_visible()
    expect(page.locator("tr.lit")).to_have_count(1)
    page.mouse.down()
    page.mouse.move(x + width * 0.7, y + height / 2, steps=4)
    page.mouse.up()
    figure.get_by_role("button", name="Show all").click()
    expect(figure.get_by_role("button", name="Show all")).to_be_hidden()


def test_a_closer_look_shows_what_an_outline_leaves_out(page: Page, runs: dict[str, Run]) -> None:
    """The long run has more values than an outline has points. The short one is there as a whole."""
    log(runs["wild"], *(float(step % 7) for step in range(3000)))
    page.reload()
    figure = plot(page)
    expect(figure).to_have_attribute("data-drawn", "2")
    figure.get_by_role("img").focus()
    with page.expect_response(lambda response: "from=" in response.url and "to=" in response.url) as looked:
        for _ in range(5):
            page.keyboard.press("+")
    expect(figure).to_have_attribute("data-close-up", "1")
    (curve,) = looked.value.json()["curves"]
    assert curve["run"] == "wild"
    # Every step in view, and no other.
    assert curve["x"] == list(range(curve["x"][0], curve["x"][0] + len(curve["x"])))
    assert 50 < len(curve["x"]) < 256
    figure.get_by_role("button", name="Show all").click()
    expect(figure).not_to_have_attribute("data-close-up", "1")


def test_plots_grow_while_runs_log(page: Page, runs: dict[str, Run], project: Project) -> None:
    """UI5: new points, new runs, new metrics."""
    expect(plot(page)).to_have_attribute("data-drawn", "2")
    plot(page).get_by_text("Last values").click()
    new = factories.make_run(project, display_name="newcomer")
    metrics.append(new, metrics.parse(b'[{"train/loss": 7.25, "fresh": 1}]'), at=timezone.now())
    look_again(page)
    expect(page.get_by_role("checkbox", name="Draw newcomer")).to_be_checked()
    expect(plot(page, "fresh")).to_have_attribute("data-drawn", "1")
    expect(plot(page)).to_have_attribute("data-drawn", "3")


def test_thresholds_name_the_automation_that_watches(page: Page, project: Project, runs: dict[str, Run]) -> None:
    condition = {"name": "train/loss", "agg_op": None, "window_size": 1, "cmp_op": "$gt", "threshold": 5}
    guard = factories.make_automation(project, "RUN_METRIC", name="Loss guard", condition=condition)
    log(runs["steady"], 8.0)
    page.reload()
    figure = plot(page)
    expect(figure.get_by_role("link", name="Loss guard")).to_have_attribute("href", guard.get_absolute_url())
    figure.get_by_text("Last values").click()
    expect(figure.get_by_role("listitem")).to_contain_text("steady, step 30: Loss guard fired")


def test_plots_fit_on_a_phone(open_page: OpenPage, alice: User, project: Project, runs: dict[str, Run]) -> None:
    page = open_page(alice, viewport={"width": 375, "height": 760}, has_touch=True, is_mobile=True)
    page.goto(project.get_absolute_url())
    expect(plot(page)).to_have_attribute("data-drawn", "2")
    expect(plot(page).get_by_role("link", name="Create an automation on train/loss")).to_be_visible()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 375
