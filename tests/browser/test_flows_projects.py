"""What one does with projects, runs and plots, in both languages, on a desk and on a phone, by keyboard alone (UI3,
UI5, UI6).
"""

from __future__ import annotations

import json
import math
import re
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from projects import alerts, metrics, reports, runfiles, runs, storage
from projects.models import AlertLevel, Project, RunState
from projects.reports import Lines, Printed, Report
from projects.scripttexts import TEXTS
from tests import factories

if TYPE_CHECKING:
    from playwright.sync_api import Download

    from projects.models import Run, User
    from tests.browser.visitor import Visitor

RUNS = "/research/digits/runs"
TABLE = json.dumps({"columns": ["guess", "truth"], "data": [[3, 5]]}).encode()


def settled(page: Page) -> None:
    """What htmx replaces has been replaced."""
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added")).to_have_count(0)


def look_again(page: Page) -> None:
    """As if somebody came back to the tab: what is live is asked for at once."""
    page.wait_for_load_state()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def log(run: Run, *losses: float) -> None:
    rows = [{"train/loss": loss, "accuracy": 0.5} for loss in losses]
    metrics.append(run, metrics.parse(json.dumps(rows).encode()), at=timezone.now())


def plot(page: Page, metric: str) -> Locator:
    """The plot of a metric, which is drawn once it is near the screen."""
    figure = page.get_by_role("figure").filter(has=page.get_by_role("heading", name=metric, exact=True))
    figure.scroll_into_view_if_needed()
    return figure


def kept(visitor: Visitor, link: Locator) -> bytes:
    """What is in the file that a link downloads."""
    with visitor.page.expect_download() as caught:
        visitor.press(link)
    download: Download = caught.value
    return download.path().read_bytes()


def test_a_project_is_created_and_found(visitor: Visitor, project: Project) -> None:
    page = visitor.page
    page.goto("/projects/")
    visitor.press(visitor.find("button", "Create project"))
    dialog = page.get_by_role("dialog")
    visitor.press(visitor.field("Team", within=dialog), "r")
    visitor.write(visitor.field("Name", within=dialog), "letters")
    visitor.write(visitor.begins("textbox", "Description", within=dialog), "From A to Z")
    visitor.press(visitor.find("button", "Create project", within=dialog))
    expect(page.get_by_role("heading", level=1, name="letters")).to_be_visible()
    made = Project.objects.get(name="letters", team=project.team, description="From A to Z")
    expect(page.locator("#toasts")).to_contain_text(visitor.words("Project %(project)s created.", project=made))
    expect(page.get_by_text(visitor.words("No runs yet."))).to_be_visible()

    page.goto("/projects/")
    search = visitor.find("searchbox", "Search projects by name")
    visitor.write(search, "nothing")
    expect(page.get_by_text(visitor.words("No project has this in its name."))).to_be_visible()
    visitor.write(search, "LETT")
    page.keyboard.press("Enter")
    found = page.get_by_role("main").get_by_role("link")
    expect(found).to_have_text([re.compile("letters")])
    expect(page).to_have_url(re.compile(r"\?q=LETT$"))
    expect(search).to_be_focused()
    settled(page)
    visitor.press(found)
    expect(page).to_have_url(re.compile(r"/research/letters/$"))


@pytest.fixture
def table(project: Project, alice: User) -> None:
    """Runs that are over: nothing renews the table by itself."""
    now = timezone.now()
    for name, loss in (("low", 0.1), ("middle", 0.5), ("high", 9)):
        run = factories.make_run(project, user=alice, display_name=name, summary={"loss": loss}, config={"lr": loss})
        if name == "middle":
            runs.kill(run, by=alice, at=now)
        else:
            runs.finish(run, exit_code=0, by=alice, at=now)


