"""A rotated value that signs for some time more: chosen, ended, and gone when its time is over (SE2)."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from pytest_django import Settings

from projects.models import AuditRecord, Team, User
from secrets_vault import checks, secrets
from secrets_vault.models import OldValue, Secret
from tests import factories
from tests.secrets_vault.test_secrets import fernet_keys

pytestmark = pytest.mark.django_db
AT = datetime(2026, 1, 1, tzinfo=UTC)
OLD, NEW = "canary-old-value", "canary-new-value"


def rotated(team: Team, overlap: timedelta = timedelta(hours=1)) -> Secret:
    secret = factories.make_secret(team, value=OLD)
    return secrets.rotate(secret, value=NEW, by=None, at=AT, overlap=overlap)


def test_se2_without_an_overlap_nothing_is_left_of_the_old_value(team: Team) -> None:
    rotated(team, secrets.AT_ONCE)
    assert not OldValue.objects.exists()


def test_se2_with_an_overlap_the_old_value_is_kept_sealed_until_its_end(team: Team) -> None:
    secret = rotated(team)
    old = OldValue.objects.get(secret=secret)
    assert (old.value, old.ends_at) == (OLD, AT + timedelta(hours=1))
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM secrets_vault_oldvalue")
        assert bytes(cursor.fetchone()[0]).startswith(b"gAAAA"), "a Fernet token"
    assert Secret.objects.with_overlap(at=AT).get().old_value_until == old.ends_at
    assert Secret.objects.with_overlap(at=old.ends_at).get().old_value_until is None


@pytest.mark.parametrize("overlap", [timedelta(days=7, seconds=1), timedelta(seconds=-1)])
def test_se2_an_overlap_is_seven_days_at_most(team: Team, overlap: timedelta) -> None:
    with pytest.raises(ValidationError, match="at most 7 days"):
        rotated(team, overlap)


def test_another_rotation_ends_what_was_left_of_the_one_before(team: Team) -> None:
    secret = rotated(team)
    secrets.rotate(secret, value="canary-third-value", by=None, at=AT, overlap=timedelta(hours=2))
    assert OldValue.objects.get().value == NEW
    secrets.rotate(secret, value="canary-fourth-value", by=None, at=AT)
    assert not OldValue.objects.exists()


def test_the_old_value_is_ended_at_once_on_demand_which_is_recorded(team: Team, alice: User) -> None:
    secrets.end_old_value(rotated(team), by=alice)
    assert not OldValue.objects.exists()
    assert str(AuditRecord.objects.first()) == "alice ended the old value of secret TOKEN"


def test_old_values_are_deleted_when_their_time_is_over(team: Team) -> None:
    rotated(team)
    assert secrets.forget_old_values(at=AT + timedelta(minutes=59)) == 0
    assert secrets.forget_old_values(at=AT + timedelta(hours=1)) == 1


def test_of_two_admins_who_rotate_at_once_the_second_is_told(team: Team) -> None:
    """The second looked at version 1, and would have overwritten what the first entered."""
    stale = factories.make_secret(team, value=OLD)
    fresh = Secret.objects.get()
    secrets.rotate(fresh, value=NEW, by=None, at=AT, version=1)
    for ask in (
        lambda: secrets.rotate(stale, value="another-value", by=None, at=AT, version=1),
        lambda: secrets.end_old_value(stale, by=None, version=1),
    ):
        with pytest.raises(secrets.RotatedMeanwhile, match="at version 2 now"):
            ask()
    assert Secret.objects.defer(None).get().value == NEW


def test_the_database_refuses_an_old_value_that_ends_before_it_begins(team: Team) -> None:
    secret = factories.make_secret(team)
    with pytest.raises(IntegrityError), transaction.atomic():
        OldValue.objects.create(secret=secret, value=OLD, kept_at=AT, ends_at=AT)


def test_old_values_are_sealed_with_the_newest_key_as_well(team: Team, settings: Settings) -> None:
    rotated(team)
    old_key, new_key = settings.FERNET_KEYS[0], "the-newest-key-of-the-tests-0123456789"
    told = io.StringIO()
    with fernet_keys(settings, [new_key, old_key]):
        call_command("rotate_fernet_keys", stdout=told)
    assert "2 values are sealed" in told.getvalue()
    with fernet_keys(settings, [new_key]):
        assert OldValue.objects.get().value == OLD


def test_what_no_key_opens_is_named_and_the_rest_is_sealed_anew(team: Team, settings: Settings) -> None:
    factories.make_secret(team, "GOOD", OLD)
    with fernet_keys(settings, ["a-key-that-is-lost-afterwards-0123456789"]):
        factories.make_secret(team, "LOST", OLD)
    with pytest.raises(CommandError, match=r"opens LOST \(number"):
        call_command("rotate_fernet_keys", stdout=io.StringIO())


def test_se1_the_check_of_the_database_finds_wrong_keys(team: Team, settings: Settings) -> None:
    factories.make_secret(team)
    assert checks.keys_open_what_is_sealed(databases=["default"]) == []
    with fernet_keys(settings, ["quite-another-key-of-the-tests-0123456789"]):
        found = checks.keys_open_what_is_sealed(databases=["default"])
        assert checks.keys_open_what_is_sealed() == [], "only asked with --database"
    assert "opens secret TOKEN of team research" in str(found[0])
