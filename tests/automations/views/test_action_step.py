"""The second step of the form: whose webhook is called, and with what payload (AC3, PL5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from tests import factories
from tests.automations.views.filling import FAILED, Filling, act

if TYPE_CHECKING:
    from automations.models import Webhook
    from projects.models import Project, Team, User

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [("{", "The payload is not JSON"), ('{"a": NaN}', "which is no number in JSON")],
)
def test_a_payload_that_is_no_json_is_refused_at_its_step(
    filling: Filling, webhook: Webhook, payload: str, sentence: str
) -> None:
    filling.post(**FAILED)
    response = filling.post(**act(webhook, payload=payload))

    assert (response.status_code, filling.step) == (422, 2)
    assert sentence in filling.page


def test_a_webhook_must_be_chosen(filling: Filling, webhook: Webhook) -> None:
    filling.post(**FAILED)
    filling.post(action_kind="GENERIC_WEBHOOK", team=webhook.team_id)

    assert filling.step == 2
    assert "Choose the webhook to call." in filling.page


def test_a_webhook_of_a_team_one_is_no_admin_of_cannot_be_chosen(filling: Filling) -> None:
    """AC3"""
    filling.post(**FAILED)
    foreign = factories.make_webhook(factories.make_team("elsewhere"), name="theirs")
    filling.post(**act(foreign))

    assert filling.step == 2
    assert "theirs" not in filling.page


def test_a_webhook_of_another_team_one_is_admin_of_can_be_chosen(filling: Filling, alice: User) -> None:
    """AC3"""
    filling.post(**FAILED)
    own = factories.make_webhook(factories.make_team("mine", admin=alice), name="own")
    filling.post(**act(own))

    assert filling.step == 3


def test_the_payload_is_shown_as_it_would_have_been_sent_for_the_last_event(
    filling: Filling, project: Project, webhook: Webhook
) -> None:
    """PL5"""
    run = factories.make_run(project, display_name="prod-7")
    factories.make_event(run, facts={"display_name": "prod-7", "name": run.run_id})
    filling.post(**FAILED)
    filling.post(go="refresh", **act(webhook, payload='{"text": "${run_name} ${alias} ${nope}"}'))

    assert "prod-7" in filling.page
    assert "${alias} does not apply to this event" in filling.page
    assert "There is no variable ${nope}" in filling.page


def test_without_an_event_yet_the_preview_says_so(filling: Filling, webhook: Webhook) -> None:
    filling.post(**FAILED)

    assert "A preview appears here once such an event has happened" in filling.page


def test_the_preview_masks_secrets(filling: Filling, team: Team, project: Project) -> None:
    """SE1"""
    secret = factories.make_secret(team, "SIGNING", "canary-value")
    webhook = factories.make_webhook(team, name="signed", secret=secret, access_token=secret)
    factories.make_event(factories.make_run(project))
    filling.post(**FAILED)
    filling.post(go="refresh", **act(webhook, payload='{"k": "${SIGNING} ${ACCESS_TOKEN}"}'))

    assert "${SIGNING}" in filling.page
    assert "••••••" in filling.page
    assert "canary-value" not in filling.page


def test_who_may_add_a_webhook_is_led_to_the_teams_settings(
    filling: Filling, browser: Callable[[User], Client], bob: User, team: Team, tab: str
) -> None:
    filling.post(**FAILED)
    assert f"/teams/{team.name}/settings/#webhooks" in filling.page

    team.members_edit_automations = True
    team.save()
    member = Filling(browser(bob), f"{tab}/new")
    member.post(**FAILED)
    assert "#webhooks" not in member.page


def test_a_payload_that_is_far_too_long_is_refused_and_not_kept(filling: Filling, webhook: Webhook) -> None:
    filling.post(**FAILED)
    response = filling.post(**act(webhook, payload='"' + "x" * 200_000 + '"'))

    assert response.status_code == 422
    assert "has more than 64 kB" in filling.page
    assert len(str(dict(filling.client.session))) < 10_000


def test_ui2_a_slack_message_is_shown_as_the_channel_would_show_it(filling: Filling, project: Project) -> None:
    factories.make_run(project, display_name="<night>")
    filling.post(**FAILED)
    filling.post("refresh", action_kind="NOTIFICATION", severity="WARN", title="*Look*", message="at ~me~ ${run_name}")

    assert "⚠️ <b>" in filling.page
    assert "at <s>me</s> &lt;night&gt;" in filling.page
    assert "A link to the execution is added while sending." in filling.page


def test_pl5_what_is_odd_leads_to_its_place(filling: Filling, webhook: Webhook) -> None:
    filling.post(**FAILED)
    filling.post("refresh", **act(webhook, payload='{\n  "a": "${alias}"\n}'))
    assert "Line 2, column 9" in filling.page

    filling.post("refresh", action_kind="NOTIFICATION", title="${alias}")
    assert "Title, line 1, column 1" in filling.page


def test_pl5_what_is_no_json_leads_to_its_place(filling: Filling, webhook: Webhook) -> None:
    filling.post(**FAILED)
    filling.post("refresh", **act(webhook, payload='{\n  "a": nope\n}'))

    assert "Line 2, column 8" in filling.page
