"""Breakers, limits of channels and digests on the pages and over REST: members see them, admins change them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from automations.models import Digest, Execution, HeldFor, ReasonCode, SlackChannel, Status, Webhook
from tests import factories

if TYPE_CHECKING:
    from projects.models import Project, Team, User

pytestmark = pytest.mark.django_db
Browser = Callable[["User"], Client]
Api = Callable[["User | None"], APIClient]
SETTINGS = "/teams/research/settings/"
BREAKER = "/api/teams/research/webhooks/pager/breaker/"
LIMITS = "/api/teams/research/slack-channels/ml-alerts/limits/"
NIGHT = {
    "hourly_budget": "20",
    "quiet_from": "22:00",
    "quiet_until": "07:00",
    "quiet_zone": "Europe/Berlin",
    "quiet_days": ["0", "4"],
    "errors_pass_quiet_hours": "on",
}


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, response.content
    return " ".join(response.content.decode().split())


@pytest.fixture
def channel(team: Team) -> SlackChannel:
    return factories.make_slack_channel(team)


@pytest.fixture
def broken(team: Team, project: Project) -> Webhook:
    """A webhook with an open breaker, and an execution that it holds."""
    webhook = factories.make_webhook(team)
    now = timezone.now()
    later = now + timedelta(minutes=4)
    Webhook.objects.update(breaker_opened_at=now, next_probe_at=later, failures_in_a_row=12)
    factories.make_execution(
        factories.make_automation(project, webhook=webhook),
        status=Status.PENDING,
        reason_code=ReasonCode.BREAKER_OPEN,
        next_attempt_at=later,
    )
    return Webhook.objects.get()


def test_wh8_the_page_says_that_a_breaker_is_open_and_admins_may_try_or_close_it(
    browser: Browser, alice: User, bob: User, broken: Webhook
) -> None:
    seen = text(browser(bob), SETTINGS)
    assert "The breaker of <b>pager</b> is open since" in seen
    assert "Close the breaker" not in seen
    assert browser(bob).post(f"{SETTINGS}webhooks/{broken.pk}/close-breaker").status_code == 403
    assert "Close the breaker" in text(browser(alice), SETTINGS)

    browser(alice).post(f"{SETTINGS}webhooks/{broken.pk}/probe")
    assert Execution.objects.get().next_attempt_at <= timezone.now()
    client = browser(alice)
    closed = client.post(f"{SETTINGS}webhooks/{broken.pk}/close-breaker", follow=True).content.decode()
    assert "1 held execution goes out now" in closed
    assert "is open since" not in closed


def test_wh8_the_page_of_an_execution_says_what_holds_it(browser: Browser, bob: User, broken: Webhook) -> None:
    page = text(browser(bob), Execution.objects.get().get_absolute_url())
    assert "The breaker of webhook pager is open since" in page


def test_wh8_over_rest(api: Api, alice: User, bob: User, charlie: User, broken: Webhook) -> None:
    found = api(bob).get(BREAKER).json()
    assert (found["failures_in_a_row"], found["held"]) == (12, 1)
    assert api(bob).post(f"{BREAKER}close/").status_code == 403
    assert api(charlie).get(BREAKER).status_code == 404
    assert api(alice).post(f"{BREAKER}probe/").json()["held"] == 1
    closed = api(alice).post(f"{BREAKER}close/").json()
    assert closed == {"opened_at": None, "next_probe_at": None, "failures_in_a_row": 0, "held": 0}
    assert api(alice).get("/api/teams/research/webhooks/pager/").json()["health"] != "breaker_open"


def test_an_admin_limits_a_channel_on_its_page(browser: Browser, alice: User, bob: User, channel: SlackChannel) -> None:
    address = f"{SETTINGS}slack/{channel.pk}/limits"
    assert browser(bob).get(address).status_code == 403
    client = browser(alice)
    assert "Who spends it" in text(client, address)
    assert client.post(address, NIGHT).status_code == 302
    channel.refresh_from_db()
    assert (channel.hourly_budget, channel.quiet_days, channel.errors_pass_quiet_hours) == (20, "04", True)
    page = text(browser(bob), SETTINGS)
    assert "At most 20 messages an hour" in page
    assert "Quiet 22:00 to 07:00 (Europe/Berlin), Monday, Friday, but for errors" in page
    assert 'value="22:00"' in text(client, address)

    assert client.post(address, {"quiet_zone": "UTC"}).status_code == 302
    channel.refresh_from_db()
    assert (channel.hourly_budget, channel.quiet_hours, channel.errors_pass_quiet_hours) == (None, None, False)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"hourly_budget": "0"}, "greater than or equal to 1"),
        ({"quiet_until": ""}, "a beginning and an end"),
        ({"quiet_zone": "Europe/Atlantis"}, "is no time zone"),
        ({"quiet_days": []}, "Choose on which days"),
        ({"quiet_from": "07:00", "quiet_days": list("0123456")}, "nothing would ever be sent"),
    ],
)
def test_limits_that_make_no_sense_are_refused_and_what_was_typed_stays(
    browser: Browser, alice: User, channel: SlackChannel, wrong: dict[str, object], said: str
) -> None:
    answer = browser(alice).post(f"{SETTINGS}slack/{channel.pk}/limits", NIGHT | wrong)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    channel.refresh_from_db()
    assert not channel.is_limited


def test_limits_over_rest_what_is_left_out_stays(api: Api, alice: User, bob: User, channel: SlackChannel) -> None:
    assert api(bob).get(LIMITS).json()["hourly_budget"] is None
    assert api(bob).patch(LIMITS, {"hourly_budget": 5}).status_code == 403
    quiet = {"quiet_from": "22:00", "quiet_until": "07:00", "quiet_zone": "Asia/Tokyo", "quiet_days": [0, 1]}
    assert api(alice).patch(LIMITS, quiet).status_code == 200
    found = api(alice).patch(LIMITS, {"hourly_budget": 5}).json()
    assert found == {"hourly_budget": 5, "errors_pass_quiet_hours": True, **quiet}
    assert api(alice).patch(LIMITS, {"quiet_zone": "Nowhere"}).status_code == 400


def test_who_spends_the_budget_is_told_without_what_one_may_not_see(
    api: Api, alice: User, bob: User, project: Project, channel: SlackChannel
) -> None:
    """AZ1: automations of other teams may post to the channel; their names are not this team's business."""
    mine = factories.make_automation(project, name="Mine", slack_channel=channel)
    hidden = factories.make_project(factories.make_team("secret"))
    foreign = factories.make_automation(hidden, name="Foreign", slack_channel=channel)
    now = timezone.now()
    for automation, hours in ((mine, 0), (mine, 2), (foreign, 0)):
        event = factories.make_event(factories.make_run(automation.project))
        factories.make_execution(automation, event, finished_at=now - timedelta(hours=hours))
    address = "/api/teams/research/slack-channels/ml-alerts/spending/"
    assert api(bob).get(address).status_code == 403
    first, second = api(alice).get(address).json()["spenders"]
    assert (first["name"], first["last_hour"], first["last_day"]) == ("Mine", 1, 2)
    assert (second["automation"], second["name"], second["last_day"]) == (None, None, 1)


def test_a_digest_lists_what_its_reader_may_see_of_it(
    browser: Browser, api: Api, alice: User, project: Project, channel: SlackChannel
) -> None:
    """AZ1"""
    digest = Digest.objects.create(
        channel=channel, reason=HeldFor.NOISE_BUDGET, opened_at=timezone.now(), due_at=timezone.now()
    )
    hidden = factories.make_project(factories.make_team("secret"))
    for name, place in (("First", project), ("Second", project), ("Unseen", hidden)):
        automation = factories.make_automation(place, name=name, slack_channel=channel)
        factories.make_execution(automation, factories.make_event(factories.make_run(place)), digest=digest)
    page = text(browser(alice), digest.get_absolute_url())
    assert "Digest of 2 messages" in page
    assert "Unseen" not in page
    assert browser(factories.make_user("charlie")).get(digest.get_absolute_url()).status_code == 404
    listed = api(alice).get("/api/executions/", {"digest": str(digest.key)}).json()["results"]
    assert [row["digest"] for row in listed] == [str(digest.key)] * 2