@pytest.mark.usefixtures("table")
def test_runs_are_asked_for_by_value_and_state_and_sorted(visitor: Visitor) -> None:
    page = visitor.page
    page.goto(RUNS)
    names = page.locator("#runs tbody .main a")
    field = visitor.field("Only runs with a value")
    visitor.write(field, "loss < 1")
    page.keyboard.press("Enter")
    expect(names).to_have_text(["middle", "low"])
    expect(field).to_have_value("")
    visitor.write(field, "loss < five")
    page.keyboard.press("Enter")
    problem = visitor.words("“%(value)s” is no number, and %(sign)s compares numbers.", value="five", sign="<")
    expect(page.get_by_role("alert")).to_have_text(problem)
    expect(field).to_have_value("loss < five")
    visitor.write(field, "config:lr > 0.2")
    page.keyboard.press("Enter")
    expect(names).to_have_text(["middle"])
    expect(field).to_have_value("")
    settled(page)
    visitor.press(visitor.find("link", "Leave out %(comparison)s", comparison="loss < 1"))
    expect(names).to_have_text(["high", "middle"])

    settled(page)
    loss = page.get_by_role("columnheader", name="loss").get_by_role("link")
    visitor.press(loss)
    expect(page.get_by_role("columnheader", name="loss")).to_have_attribute("aria-sort", re.compile("cending"))
    # Also on a phone, where heads are out of sight until one of them has the focus.
    expect(loss).to_be_focused()
    head = page.locator("#runs thead").bounding_box()
    assert head is not None
    assert head["height"] >= 20
    settled(page)
    visitor.press(visitor.find("combobox", "State"), "End")
    expect(names).to_have_text(["middle"])
    page.reload()
    expect(names).to_have_text(["middle"])
    expect(visitor.find("combobox", "State")).to_have_value("killed")
    expect(page.get_by_role("columnheader", name="loss")).to_have_attribute("aria-sort", re.compile("cending"))


@pytest.mark.usefixtures("table")
def test_names_are_searched_by_pattern_and_columns_chosen_where_there_is_room(visitor: Visitor) -> None:
    page = visitor.page
    page.goto(RUNS)
    names = page.locator("#runs tbody .main a")
    visitor.write(visitor.find("searchbox", "Search runs by name or id"), "^(low|high)$")
    expect(page).to_have_url(re.compile(r"%24(&|$)"))
    expect(page.get_by_text(visitor.words("No run matches."))).to_be_visible()
    settled(page)
    visitor.press(visitor.field("Regex"), "Space")
    expect(names).to_have_text(["high", "low"])
    settled(page)
    columns = visitor.find("button", "Columns")
    column = page.get_by_role("columnheader", name="config:lr")
    expect(column).to_have_count(0)
    if visitor.locale == "ja":  # on a phone
        expect(columns).to_be_hidden()
        return
    visitor.press(columns)
    visitor.press(page.get_by_role("checkbox", name="config:lr"), "Space")
    expect(column).to_be_visible()
    page.keyboard.press("Escape")
    expect(columns).to_be_focused()
    page.goto(RUNS)
    expect(column).to_be_visible()


@pytest.fixture
def told(project: Project, alice: User) -> Run:
    """A run of which each tab has something to show."""
    run = factories.make_run(
        project, user=alice, display_name="night", config={"lr": 0.25}, tags=["nightly"], notes="The baseline."
    )
    now = timezone.now()
    metrics.append(run, metrics.parse(b'[{"loss": 0.5}, {"loss": 0.125}]'), at=now)
    machine = Lines(first=0, batch=metrics.parse_lines(['{"system.cpu": 41}', '{"system.cpu": 43}']))
    for name, content in (("plan.txt", b"go"), ("media/guesses.table.json", TABLE)):
        storage.receive(runfiles.upload_token(run, name), BytesIO(content), length=len(content), at=now)
    reports.take(run, Report(printed=Printed(first=0, lines=["epoch 1"]), system=machine), at=now)
    wait = timedelta()
    alerts.raise_alert(run, title="Odd loss", text="Look!", level=AlertLevel.ERROR, wait=wait, by=alice, at=now)
    return run


