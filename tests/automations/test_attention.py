"""What needs somebody: each thing once, with why, since when, and what to do next."""

from datetime import timedelta

from django.utils import timezone

from automations import attention
from automations.attention import Concern
from automations.models import Automation, Status
from projects import runs
from projects.models import Project, Team, User
from tests import factories


def concerns(user: User) -> list[Concern]:
    return attention.of(user, now=timezone.now()).rows


def names(user: User) -> list[str]:
    return [concern.name for concern in concerns(user)]


def test_a_paused_a_held_and_a_failing_webhook_come_in_this_order(team: Team, alice: User) -> None:
    now = timezone.now()
    factories.make_webhook(team, name="failing", failing_since=now, last_error="It answered 500.")
    factories.make_webhook(team, name="held", breaker_opened_at=now, next_probe_at=now, failing_since=now)
    factories.make_webhook(team, name="paused", paused_at=now, paused_reason="It answered 410 Gone.")
    factories.make_webhook(team, name="fine")
    rows = concerns(alice)
    assert [row.name for row in rows] == ["Webhook paused", "Webhook held", "Webhook failing"]
    assert [row.label for row in rows] == ["Paused", "Breaker open", "Failing"]
    assert [row.next_step for row in rows] == ["Resume it", "Try it now", "Test it"]
    assert rows[0].sentence == "It answered 410 Gone."
    assert rows[2].next_url == "/teams/research/settings/#webhooks"


def test_a_member_who_may_not_change_a_webhook_is_only_shown_it(team: Team, bob: User) -> None:
    factories.make_webhook(team, failing_since=timezone.now())
    assert [row.next_step for row in concerns(bob)] == ["See it"]


def test_a_slack_channel_that_fails_needs_somebody(team: Team, alice: User) -> None:
    factories.make_slack_channel(team, failing_since=timezone.now(), last_error="The channel is archived.")
    row = concerns(alice)[0]
    assert (row.name, row.sentence) == ("Slack channel #ml-alerts", "The channel is archived.")
    assert row.next_url == "/teams/research/settings/#slack"


def test_a_failing_automation_leads_to_the_execution_that_failed(project: Project, alice: User) -> None:
    now = timezone.now()
    run = factories.make_run(project, user=alice)
    automation = factories.make_automation(
        project, name="Deploy", webhook=factories.make_webhook(project.team), failing_since=now, last_failure_at=now
    )
    older = factories.make_execution(automation, factories.make_event(run), status=Status.FAILED)
    failed = factories.make_execution(automation, factories.make_event(run), status=Status.FAILED)
    factories.make_execution(automation, factories.make_event(run), status=Status.FINISHED)
    row = concerns(alice)[0]
    assert (row.name, row.next_step, row.next_url) == ("Deploy", "See what failed", failed.get_absolute_url())
    assert row.next_url != older.get_absolute_url()


def test_an_automation_that_fails_because_of_its_webhook_is_not_told_twice(project: Project, alice: User) -> None:
    now = timezone.now()
    webhook = factories.make_webhook(project.team, failing_since=now)
    factories.make_automation(project, webhook=webhook, failing_since=now, last_failure_at=now)
    assert names(alice) == ["Webhook pager"]


def test_a_disabled_automation_needs_nobody(project: Project, alice: User) -> None:
    factories.make_automation(project, enabled=False, failing_since=timezone.now())
    assert names(alice) == []


def test_what_a_hidden_teams_receiver_answered_is_not_told(project: Project, alice: User, charlie: User) -> None:
    """AZ1, AC3"""
    elsewhere = factories.make_webhook(factories.make_team("elsewhere", admin=charlie))
    factories.make_automation(
        project, webhook=elsewhere, failing_since=timezone.now(), last_error="The vault of elsewhere is shut."
    )
    assert [row.sentence for row in concerns(alice)] == ["The call failed."]


def test_members_of_an_organization_are_not_told_how_its_automations_fare(team: Team, alice: User, bob: User) -> None:
    """AZ1: they count what happened in teams of which most members see some only."""
    factories.make_organization(admin=bob)
    factories.make_automation(team.organization, name="Everywhere", failing_since=timezone.now())
    assert names(alice) == []
    assert names(bob) == ["Everywhere"]


def test_runs_that_failed_or_crashed_are_one_row_a_project(project: Project, alice: User) -> None:
    now = timezone.now()
    for name in ("first", "second"):
        runs.finish(factories.make_run(project, user=alice, display_name=name), exit_code=1, by=alice, at=now)
    other = factories.make_project(project.team, "sweep")
    runs.finish(factories.make_run(other, user=alice, display_name="alone"), exit_code=3, by=alice, at=now)
    rows = concerns(alice)
    assert [row.name for row in rows] == ["alone", "2 runs failed"]
    assert rows[0].sentence == "Its script ended with exit code 3."
    assert rows[1].url == "/research/digits/runs?state=failed"
    assert rows[1].sentence == "The last one: second. Its script ended with exit code 1."


def test_failed_and_crashed_runs_are_counted_together(project: Project, alice: User) -> None:
    now = timezone.now()
    runs.finish(factories.make_run(project, user=alice), exit_code=1, by=alice, at=now)
    factories.make_run(project, user=alice, at=now - timedelta(hours=1))
    runs.mark_crashed(silent_for=timedelta(minutes=5), at=now)
    row = concerns(alice)[0]
    assert (row.name, row.status) == ("2 runs failed or crashed", "crashed")
    assert "no longer heard of" in row.sentence


def test_runs_of_last_week_and_killed_ones_need_nobody(project: Project, alice: User) -> None:
    now = timezone.now()
    runs.finish(factories.make_run(project, user=alice), exit_code=1, by=alice, at=now - timedelta(days=4))
    runs.kill(factories.make_run(project, user=alice), by=alice, at=now)
    runs.finish(factories.make_run(project, user=alice), exit_code=0, by=alice, at=now)
    assert names(alice) == []


def test_strangers_are_told_nothing(project: Project, alice: User, charlie: User) -> None:
    """AZ1"""
    now = timezone.now()
    factories.make_webhook(project.team, failing_since=now)
    factories.make_slack_channel(project.team, failing_since=now)
    factories.make_automation(project, failing_since=now)
    runs.finish(factories.make_run(project, user=alice), exit_code=1, by=alice, at=now)
    assert len(names(alice)) == 4
    assert names(charlie) == []


def test_much_trouble_costs_no_more_queries_and_few_rows(
    project: Project, alice: User, django_assert_max_num_queries: object
) -> None:
    now = timezone.now()
    for number in range(attention.SHOWN + 2):
        factories.make_webhook(project.team, name=f"hook {number}", failing_since=now)
        rule = factories.make_automation(project, name=f"rule {number}", failing_since=now, last_failure_at=now)
        run = factories.make_run(factories.make_project(project.team, f"p{number}"), user=alice)
        factories.make_execution(rule, factories.make_event(run), status=Status.FAILED)
        runs.finish(run, exit_code=1, by=alice, at=now)
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        found = attention.of(alice, now=now)
    assert len(found.rows) == 3 * attention.SHOWN
    assert (found.more_integrations, found.more_automations) == (2, 2)
    assert Automation.objects.count() == attention.SHOWN + 2
