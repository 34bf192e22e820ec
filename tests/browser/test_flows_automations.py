"""What one does with automations, in both languages, on a desk and on a phone, by keyboard alone (UI1–UI5, UI6)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import override
from playwright.sync_api import expect

from automations import sentences
from automations.models import Automation, EventType
from projects import metrics, runs
from tests import factories

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from projects.models import Project, Run, User
    from tests.browser.conftest import Witness
    from tests.browser.visitor import Visitor

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/research/digits/automations"


def expect_told(visitor: Visitor, english: str, **values: object) -> None:
    """Wait for the message in the corner."""
    expect(visitor.page.locator("#toasts")).to_contain_text(visitor.words(english, **values))


def expect_settled(visitor: Visitor) -> None:
    """Wait for what takes the place of parts of the page, and for htmx to listen to it."""
    expect(visitor.page.locator(".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added")).to_have_count(0)


def expect_step(visitor: Visitor, title: str) -> None:
    """Wait for the step of the form that is headed like this, where one goes on reading."""
    expect(visitor.find("heading", title)).to_be_focused()
    expect_settled(visitor)


def expect_sentence(visitor: Visitor, **condition: Any) -> None:
    """Wait for the sentence to say what starts the automation."""
    ((event, asked),) = condition.items()
    with override(visitor.locale):
        clause = sentences.when_clause(event, asked, {})
    expect(visitor.page.locator(".sentence").first).to_contain_text(clause)


def choose_event(visitor: Visitor, label: str) -> None:
    """Go to the cards, and through them until the one with this title is chosen."""
    cards = visitor.find("group", "Event")
    card = visitor.begins("radio", label, within=cards)
    visitor.press(cards.get_by_role("radio").first, "Space")
    for _ in range(cards.get_by_role("radio").count()):
        if card.is_checked():
            return
        visitor.page.keyboard.press("ArrowDown")
    raise AssertionError(f"the arrows do not lead to {label}")


def log(run: Run, *losses: float) -> None:
    rows = [{"loss": loss} for loss in losses]
    metrics.append(run, metrics.parse(json.dumps(rows).encode()), at=timezone.now())


def open_menu(visitor: Visitor, name: str) -> Locator:
    """The menu of an automation."""
    button = visitor.find("button", "More for %(name)s", name=name)
    visitor.press(button)
    menu = visitor.page.locator(f"[id='{button.get_attribute('popovertarget')}']")
    expect(menu).to_be_visible()
    return menu


def find_ours(visitor: Visitor) -> None:
    """Sort the list, and search it twice: for what is not there, and for what is."""
    visitor.press(visitor.find("combobox", "Sort by"), "ArrowDown")
    expect(visitor.page).to_have_url(re.compile("sort=name"))
    search = visitor.find("searchbox", "Search automations by name")
    visitor.write(search, "zzz")
    expect(visitor.page.get_by_text(visitor.words("No automation is called that."))).to_be_visible()
    visitor.write(search, "tell")
    expect(visitor.page).to_have_url(re.compile("q=tell"))


def test_automations_are_found_switched_snoozed_copied_and_deleted_in_the_list(
    visitor: Visitor, project: Project
) -> None:
    """UI1"""
    ours = factories.make_automation(project, name="Tell us")
    factories.make_automation(project, name="Alarm")
    page = visitor.page
    page.goto(LIST)
    names = page.locator("td.main a.name")
    expect(names).to_have_text(["Alarm", "Tell us"])
    find_ours(visitor)
    expect(names).to_have_text(["Tell us"])
    expect_settled(visitor)
    row = page.get_by_role("row", name="Tell us")

    visitor.press(visitor.find("button", "Disable", within=open_menu(visitor, "Tell us")))
    expect_told(visitor, "Automation “%(name)s” disabled. It sees no events until you enable it.", name="Tell us")
    expect(row.get_by_text(visitor.words("Disabled"), exact=True)).to_be_visible()
    expect(names).to_have_text(["Tell us"])
    assert not Automation.objects.get(pk=ours.pk).enabled
    visitor.press(visitor.find("button", "Enable", within=open_menu(visitor, "Tell us")))
    expect_told(visitor, "Automation “%(name)s” enabled. It starts with the next event.", name="Tell us")
    assert Automation.objects.get(pk=ours.pk).enabled

    visitor.press(visitor.find("button", "Snooze…", within=open_menu(visitor, "Tell us")))
    dialog = page.get_by_role("dialog")
    visitor.press(visitor.find("radio", "For an hour", within=dialog), "ArrowDown")
    expect(visitor.find("radio", "Until tomorrow, 9:00", within=dialog)).to_be_checked()
    visitor.press(visitor.find("button", "Snooze", within=dialog))
    # As a state, and not as a part of what the menu offers.
    expect(row.get_by_text(visitor.words("Snoozed"), exact=True)).to_be_visible()
    visitor.press(row.get_by_role("link", name="Tell us"))
    visitor.press(visitor.find("button", "End snooze"))
    expect_told(visitor, "Automation “%(name)s” is awake. What matches from now on is carried out.", name="Tell us")
    assert Automation.objects.get(pk=ours.pk).snoozed_until is None

    visitor.press(visitor.find("button", "Duplicate", within=open_menu(visitor, "Tell us")))
    copy = f"Tell us {visitor.words('copy')}"
    expect_told(visitor, "“%(name)s” created. It is disabled until you enable it.", name=copy)
    assert not Automation.objects.get(name=copy).enabled
    page.goto(LIST)
    visitor.press(visitor.find("button", "Delete", within=open_menu(visitor, copy)))
    dialog = page.get_by_role("dialog")
    expect(visitor.find("button", "Cancel", within=dialog)).to_be_focused()
    visitor.press(visitor.find("button", "Delete automation", within=dialog))
    expect_told(visitor, "Automation “%(name)s” deleted. What it did stays in the history.", name=copy)
    expect(names).to_have_text(["Alarm", "Tell us"])
    assert not Automation.objects.filter(name=copy).exists()


def test_an_automation_is_created_edited_and_restored(visitor: Visitor, project: Project) -> None:
    """UI2, UI6: from the list to the finished automation; each step begins at its heading."""
    factories.make_webhook(project.team)
    page = visitor.page
    page.goto(LIST)
    visitor.press(visitor.find("link", "Create automation").first)
    choose_event(visitor, "Run state")
    visitor.press(visitor.find("checkbox", "Failed or crashed"), "Space")
    expect_sentence(visitor, RUN_STATE={"states": ["FAILED"]})
    visitor.press(visitor.find("button", "Next step"))
    expect_step(visitor, "What it does")
    visitor.press(visitor.find("combobox", "Webhook"), "p")
    expect(page.locator(".sentence").first).to_contain_text("pager")
    expect_settled(visitor)
    payload = visitor.find("textbox", "Payload")
    visitor.write(payload, '{"text": "')
    visitor.press(page.get_by_role("button", name="${run_name}"))
    expect(payload).to_be_focused()
    page.keyboard.type('"}')
    visitor.press(visitor.find("button", "Next step"))
    expect_step(visitor, "What it is called")
    visitor.write(visitor.find("textbox", "Name"), "By keyboard")
    visitor.press(visitor.find("button", "Create automation"))
    expect_told(visitor, "Automation “%(name)s” created.", name="By keyboard")
    expect(page.get_by_role("heading", level=1, name="By keyboard")).to_be_visible()
    automation = Automation.objects.get()
    assert automation.payload == '{"text": "${run_name}"}'
    assert automation.condition == {"states": ["FAILED"]}

    visitor.press(visitor.find("link", "Edit"))
    expect(visitor.find("checkbox", "Failed or crashed")).to_be_checked()
    visitor.press(visitor.find("checkbox", "Finished"), "Space")
    expect_sentence(visitor, RUN_STATE={"states": ["FAILED", "FINISHED"]})
    visitor.press(visitor.find("link", "Name", within=visitor.find("list", "Steps")))
    expect_step(visitor, "What it is called")
    visitor.write(visitor.find("textbox", "Name"), "Edited")
    visitor.press(visitor.find("button", "Save changes"))
    expect_told(visitor, "Automation “%(name)s” saved.", name="Edited")
    expect(page.get_by_role("heading", level=1, name="Edited")).to_be_visible()
    automation.refresh_from_db()
    assert sorted(automation.condition["states"]) == ["FAILED", "FINISHED"]

    visitor.press(visitor.find("link", "All versions"))
    visitor.press(visitor.find("button", "Restore version %(number)s", number=1))
    expect_told(visitor, "Version %(number)s restored, as version %(version)s.", number=1, version=3)
    automation.refresh_from_db()
    assert (automation.name, automation.condition, automation.version) == ("By keyboard", {"states": ["FAILED"]}, 3)


def test_the_bell_of_a_plot_begins_a_threshold_in_shadow_mode_which_is_made_live(
    visitor: Visitor, project: Project, alice: User
) -> None:
    """UI2, UI3"""
    factories.make_webhook(project.team)
    log(factories.make_run(project, user=alice, display_name="steady"), 3.0, 2.0, 1.0)
    page = visitor.page
    page.goto(project.get_absolute_url())
    bell = visitor.find("link", "Create an automation on %(metric)s", metric="loss")
    visitor.press(bell, "Shift")
    expect(bell).to_have_css("opacity", "1")
    visitor.press(bell)
    expect(visitor.find("combobox", "Metric")).to_have_value("loss")
    visitor.press(visitor.find("combobox", "The comparison"), "ArrowDown")
    visitor.write(visitor.find("textbox", "The threshold"), "2.5")
    asked = {"name": "loss", "agg_op": None, "cmp_op": "$gte", "threshold": 2.5}
    expect_sentence(visitor, RUN_METRIC={**asked, "window_size": 1})
    visitor.press(visitor.find("button", "Next step"))
    expect_step(visitor, "What it does")
    visitor.press(visitor.find("combobox", "Webhook"), "p")
    expect(page.locator(".sentence").first).to_contain_text("pager")
    expect_settled(visitor)
    visitor.press(visitor.find("button", "Next step"))
    expect_step(visitor, "What it is called")
    visitor.write(visitor.find("textbox", "Name"), "Loss guard")
    visitor.press(visitor.begins("checkbox", "Shadow mode"), "Space")
    visitor.press(visitor.find("button", "Create automation"))
    expect_told(visitor, "Automation “%(name)s” created.", name="Loss guard")
    automation = Automation.objects.get()
    assert automation.shadow
    assert automation.event_type == EventType.RUN_METRIC
    assert {name: automation.condition[name] for name in asked} == asked

    visitor.press(visitor.find("button", "Make it live"))
    expect_told(visitor, "Automation “%(name)s” is live. What matches from now on is sent.", name="Loss guard")
    assert not Automation.objects.get().shadow


def do_nothing(visitor: Visitor) -> None:
    """From the first step to the last one."""
    visitor.press(visitor.find("button", "Next step"))
    expect_step(visitor, "What it does")
    visitor.press(visitor.begins("radio", "Webhook", within=visitor.find("group", "Action")), "ArrowUp")
    expect(visitor.begins("radio", "Do nothing")).to_be_checked()
    visitor.press(visitor.find("button", "Next step"))
    expect_step(visitor, "What it is called")


def test_a_wide_automation_that_would_fire_very_often_is_confirmed(
    visitor: Visitor, witness: Witness, settings: Any, project: Project, alice: User
) -> None:
    """UI2"""
    witness.refusals.add(422)
    cache.clear()
    settings.CONFIRM_FIRINGS_PER_DAY = 0.1
    for _ in range(7):
        runs.finish(factories.make_run(project, user=alice), exit_code=1, by=alice, at=timezone.now())
    page = visitor.page
    page.goto("/teams/research/automations")
    visitor.press(visitor.find("link", "Create automation").first)
    choose_event(visitor, "Run state")
    visitor.press(visitor.find("checkbox", "Failed or crashed"), "Space")
    now = {"projects": visitor.count("%(count)s project", "%(count)s projects", 1), "runs": "7"}
    covered = visitor.count(
        "Now: %(projects)s, %(runs)s run in the last 30 days.",
        "Now: %(projects)s, %(runs)s runs in the last 30 days.",
        7,
        **now,
    )
    expect(page.get_by_text(covered)).to_be_visible()
    do_nothing(visitor)
    expected = visitor.count(
        "Going by the last %(days)s days, it would fire about %(rate)s time a day.",
        "Going by the last %(days)s days, it would fire about %(rate)s times a day.",
        1,
        days=7,
        rate="1",
    )
    expect(page.get_by_text(expected)).to_be_visible()
    visitor.write(visitor.find("textbox", "Name"), "All failures")
    visitor.press(visitor.find("button", "Create automation"))
    confirmation = visitor.find("checkbox", "It is meant to fire this often")
    expect(confirmation).to_be_focused()
    asked = visitor.words("Confirm that it is meant to fire this often, or begin in shadow mode.")
    expect(confirmation).to_have_accessible_description(asked)
    expect_settled(visitor)
    assert not Automation.objects.exists()
    visitor.press(confirmation, "Space")
    visitor.press(visitor.find("button", "Create automation"))
    expect_told(visitor, "Automation “%(name)s” created.", name="All failures")
    assert Automation.objects.get().team == project.team


def test_from_the_hub_to_what_an_automation_would_have_done_and_why_it_did_not(
    visitor: Visitor, project: Project, alice: User
) -> None:
    """UI4, HI6, HI7"""
    factories.make_automation(project, EventType.RUN_METRIC, name="Loss guard")
    factories.make_automation(project, name="Resting", enabled=False)
    factories.make_run(project, user=alice, display_name="silent")
    log(factories.make_run(project, user=alice, display_name="wild"), 0.5, 7.0)
    page = visitor.page
    page.goto("/automations/")
    names = page.locator("td.main a.name")
    expect(names).to_have_count(2)
    visitor.press(visitor.find("combobox", "State"), "ArrowDown")
    expect(names).to_have_text(["Loss guard"])
    expect(page).to_have_url(re.compile("state=enabled"))
    visitor.write(visitor.find("searchbox", "Search automations and places"), "digits")
    expect(page).to_have_url(re.compile("q=digits"))
    expect(names).to_have_text(["Loss guard"])
    expect_settled(visitor)
    visitor.press(names)

    card = visitor.find("region", "What it would have done")
    visitor.press(visitor.find("button", "30 days", within=card))
    told = {"times": visitor.count("%(count)s time", "%(count)s times", 1), "days": 30, "subjects": "wild"}
    verdict = visitor.words("Would have fired %(times)s in %(days)s days: %(subjects)s.", **told)
    expect(card.get_by_role("status")).to_have_text(verdict)

    stopped = page.get_by_role("listitem").filter(has_text=visitor.words("Stopped"))
    never = visitor.words("%(metric)s was never logged by this run.", metric="loss")
    visitor.press(visitor.find("link", "Why didn't it fire?"))
    visitor.press(page.get_by_role("link", name="silent"))
    expect(stopped).to_contain_text(never)
    visitor.press(page.get_by_role("main").get_by_role("link", name="silent").first)
    visitor.press(visitor.find("link", "Why didn't one fire?"))
    visitor.press(page.get_by_role("link", name="Loss guard"))
    expect(visitor.find("heading", "Why didn't it fire?")).to_be_visible()
    expect(stopped).to_contain_text(never)
