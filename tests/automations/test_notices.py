"""Notices: who is told, who has read them, one at a time about one thing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from automations import notices
from automations.models import Notice, NoticeKind, Webhook
from projects import members
from projects.models import Role, Team, TeamMember, User
from registries.models import Registry, RegistryTeam
from tests import factories

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.fixture
def hook(team: Team) -> Webhook:
    return factories.make_webhook(team)


def failing(hook: Webhook, *, at: datetime = NOON) -> Notice:
    notices.tell(NoticeKind.FAILING, hook, sentence="The receiver answered 503.", at=at)
    return Notice.objects.get(webhook=hook)


def unread(user: User) -> int:
    return Notice.objects.count_unread(user)


def test_admins_of_the_team_are_told_and_nobody_else(hook: Webhook, alice: User, bob: User, charlie: User) -> None:
    """AZ1: what is not for one is not counted either."""
    failing(hook)
    head = factories.make_user("head")
    factories.make_organization(admin=head)
    operator = factories.make_user("operator", superuser=True)
    assert unread(alice) == 1
    assert list(Notice.objects.visible_to(alice)) == [Notice.objects.get()]
    for other in (bob, charlie, head, operator):
        assert unread(other) == 0
        assert not Notice.objects.visible_to(other)


def test_az1_who_lost_the_right_no_longer_sees_it(hook: Webhook, team: Team, alice: User, bob: User) -> None:
    failing(hook)
    members.change_role(TeamMember.objects.get(team=team, user=bob), role=Role.ADMIN, by=alice)
    assert unread(bob) == 1
    members.remove(TeamMember.objects.get(team=team, user=alice), by=bob)
    assert unread(alice) == 0
    assert not notices.listed(alice)


def test_of_a_registry_its_admins_and_those_of_the_organization_are_told(
    registry: Registry, team: Team, alice: User, bob: User, charlie: User
) -> None:
    automation = factories.make_automation(registry, "LINK_MODEL")
    notices.tell(NoticeKind.BROKEN, automation, sentence="It could not be rendered.", at=NOON)
    head, viewer = factories.make_user("head"), factories.make_user("viewer")
    factories.make_organization(admin=head)
    factories.make_team(viewer=viewer)
    assert [unread(user) for user in (alice, bob, charlie, head)] == [1, 0, 0, 1]
    RegistryTeam.objects.create(registry=registry, team=team, role=Role.ADMIN)
    # Who only views in the team only views in the registry.
    assert [unread(user) for user in (alice, bob, charlie, head, viewer)] == [1, 1, 0, 1, 0]


def test_reading_counts_until_something_changes(hook: Webhook, alice: User) -> None:
    failing(hook)
    assert notices.mark_read(Notice.objects.all(), by=alice, at=NOON + timedelta(minutes=1)) == 1
    assert unread(alice) == 0
    assert notices.mark_read(Notice.objects.all(), by=alice, at=NOON + timedelta(minutes=2)) == 0

    notices.tell(NoticeKind.BROKEN, hook, sentence="It is gone.", at=NOON + timedelta(minutes=3))
    assert unread(alice) == 1
    notices.mark_read(Notice.objects.all(), by=alice, at=NOON + timedelta(minutes=4))
    notices.recovered(hook, because="It works again.", at=NOON + timedelta(minutes=5))
    assert unread(alice) == 1
    assert notices.listed(alice).values_list("unread", flat=True)[0]


def test_everybody_reads_for_themselves(hook: Webhook, team: Team, alice: User) -> None:
    other = factories.make_user("other")
    factories.make_team(admin=other)
    failing(hook)
    notices.mark_read(Notice.objects.all(), by=alice, at=NOON)
    assert (unread(alice), unread(other)) == (0, 1)


def test_nobody_marks_what_is_not_for_them(hook: Webhook, bob: User) -> None:
    failing(hook)
    assert notices.mark_read(Notice.objects.all(), by=bob, at=NOON) == 0


def test_wh8_the_breaker_is_told_when_it_opens_and_when_it_closes(hook: Webhook, alice: User) -> None:
    """WH8: the team's admins are told on open and close, on one notice."""
    failing(hook)
    notices.mark_read(Notice.objects.all(), by=alice, at=NOON)
    assert notices.breaker_opened(hook, because="10 failures in a row.", at=NOON + timedelta(minutes=20))
    assert not notices.breaker_opened(hook, because="10 failures in a row.", at=NOON + timedelta(minutes=21))
    assert unread(alice) == 1
    # A success alone does not end it: the breaker does.
    assert notices.recovered(hook, because="It works again.", at=NOON + timedelta(minutes=30)) == 0
    notices.mark_read(Notice.objects.all(), by=alice, at=NOON + timedelta(minutes=30))
    assert notices.breaker_closed(hook, because="A probe succeeded.", at=NOON + timedelta(minutes=31)) == 1
    assert unread(alice) == 1
    assert Notice.objects.get().closed_because == "A probe succeeded."


def test_the_database_keeps_a_second_open_notice_out(hook: Webhook) -> None:
    first = failing(hook)
    with pytest.raises(IntegrityError), transaction.atomic():
        Notice.objects.create(
            kind=NoticeKind.PAUSED, webhook=hook, team=hook.team, sentence="", opened_at=NOON, changed_at=NOON
        )
    notices.recovered(hook, because="It works again.", at=NOON)
    assert not Notice.objects.get(pk=first.pk).is_open


def test_what_is_unread_is_counted_in_one_query_by_index(hook: Webhook, alice: User) -> None:
    failing(hook)
    with CaptureQueriesContext(connection) as queries:
        assert unread(alice) == 1
    (query,) = queries
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
            plan = "\n".join(str(row[-1]) for row in cursor.fetchall())
        assert "SCAN automations_notice\n" not in f"{plan}\n"
        assert "USING INDEX automations_notice_team_id" in plan
