"""Creating an automation in three steps (UI2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from automations.models import Automation
from tests import factories
from tests.automations.views.filling import FAILED, Filling, act

if TYPE_CHECKING:
    from automations.models import Webhook
    from projects.models import Project, Team, User
    from registries.models import Registry

pytestmark = pytest.mark.django_db


def test_ui2_three_steps_create_an_automation(filling: Filling, webhook: Webhook, project: Project) -> None:
    """UI2"""
    filling.post(**FAILED, run_name="^prod-", user="bob")
    assert filling.step == 2
    assert "When a run fails, where run name matches ^prod- and user is bob" in filling.page
    filling.post(**act(webhook, payload='{"text": "${run_name}"}'))
    assert filling.step == 3
    assert "call webhook pager" in filling.page
    response = filling.post(go="save", name="Tell the pager", description="For the night shift")

    automation = Automation.objects.get()
    assert response["Location"] == f"/automations/{automation.pk}/"
    assert (automation.name, automation.description) == ("Tell the pager", "For the night shift")
    assert automation.project == project
    assert automation.created_by is not None
    assert automation.created_by.username == "alice"
    assert automation.condition == {"states": ["FAILED"]}
    assert automation.filter == {"user": "bob", "display_name": {"$regex": "^prod-"}}
    assert (automation.webhook, automation.payload) == (webhook, '{"text": "${run_name}"}')


def test_a_metric_threshold_is_stored_as_the_api_stores_it(filling: Filling) -> None:
    """EV6"""
    filling.post(
        event_type="RUN_METRIC",
        metric_name="loss",
        agg_op="AVERAGE",
        window_size="5",
        cmp_op="$gt",
        threshold="0.9",
    )
    assert "loss (average of the last 5 values) is above 0.9" in filling.page
    filling.post(action_kind="NO_OP")
    filling.post(go="save", name="High loss")

    assert Automation.objects.get().condition == {
        "name": "loss",
        "agg_op": "AVERAGE",
        "window_size": 5,
        "cmp_op": "$gt",
        "threshold": 0.9,
    }


def test_nan_asks_for_neither_aggregate_nor_threshold(filling: Filling) -> None:
    """EV6"""
    filling.post(
        event_type="RUN_METRIC", metric_name="loss", agg_op="MIN", window_size="x", cmp_op="$nonfinite", threshold="y"
    )
    assert "loss is NaN or infinite" in filling.page
    filling.post(action_kind="NO_OP")
    filling.post(go="save", name="Loss guard")

    condition = Automation.objects.get().condition
    assert (condition["agg_op"], condition["window_size"], condition["threshold"]) == (None, 1, None)


def test_an_alias_pattern_becomes_a_filter(filling: Filling) -> None:
    filling.post(event_type="ADD_ARTIFACT_ALIAS", alias_pattern="^production$", artifact_type="model")
    filling.post(action_kind="NO_OP")
    filling.post(go="save", name="Deploy")

    assert Automation.objects.get().filter == {"alias": {"$regex": "^production$"}, "type": "model"}


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({}, "Choose the event that starts the automation."),
        ({"event_type": "RUN_STATE"}, "Choose at least one of Running, Finished and Failed."),
        ({**FAILED, "run_name": "("}, "RE2 cannot run this pattern"),
        ({**FAILED, "filter_json": "{"}, "This is not JSON"),
        ({**FAILED, "filter_json": "[]"}, "A condition is an object"),
        ({**FAILED, "filter_json": '{"colour": "red"}'}, "colour"),
        ({"event_type": "RUN_METRIC", "cmp_op": "$gt", "threshold": "1"}, "The metric is missing"),
        ({"event_type": "RUN_METRIC", "metric_name": "loss", "cmp_op": "$gt"}, "The threshold is missing"),
        (
            {"event_type": "RUN_METRIC", "metric_name": "loss", "cmp_op": "$gt", "threshold": "high"},
            "Enter a number.",
        ),
        (
            {
                "event_type": "RUN_METRIC",
                "metric_name": "loss",
                "agg_op": "MIN",
                "window_size": "0",
                "cmp_op": "$gt",
                "threshold": "1",
            },
            "The window is a whole number of values",
        ),
        ({"event_type": "NO_SUCH"}, "not one of the available choices"),
    ],
)
def test_what_is_wrong_with_the_event_is_said_at_its_step(
    filling: Filling, answers: dict[str, Any], sentence: str
) -> None:
    response = filling.post(**answers)

    assert response.status_code == 422
    assert filling.step == 1
    assert sentence in filling.page


def test_fields_of_other_events_are_not_held_against_the_chosen_one(filling: Filling) -> None:
    filling.post(**FAILED, threshold="high", window_size="-", alias_pattern="(", cmp_op="$nope")

    assert filling.step == 2


def test_back_keeps_what_was_typed(filling: Filling, webhook: Webhook) -> None:
    """UI2"""
    filling.post(**FAILED, run_name="^prod-")
    filling.post(go="back", **act(webhook, payload='{"half": '))
    assert filling.step == 1
    assert "^prod-" in filling.page
    filling.post(**FAILED, run_name="^prod-")

    assert filling.step == 2
    assert "{&quot;half&quot;: " in filling.page


def test_a_step_that_was_done_can_be_gone_back_to_without_losing_this_one(filling: Filling, webhook: Webhook) -> None:
    filling.post(**FAILED)
    filling.post(**act(webhook))
    filling.post(go="1", name="Half a na")
    assert filling.step == 1
    filling.post(**FAILED)
    filling.post(**act(webhook))

    assert "Half a na" in filling.page


def test_a_reload_of_a_later_step_loses_nothing(filling: Filling, webhook: Webhook) -> None:
    filling.post(**FAILED)
    filling.post(**act(webhook))

    assert "call webhook pager" in filling.get(3)
    assert "When a run fails" in filling.get(2)


def test_two_tabs_do_not_write_over_each_other(browser: Callable[[User], Client], alice: User, tab: str) -> None:
    client = browser(alice)
    one, other = Filling(client, f"{tab}/new"), Filling(client, f"{tab}/new")
    one.post(**FAILED, run_name="first")
    other.post(**FAILED, run_name="second")

    assert "first" in one.get(1)
    assert "second" in other.get(1)


def test_a_later_step_cannot_be_reached_around_an_earlier_one(filling: Filling) -> None:
    filling.post(event_type="RUN_STATE")
    response = filling.client.get(filling.address, {"draft": filling.draft, "step": 3})

    assert response.context["step"] == 1


def test_what_was_typed_into_a_form_nobody_remembers_is_asked_again(filling: Filling) -> None:
    response = filling.client.get(filling.address, {"draft": "forgotten", "step": 3})

    assert response.context["step"] == 1
    assert "This form was left too long ago" in response.content.decode()


def test_a_taken_name_is_said_at_the_last_step(filling: Filling, project: Project) -> None:
    """SC2"""
    factories.make_automation(project, name="Tell the pager")
    filling.post(**FAILED)
    filling.post(action_kind="NO_OP")
    response = filling.post(go="save", name="Tell the pager")

    assert (response.status_code, filling.step) == (422, 3)
    assert "There is an automation “Tell the pager”" in filling.page


def test_the_last_step_is_answered_by_the_first_that_became_wrong(filling: Filling, webhook: Webhook) -> None:
    filling.post(**FAILED)
    filling.post(**act(webhook))
    webhook.delete()
    response = filling.post(go="save", name="Tell the pager")

    assert (response.status_code, filling.step) == (422, 2)
    assert not Automation.objects.exists()


def test_the_form_sent_twice_creates_one_automation(filling: Filling) -> None:
    filling.post(**FAILED)
    filling.post(action_kind="NO_OP")
    first = filling.post(go="save", name="Once")
    second = filling.post(go="save", name="Once")

    assert first["Location"] == second["Location"]
    assert Automation.objects.count() == 1


def test_the_form_sent_twice_at_once_creates_one_automation(filling: Filling, project: Project, alice: User) -> None:
    filling.post(**FAILED)
    filling.post(action_kind="NO_OP")
    twin = factories.make_automation(project, name="Once", created_by=alice)
    response = filling.post(go="save", name="Once")

    assert response["Location"] == f"/automations/{twin.pk}/"
    assert Automation.objects.count() == 1


def test_a_name_is_suggested_from_the_sentence(filling: Filling, webhook: Webhook) -> None:
    filling.post(**FAILED)
    filling.post(**act(webhook))

    assert "A run fails → pager" in filling.page


def test_a_collection_can_be_chosen_in_the_address_and_has_no_run_events(filling: Filling, project: Project) -> None:
    """SC4"""
    version = factories.make_version(project, collection="classifier")
    filling.address += "?collection=classifier"
    assert "A collection has no runs" in filling.get()
    filling.address = filling.address.partition("?")[0]
    filling.post(**FAILED, collection=version.collection_id)
    assert filling.step == 1
    filling.post(event_type="CREATE_ARTIFACT", collection=version.collection_id)
    filling.post(action_kind="NO_OP")
    filling.post(go="save", name="New version")

    assert Automation.objects.get().collection_id == version.collection_id


def test_a_collection_of_another_project_is_no_choice(filling: Filling, team: Team) -> None:
    other = factories.make_version(factories.make_project(team, name="other"), collection="theirs")
    filling.post(event_type="CREATE_ARTIFACT", collection=other.collection_id)

    assert filling.step == 1
    assert not Automation.objects.exists()


def test_a_registry_offers_its_own_events(
    browser: Callable[[User], Client], alice: User, registry: Registry, webhook: Webhook
) -> None:
    filling = Filling(browser(alice), f"/registries/acme/{registry.name}/automations/new")
    assert "RUN_STATE" not in filling.page.partition("</fieldset>")[0]
    filling.post(event_type="LINK_MODEL", aliases="production, staging", collection_name="^classifier$")
    filling.post(**act(webhook))
    filling.post(go="save", name="Linked")

    automation = Automation.objects.get()
    assert automation.registry == registry
    assert automation.filter == {
        "collection": {"$regex": "^classifier$"},
        "alias": {"$in": ["production", "staging"]},
    }


def test_an_event_of_runs_is_refused_in_a_registry(
    browser: Callable[[User], Client], alice: User, registry: Registry
) -> None:
    """SC4"""
    filling = Filling(browser(alice), f"/registries/acme/{registry.name}/automations/new")
    filling.post(**FAILED)

    assert filling.step == 1
    assert "“Run state” does not happen in a registry." in filling.page


def test_the_form_refreshes_without_finding_fault_or_keeping_anything(filling: Filling) -> None:
    response = filling.post(go="refresh", event_type="RUN_STATE")

    assert response.status_code == 200
    assert "Choose at least one" not in filling.page
    assert filling.draft == ""


def test_htmx_gets_the_form_alone_and_the_address_to_come_back_to(filling: Filling, tab: str) -> None:
    filling.post(**FAILED)
    response = filling.client.get(filling.address, {"draft": filling.draft, "step": 2}, headers={"HX-Request": "true"})

    assert "<title>" not in response.content.decode()
    assert response["HX-Push-Url"] == f"{tab}/new?draft={filling.draft}&step=2"


def test_metrics_that_recent_runs_logged_are_offered(filling: Filling, project: Project) -> None:
    factories.make_run(project, summary={"loss": 0.5, "eval": {"accuracy": 0.9}, "bad": "NaN", "note": "x", "_step": 3})
    response = filling.client.get(filling.address)

    assert response.context["metric_names"] == ["bad", "eval.accuracy", "loss"]


def test_ui2_a_pattern_lists_what_it_matches_as_one_types(filling: Filling, project: Project) -> None:
    for name in ("prod-1", "night-1"):
        factories.make_run(project, display_name=name)
    filling.post("refresh", **FAILED, run_name="^prod-")

    assert "Matches 1 of 2 runs." in filling.page
    assert 'title="prod-1"' in filling.page
    assert 'title="night-1"' not in filling.page


def test_a_pattern_that_cannot_run_is_told_at_its_field_once(filling: Filling) -> None:
    filling.post("refresh", **FAILED, run_name="(")
    assert filling.page.count("RE2 cannot run this pattern") == 1

    filling.post(**FAILED, run_name="(")
    assert filling.page.count("RE2 cannot run this pattern") == 1


def test_ui2_the_first_step_replays_the_event_once_it_is_complete(filling: Filling) -> None:
    filling.post("refresh", event_type="RUN_STATE")
    assert 'id="replay-draft" value=""' in filling.page

    filling.post("refresh", **FAILED)
    assert re.search(r'id="replay-draft" value="[^"]{20,}"', filling.page)


def test_a_comparison_reads_as_a_part_of_the_sentence(filling: Filling) -> None:
    assert '<option value="$gt">is above</option>' in filling.page


def test_so_many_metrics_are_offered_as_a_list_can_show(filling: Filling, project: Project) -> None:
    factories.make_run(project, summary={f"m{number:04}": 1 for number in range(501)})
    names = filling.client.get(filling.address).context["metric_names"]

    assert (len(names), names[-1]) == (500, "m0499")


def test_the_cursor_goes_to_the_first_field_that_is_wrong(filling: Filling) -> None:
    filling.post(**FAILED, run_name="(")

    assert re.search(r'<input[^>]*name="run_name"[^>]*autofocus', filling.page)


def test_the_sentence_names_the_collection_that_was_chosen(filling: Filling, project: Project) -> None:
    factories.make_version(project, collection="classifier")
    filling.address += "?collection=classifier"

    assert "Covers the collection classifier in digits." in filling.get()


@pytest.mark.parametrize("field", ["run_name", "user", "filter_json", "metric_name"])
def test_nul_characters_are_refused_not_stored(filling: Filling, field: str) -> None:
    event = {"event_type": "RUN_METRIC", "metric_name": "loss", "cmp_op": "$gt", "threshold": "1"}
    filling.post(**{**event, field: "a\0b"})

    assert filling.step == 1
