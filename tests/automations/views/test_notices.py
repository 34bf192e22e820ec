"""The bell and the page of notices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from automations import notices
from automations.models import Automation, Notice, NoticeKind, Webhook
from projects.models import Project, Team, User
from tests import factories

pytestmark = pytest.mark.django_db

Browser = Callable[[User], Client]
HTMX = {"HX-Request": "true", "HX-Target": "notices"}


def tell(webhook: Webhook, sentence: str = "The receiver answered 503.") -> Notice:
    notices.tell(NoticeKind.FAILING, webhook, sentence=sentence, at=timezone.now())
    return Notice.objects.get(webhook=webhook)


def text(client: Client, address: str = "/notices/") -> str:
    return client.get(address).content.decode()


def test_the_bell_counts_for_admins_on_every_page(browser: Browser, alice: User, bob: User, webhook: Webhook) -> None:
    tell(webhook)
    for address in ("/", "/projects/", reverse("team_settings", args=[webhook.team]), "/notices/"):
        assert 'aria-label="Notices, 1 unread"' in text(browser(alice), address)
        assert 'aria-label="Notices"' in text(browser(bob), address)


def test_the_page_says_what_fails_where_it_is_put_right_and_what_began_it(
    browser: Browser, alice: User, project: Project, webhook: Webhook
) -> None:
    execution = factories.make_execution(
        factories.make_automation(project, webhook=webhook), factories.make_event(factories.make_run(project))
    )
    notices.tell(NoticeKind.BROKEN, webhook, sentence="It is <gone>.", at=timezone.now(), execution=execution)
    page = text(browser(alice))
    settings = reverse("team_settings", args=[webhook.team])
    assert f'<a href="{settings}#webhooks">Webhook pager</a>' in page
    assert "Needs an admin" in page
    assert "It is &lt;gone&gt;." in page
    assert execution.get_absolute_url() in page


def test_a_closed_notice_says_what_ended_it(browser: Browser, alice: User, webhook: Webhook) -> None:
    tell(webhook)
    notices.recovered(webhook, because="It works again.", at=timezone.now() + timedelta(seconds=1))
    page = text(browser(alice))
    assert "Over" in page
    assert "It works again." in page


def test_without_notices_the_page_says_what_comes_here(browser: Browser, bob: User) -> None:
    assert "Nothing to tell." in text(browser(bob))


def test_buttons_mark_one_or_all_read_and_twice_does_no_harm(browser: Browser, alice: User, team: Team) -> None:
    first, _, _ = (tell(factories.make_webhook(team, name=name)) for name in ("a", "b", "c"))
    client = browser(alice)
    for _ in range(2):
        answer = client.post(f"/notices/{first.pk}/read", headers=HTMX)
        assert answer.status_code == 200
        assert 'hx-swap-oob="true"' in answer.content.decode()
        assert 'aria-label="Notices, 2 unread"' in answer.content.decode()
    answer = client.post("/notices/read")
    assert (answer.status_code, answer["Location"]) == (302, "/notices/")
    assert Notice.objects.count_unread(alice) == 0


def test_unread_notices_come_first(browser: Browser, alice: User, team: Team) -> None:
    tell(factories.make_webhook(team, name="older"))
    newer = tell(factories.make_webhook(team, name="newer"))
    client = browser(alice)
    client.post(f"/notices/{newer.pk}/read")
    page = text(client)
    assert page.index("Webhook older") < page.index("Webhook newer")


def test_az1_nobody_reads_or_marks_notices_of_others(browser: Browser, bob: User, webhook: Webhook) -> None:
    notice = tell(webhook)
    assert "pager" not in text(browser(bob))
    assert browser(bob).post(f"/notices/{notice.pk}/read").status_code == 404


def test_az1_executions_and_receivers_of_hidden_teams_are_not_told(
    browser: Browser, alice: User, team: Team, project: Project
) -> None:
    """The webhook belongs to a team that the automation's admins cannot see; the project is hidden from the former."""
    owner = factories.make_user("owner")
    hidden = factories.make_webhook(factories.make_team("hidden", admin=owner), name="secret-pager")
    automation = factories.make_automation(project, webhook=hidden)
    execution = factories.make_execution(automation, factories.make_event(factories.make_run(project)))
    said = "secret.example.com answered 422."
    notices.tell(NoticeKind.BROKEN, automation, sentence=said, at=timezone.now(), execution=execution)
    page = text(browser(alice))
    assert "The call failed." in page
    assert "secret.example.com" not in page
    notices.tell(NoticeKind.BROKEN, hidden, sentence=said, at=timezone.now(), execution=execution)
    assert execution.get_absolute_url() not in text(browser(owner))


def test_the_page_costs_the_same_for_many_notices(browser: Browser, alice: User, project: Project) -> None:
    client = browser(alice)

    def queries() -> int:
        client.get("/notices/")
        with CaptureQueriesContext(connection) as found:
            client.get("/notices/")
        return len(found)

    def make(count: int, start: int) -> None:
        for number in range(start, start + count):
            hook = factories.make_webhook(project.team, name=f"hook-{number}")
            automation = factories.make_automation(project, webhook=hook, name=f"automation {number}")
            execution = factories.make_execution(automation, factories.make_event(factories.make_run(project)))
            for subject in (hook, automation):
                notices.tell(NoticeKind.BROKEN, subject, sentence="It failed.", at=timezone.now(), execution=execution)

    make(1, 0)
    few = queries()
    make(10, 1)
    assert queries() == few


def test_integrations_and_automations_show_how_they_fare(
    browser: Browser, alice: User, project: Project, tab: str, webhook: Webhook
) -> None:
    settings = reverse("team_settings", args=[project.team])
    automation = factories.make_automation(project, webhook=webhook)
    assert "Never used" in text(browser(alice), settings)
    fails = {"failing_since": timezone.now(), "last_failure_at": timezone.now(), "last_error": "It answered 503."}
    Webhook.objects.update(**fails)
    Automation.objects.update(**fails)
    page = text(browser(alice), settings)
    assert "Failing" in page
    assert "It answered 503." in page
    assert "Failing" in text(browser(alice), tab)
    page = text(browser(alice), automation.get_absolute_url())
    assert "has been failing since" in page
    assert "Last failure" in page
