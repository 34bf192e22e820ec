"""Changing an automation by the form that created it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from automations import editing
from automations.models import Automation
from automations.views.steps import Steps
from tests import factories
from tests.automations.views.filling import FAILED, Filling, act, same

if TYPE_CHECKING:
    from django.test import Client

    from projects.models import Project, User

pytestmark = pytest.mark.django_db

FILTERS: list[Any] = [
    {},
    {"$or": [{"$and": []}]},
    {"user": "alice", "display_name": {"$regex": "^prod-"}},
    {"$or": [{"$and": [{"display_name": {"$regex": "^p"}}]}]},
    {"display_name": {"$contains": "prod"}},
    {"user": {"$in": ["alice", "bob"]}, "tags": "nightly"},
    {"$and": [{"user": "alice"}, {"$or": [{"group": "a"}, {"config.lr": {"$gt": 0.1}}]}]},
]


def walk(filling: Filling, address: str) -> Any:
    """Save each step as the browser shows it, changing nothing."""
    for step in (1, 2, 3):
        query = {"draft": filling.draft, "step": step} if filling.draft else {}
        shown = filling.client.get(address, query)
        response = filling.post(go="next" if step < 3 else "save", **same(shown))
    return response


@pytest.mark.parametrize("document", FILTERS)
def test_an_edit_that_changes_nothing_keeps_the_filter_to_the_letter(
    browser: Callable[[User], Client], alice: User, project: Project, document: Any
) -> None:
    automation = factories.make_automation(project, filter=document)
    filling = Filling(browser(alice), f"/automations/{automation.pk}/edit")
    walk(filling, filling.address)

    assert Automation.objects.get().filter == document


@pytest.mark.parametrize(
    "stored",
    [
        ("RUN_STATE", {"states": ["RUNNING", "FAILED"]}, {}),
        (
            "RUN_METRIC",
            {"name": "loss", "agg_op": "MAX", "window_size": 7, "cmp_op": "$lte", "threshold": -1e-7},
            {},
        ),
        (
            "RUN_METRIC",
            {"name": "loss", "agg_op": None, "window_size": 1, "cmp_op": "$nonfinite", "threshold": None},
            {"user": "alice"},
        ),
        ("CREATE_ARTIFACT", {}, {"alias": {"$in": ["a", "b"]}, "type": "model", "metadata.x": 1}),
        ("LINK_MODEL", {}, {"collection": {"$regex": "^c"}}),
        ("ADD_ARTIFACT_ALIAS", {}, {"alias": {"$regex": "^production$"}}),
    ],
)
def test_an_edit_that_changes_nothing_keeps_everything(
    browser: Callable[[User], Client], alice: User, project: Project, stored: tuple[str, Any, Any]
) -> None:
    event_type, condition, document = stored
    webhook = factories.make_webhook(project.team)
    automation = factories.make_automation(
        project,
        event_type,
        condition=condition,
        filter=document,
        webhook=webhook,
        payload='{"a": 1}',
        description="why",
        enabled=False,
    )
    before = editing.draft_of(automation)
    filling = Filling(browser(alice), f"/automations/{automation.pk}/edit")
    walk(filling, filling.address)

    assert editing.draft_of(Automation.objects.select_related("webhook").get()) == before
    assert automation.versions.count() == 1


def test_any_step_saves_the_whole(browser: Callable[[User], Client], alice: User, project: Project) -> None:
    automation = factories.make_automation(project, name="Old")
    filling = Filling(browser(alice), f"/automations/{automation.pk}/edit")
    response = filling.post(go="save", event_type="RUN_STATE", states=["FINISHED"])

    assert response["Location"] == f"/automations/{automation.pk}/"
    assert Automation.objects.get().condition == {"states": ["FINISHED"]}
    assert Automation.objects.get().name == "Old"
    assert [version.created_by for version in automation.versions.all()] == [alice, None]


def test_an_edit_does_not_write_over_what_somebody_else_saved_meanwhile(
    browser: Callable[[User], Client], alice: User, project: Project
) -> None:
    automation = factories.make_automation(project, name="Old")
    filling = Filling(browser(alice), f"/automations/{automation.pk}/edit")
    filling.post(event_type="RUN_STATE", states=["FINISHED"])
    save_description(automation, "Theirs", by=alice)
    filling.post(action_kind="NO_OP")
    response = filling.post(go="save", name="Old", description="Mine")

    assert response.status_code == 422
    assert "Somebody else saved this while you edited it" in filling.page
    assert "Theirs" in filling.page
    assert Automation.objects.get().description == "Theirs"

    filling.post(go="overwrite", name="Old", description="Mine")
    assert Automation.objects.get().description == "Mine"
    assert Automation.objects.get().condition == {"states": ["FINISHED"]}


def test_what_somebody_else_deletes_while_it_is_saved_is_not_found(
    browser: Callable[[User], Client], alice: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    automation = factories.make_automation(project, name="Old")
    filling = Filling(browser(alice), f"/automations/{automation.pk}/edit")
    filling.post(event_type="RUN_STATE", states=["FINISHED"])
    filling.post(action_kind="NO_OP")
    draft = Steps.draft

    def deleted_meanwhile(form: Steps) -> Any:
        Automation.objects.all().delete()
        return draft(form)

    monkeypatch.setattr(Steps, "draft", deleted_meanwhile)
    posted = {"step": 3, "draft": filling.draft, "seen": filling.seen, "go": "save", "name": "Old"}

    assert filling.client.post(filling.address, posted).status_code == 404
    assert not Automation.objects.exists()


def test_what_one_did_not_touch_is_kept_as_somebody_else_saved_it(
    browser: Callable[[User], Client], alice: User, project: Project
) -> None:
    automation = factories.make_automation(project)
    filling = Filling(browser(alice), f"/automations/{automation.pk}/edit")
    save_description(automation, "Theirs", by=alice)
    filling.post(go="save", event_type="RUN_STATE", states=["FINISHED"])
    assert "Somebody else saved this while you edited it" in filling.page
    filling.post(go="overwrite", event_type="RUN_STATE", states=["FINISHED"])

    assert Automation.objects.get().description == "Theirs"
    assert Automation.objects.get().condition == {"states": ["FINISHED"]}


def save_description(automation: Automation, text: str, *, by: User) -> None:
    draft = editing.draft_of(automation)
    draft.description = text
    editing.update(automation, draft, by=by)


def test_the_webhook_it_has_may_stay_though_one_could_not_choose_it(
    browser: Callable[[User], Client], alice: User, project: Project
) -> None:
    """AZ3"""
    foreign = factories.make_webhook(factories.make_team("elsewhere"), name="theirs")
    automation = factories.make_automation(project, webhook=foreign)
    filling = Filling(browser(alice), f"/automations/{automation.pk}/edit")
    filling.post(**FAILED)
    filling.post(**act(foreign))
    filling.post(go="save", name="Renamed")

    assert Automation.objects.get().name == "Renamed"
    assert Automation.objects.get().webhook == foreign


def test_the_user_a_filter_names_stays_though_they_left(
    browser: Callable[[User], Client], alice: User, project: Project
) -> None:
    automation = factories.make_automation(project, filter={"user": "gone"})
    filling = Filling(browser(alice), f"/automations/{automation.pk}/edit")
    walk(filling, filling.address)

    assert Automation.objects.get().filter == {"user": "gone"}
