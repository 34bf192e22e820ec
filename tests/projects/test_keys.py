"""API keys: kept as a digest, looked up fast, ended at once."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from projects import keys
from projects.models import ApiKey, User

AT = datetime(2026, 1, 1, tzinfo=UTC)
GIVEN = "0123456789" * 4


def test_a_key_signs_its_user_in(alice: User) -> None:
    row, key = keys.create(alice, by=alice, name="laptop")

    assert keys.user_of(key) == alice
    assert key.endswith(row.hint)
    assert keys.user_of(key[:-1]) is None
    assert keys.user_of("") is None


def test_only_a_digest_is_stored(alice: User) -> None:
    """AZ2: no column of the row holds the key, or enough of it to guess the rest."""
    _, key = keys.create(alice, by=alice)
    stored = [str(value) for value in ApiKey.objects.values_list().get()]

    assert not any(key in value for value in stored)
    assert all(len(value) <= 8 for value in stored if value and value in key)


def test_made_keys_have_a_prefix_and_forty_random_characters(alice: User) -> None:
    made = {keys.create(alice, by=alice)[1] for _ in range(20)}

    assert len(made) == 20
    assert all(key.startswith("local-") and len(key.removeprefix("local-")) >= 40 for key in made)


@pytest.mark.parametrize("key", [GIVEN, f"local-{GIVEN}", f"my_prefix-{GIVEN}", "a-b" * 20])
def test_a_key_given_is_stored_as_given(alice: User, key: str) -> None:
    keys.create(alice, by=alice, key=key)
    keys.create(alice, by=alice, key=key)

    assert keys.user_of(key) == alice
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize("key", ["short", GIVEN[:39], GIVEN + " ", f"ä{GIVEN}", "x" * 300, GIVEN + "\n"])
def test_a_key_of_another_shape_is_refused(alice: User, key: str) -> None:
    with pytest.raises(ValidationError, match="40 or more letters"):
        keys.create(alice, by=alice, key=key)

    assert not ApiKey.objects.exists()


def test_somebody_elses_key_is_refused(alice: User, bob: User) -> None:
    keys.create(alice, by=alice, key=GIVEN)

    with pytest.raises(ValidationError, match="belongs to another user"):
        keys.create(bob, by=bob, key=GIVEN)

    assert keys.user_of(GIVEN) == alice


def test_a_revoked_key_is_unknown_until_it_is_given_again(alice: User) -> None:
    row, key = keys.create(alice, by=alice)
    keys.revoke(row, by=None, at=AT)
    keys.revoke(row, by=None, at=AT + timedelta(days=1))

    assert keys.user_of(key) is None
    assert row.revoked_at == AT

    keys.create(alice, by=alice, key=key)
    assert keys.user_of(key) == alice


def test_a_deactivated_users_key_is_unknown(alice: User) -> None:
    _, key = keys.create(alice, by=alice)
    alice.is_active = False
    alice.save()

    assert keys.user_of(key) is None


def test_use_is_noted_once_a_minute(alice: User) -> None:
    """A script that logs all day does not cost a write for each request."""
    row, key = keys.create(alice, by=alice)
    noted = []
    for seconds in (0, 30, 59, 61):
        keys.user_of(key, at=AT + timedelta(seconds=seconds))
        row.refresh_from_db()
        noted.append(row.last_used_at)

    assert noted == [AT, AT, AT, AT + timedelta(seconds=61)]


@pytest.mark.parametrize("name", ["x" * 129, "a\x00b"])
def test_a_name_that_no_database_takes_is_refused(alice: User, name: str) -> None:
    with pytest.raises(ValidationError):
        keys.create(alice, by=alice, name=name)
    assert not alice.api_keys.exists()