def test_a_run_says_what_it_is_and_is_asked_to_stop(visitor: Visitor, told: Run) -> None:
    page = visitor.page
    page.goto(RUNS)
    visitor.press(page.get_by_role("link", name="night"))
    expect(page.get_by_text("The baseline.")).to_be_visible()
    expect(page.locator("#run-facts")).to_contain_text("nightly")
    values = page.locator("#run-values")
    expect(values.get_by_role("row", name="loss")).to_contain_text("0.125")
    expect(values.get_by_role("row", name="lr")).to_contain_text("0.25")
    alert = visitor.find("region", "Alerts").get_by_role("row", name="Odd loss")
    expect(alert).to_contain_text(visitor.words("Error"))
    expect(page.get_by_text(visitor.words("This run used no artifact version and logged none."))).to_be_visible()

    stop = visitor.find("button", "Stop run")
    visitor.press(stop)
    dialog = page.get_by_role("dialog")
    # Enter, pressed twice, stops nothing.
    expect(visitor.find("button", "Cancel", within=dialog)).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(stop).to_be_focused()
    page.keyboard.press("Enter")
    visitor.press(visitor.find("button", "Stop run", within=dialog))
    said = visitor.words("%(display_name)s was asked to stop.", display_name="night")
    expect(page.locator("#toasts")).to_contain_text(said)
    expect(stop).to_have_count(0)
    told.refresh_from_db()
    assert told.stop_requested_at is not None
    assert told.state == RunState.RUNNING


def test_the_tabs_of_a_run_are_walked_and_its_files_kept(visitor: Visitor, told: Run) -> None:
    page = visitor.page
    page.goto(told.get_absolute_url())
    tabs = visitor.find("navigation", "Sections")
    visitor.press(visitor.find("link", "Charts", within=tabs))
    expect(plot(page, "loss")).to_have_attribute("data-drawn", "1")
    visitor.press(visitor.find("link", "System", within=tabs))
    expect(plot(page, "system.cpu")).to_have_attribute("data-drawn", "1")

    visitor.press(visitor.find("link", "Logs", within=tabs))
    lines = page.locator("#log-lines")
    expect(lines).to_contain_text("epoch 1")
    reports.take(told, Report(printed=Printed(first=1, lines=["epoch 2"])), at=timezone.now())
    look_again(page)
    expect(lines).to_contain_text("epoch 2")
    visitor.write(visitor.find("searchbox", "Search the log"), "EPOCH 1")
    one = visitor.count(
        "%(shown)s line with “%(search)s”.", "%(shown)s lines with “%(search)s”.", 1, shown=1, search="EPOCH 1"
    )
    expect(page.get_by_text(one)).to_be_visible()
    expect(lines).not_to_contain_text("epoch 2")
    settled(page)
    whole = visitor.find("link", "All as text")
    visitor.press(whole, "Shift")
    assert page.request.get(str(whole.get_attribute("href"))).text() == "epoch 1\nepoch 2\n"

    visitor.press(visitor.find("link", "Files", within=tabs))
    assert kept(visitor, page.get_by_role("link", name="plan.txt")) == b"go"
    csv = visitor.find("link", "%(name)s as CSV", name="media/guesses.table.json")
    assert kept(visitor, csv).split() == [b"guess,truth", b"3,5"]


@pytest.fixture
def plotted(project: Project, alice: User) -> dict[str, Run]:
    made = {
        name: factories.make_run(project, user=alice, run_id=name, display_name=name) for name in ("steady", "wild")
    }
    log(made["steady"], *(1 / (step + 1) for step in range(30)))
    log(made["wild"], *(float(step % 7) for step in range(30)), math.nan, math.nan)
    return made


