"""The audit log: written in the transaction of a change, of allowed fields alone, for admins, and for a time (AZ2)."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from projects import audit, members
from projects.models import AuditRecord, Role, Team, User
from tests import factories


@pytest.mark.django_db
def test_az2_a_change_of_role_tells_who_when_and_what_before_and_after(team: Team, alice: User, bob: User) -> None:
    earliest = timezone.now()
    members.change_role(team.memberships.get(user=bob), role=Role.VIEW_ONLY, by=alice)

    record = AuditRecord.objects.first()
    assert record is not None
    assert str(record) == "alice changed member bob"
    assert (record.actor, record.team, record.organization) == (alice, team, team.organization)
    assert (record.before, record.after) == ({"role": "member"}, {"role": "view-only"})
    assert earliest <= record.at <= timezone.now()


@pytest.mark.django_db
def test_a_change_of_nothing_is_not_recorded(team: Team, alice: User, bob: User) -> None:
    count = AuditRecord.objects.count()
    members.change_role(team.memberships.get(user=bob), role=Role.MEMBER, by=alice)
    assert AuditRecord.objects.count() == count


@pytest.mark.django_db
def test_az2_a_field_that_is_not_on_the_list_is_refused(team: Team, alice: User) -> None:
    with pytest.raises(audit.NotForTheLog, match="password of a member may not"):
        audit.record(
            audit.MEMBER, audit.Deed.CHANGED, name="bob", pk=1, by=alice, team=team, after={"password": "hunter2"}
        )


@pytest.mark.django_db(transaction=True)
def test_az2_a_record_outside_of_the_transaction_of_a_change_is_refused() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        audit.record(audit.MEMBER, audit.Deed.REMOVED, name="bob", pk=1, by=None)


@pytest.mark.django_db
def test_a_record_stays_when_the_person_and_the_team_are_gone(team: Team, alice: User, bob: User) -> None:
    members.remove(team.memberships.get(user=bob), by=alice)
    team.delete()
    alice.delete()

    record = AuditRecord.objects.get(deed="removed")
    assert (record.actor, record.actor_name, record.team, record.place) == (None, "alice", None, "research")


@pytest.mark.django_db
def test_az1_a_log_is_for_the_admins_of_its_team(team: Team, alice: User, bob: User, charlie: User) -> None:
    assert audit.of_team(team, reader=alice).exists()
    with pytest.raises(PermissionDenied):
        audit.of_team(team, reader=bob)
    with pytest.raises(Http404):
        audit.of_team(team, reader=charlie)


@pytest.mark.django_db
def test_admins_of_an_organization_read_what_was_changed_in_all_of_its_teams(team: Team, alice: User) -> None:
    boss = factories.make_user("dana")
    factories.make_organization("acme", admin=boss)
    factories.make_team("elsewhere", factories.make_organization("umbrella"), admin=alice)

    _, records = audit.of_organization("acme", reader=boss)
    assert {record.place for record in records} == {"acme", "research"}
    with pytest.raises(PermissionDenied):
        audit.of_organization("acme", reader=alice)  # an admin of the team alone
    with pytest.raises(Http404):
        audit.of_organization("umbrella", reader=boss)


@pytest.mark.django_db
def test_old_records_are_forgotten_and_others_kept(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "PURGED_AT_ONCE", 2)
    now = timezone.now()
    old = list(AuditRecord.objects.values_list("pk", flat=True)[:3])
    AuditRecord.objects.filter(pk__in=old).update(at=now - timedelta(days=366))
    kept = AuditRecord.objects.exclude(pk__in=old).count()

    assert audit.forget_old(before=now - timedelta(days=365)) == 3
    assert AuditRecord.objects.count() == kept


def test_differences_are_in_words() -> None:
    record = AuditRecord(before={"enabled": True, "secret": None}, after={"enabled": False, "headers": ["X-A", "X-B"]})
    assert [(one.field, one.before, one.after) for one in audit.differences(record)] == [
        ("enabled", "yes", "no"),
        ("headers", None, "X-A, X-B"),
        ("secret", "none", None),
    ]


@pytest.mark.django_db
def test_a_list_of_records_takes_one_query(
    team: Team, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):  # one of them for the role
        [str(record) for record in audit.of_team(team, reader=alice)]