@pytest.mark.usefixtures("plotted")
def test_what_plots_show_is_chosen_and_the_address_remembers_it(visitor: Visitor, project: Project) -> None:
    page = visitor.page
    page.goto(project.get_absolute_url())
    loss = plot(page, "train/loss")
    expect(loss).to_have_attribute("data-drawn", "2")
    wild = visitor.find("checkbox", "Draw %(name)s", name="wild")
    visitor.press(wild, "Space")
    expect(loss).to_have_attribute("data-drawn", "1")
    visitor.press(visitor.find("combobox", "X axis"), "ArrowDown")
    visitor.press(visitor.field("Smoothing"), "PageUp")
    for box in ("Log scale", "Ignore outliers"):
        visitor.press(visitor.field(box), "Space")
    expect(page).to_have_url(re.compile(r"clip=1"))
    smoothing = visitor.field("Smoothing").input_value()
    assert int(smoothing) > 0

    visitor.press(page.get_by_role("link", name="steady", exact=True))
    expect(page.get_by_role("heading", level=1)).to_have_text("steady")
    page.go_back()
    expect(wild).not_to_be_checked()
    expect(visitor.find("combobox", "X axis")).to_have_value("relative")
    expect(visitor.field("Smoothing")).to_have_value(smoothing)
    for box in ("Log scale", "Ignore outliers"):
        expect(visitor.field(box)).to_be_checked()
    expect(plot(page, "train/loss")).to_have_attribute("data-drawn", "1")


@pytest.mark.usefixtures("plotted")
def test_runs_and_metrics_are_searched_beside_the_plots(visitor: Visitor, project: Project) -> None:
    page = visitor.page
    page.goto(project.get_absolute_url())
    visitor.write(visitor.find("searchbox", "Find runs by name"), "WI")
    expect(visitor.find("checkbox", "Draw %(name)s", name="steady")).to_be_hidden()
    expect(visitor.find("checkbox", "Draw %(name)s", name="wild")).to_be_checked()
    search = visitor.find("searchbox", "Search metrics")
    visitor.write(search, "ACC")
    expect(plot(page, "accuracy")).to_have_attribute("data-drawn", "2")
    expect(page.get_by_role("heading", name="train", exact=True)).to_be_hidden()
    visitor.write(search, "nothing")
    expect(page.get_by_text(visitor.words("No metric has this in its name."))).to_be_visible()


@pytest.mark.usefixtures("plotted")
def test_a_plot_is_read_looked_at_closely_and_shown_as_a_table(visitor: Visitor, project: Project) -> None:
    page = visitor.page
    page.goto(project.get_absolute_url())
    figure = plot(page, "train/loss")
    expect(figure).to_have_attribute("data-drawn", "2")
    visitor.press(figure.get_by_role("img"), "ArrowRight")
    read = visitor.words(str(TEXTS["plots"]["read"]))
    read = read.format(run="(steady|wild)", value=r"\S+", place="0")
    said = page.locator("#plot-said")
    expect(said).to_have_text(re.compile(f"^{read}$"))
    before = said.inner_text()
    page.keyboard.press("ArrowDown")
    expect(said).not_to_have_text(before)
    whole = visitor.find("button", "Show all", within=figure)
    page.keyboard.press("+")
    expect(whole).to_be_visible()
    page.keyboard.press("0")
    expect(whole).to_be_hidden()
    page.keyboard.press("+")
    visitor.press(whole)
    expect(whole).to_be_hidden()
    expect(figure.get_by_role("img")).to_be_focused()

    gaps = visitor.words("{count} values are NaN or infinite: gaps in the lines.").format(count=2)
    expect(figure.get_by_text(gaps)).to_be_visible()
    visitor.press(figure.locator("summary"))
    row = figure.get_by_role("row").filter(has_text="wild")
    expect(row).to_contain_text(visitor.words("NaN or infinite"))
    expect(row).to_contain_text("32")
