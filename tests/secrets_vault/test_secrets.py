"""Secrets: sealed at rest, unsealed by nobody but the sender, kept while in use."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from projects.models import Team, User
from secrets_vault import secrets
from secrets_vault.models import OldValue, Secret
from secrets_vault.secrets import SecretInUse
from tests import factories
from tests.rivals import raised_by_loser

CANARY = "canary-71e2-value-that-must-not-sing"
AT = datetime(2026, 1, 1, tzinfo=UTC)


def column() -> bytes:
    """The value as it lies in the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM secrets_vault_secret")
        return bytes(cursor.fetchone()[0])


def unsealed(secret: Secret) -> str:
    return str(Secret.objects.defer(None).get(pk=secret.pk).value)


def test_se1_a_value_is_sealed_at_rest(team: Team, alice: User) -> None:
    secret = secrets.create(team, name="TOKEN", value=CANARY, by=alice)

    assert CANARY.encode() not in column()
    assert column().startswith(b"gAAAA"), "a Fernet token"
    assert unsealed(secret) == CANARY


def test_two_secrets_of_one_value_do_not_look_alike(team: Team) -> None:
    factories.make_secret(team, value=CANARY)
    first = column()
    Secret.objects.all().delete()
    factories.make_secret(team, value=CANARY)

    assert column() != first


def test_se1_a_list_does_not_even_read_the_values(team: Team) -> None:
    factories.make_secret(team, value=CANARY)
    with CaptureQueriesContext(connection) as asked:
        listed = list(Secret.objects.filter(team=team))

    assert '"value"' not in asked[0]["sql"]
    assert CANARY not in f"{listed!r} {listed[0]} {listed[0].__dict__}"


def test_a_rotated_secret_has_the_new_value_at_once(team: Team) -> None:
    secret = factories.make_secret(team)
    secrets.rotate(secret, value=CANARY, by=None, at=AT)

    assert unsealed(secret) == CANARY
    assert Secret.objects.get().rotated_at == AT


@pytest.mark.parametrize("value", ["", "x" * 10_001, "a\x00b"])
def test_a_value_that_cannot_be_kept_is_refused_and_not_repeated(team: Team, value: str) -> None:
    secret = factories.make_secret(team, value=CANARY)
    for ask in (
        lambda: secrets.create(team, name="OTHER", value=value, by=None),
        lambda: secrets.rotate(secret, value=value, by=None, at=AT),
    ):
        with pytest.raises(ValidationError) as refusal:
            ask()
        assert list(refusal.value.message_dict) == ["value"]
        assert not value or value not in str(refusal.value)

    assert unsealed(secret) == CANARY
    assert Secret.objects.count() == 1


@pytest.mark.parametrize("name", ["", "1ST", "with space", "a-b", "ä", "x" * 65, "A\n"])
def test_a_bad_name_is_refused(team: Team, name: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        secrets.create(team, name=name, value=CANARY, by=None)

    assert list(refusal.value.message_dict) == ["name"]
    assert CANARY not in str(refusal.value)


def test_a_name_is_taken_once_per_team(team: Team) -> None:
    factories.make_secret(team)
    with pytest.raises(ValidationError, match="research has a secret TOKEN already"):
        factories.make_secret(team)

    assert factories.make_secret(factories.make_team("other")).name == "TOKEN"


def test_any_text_can_be_a_value(team: Team) -> None:
    value = " -----BEGIN KEY-----\nä本🔑\n-----END KEY----- \n"

    assert unsealed(factories.make_secret(team, value=value)) == value


def test_se3_a_secret_in_use_is_kept_and_the_users_are_named(team: Team) -> None:
    secret = factories.make_secret(team)
    factories.make_webhook(team, name="pager", access_token=secret)
    factories.make_webhook(team, name="siren", secret=secret)
    factories.make_webhook(team, name="chat", headers={"X-Key": ("${TOKEN}", secret)})

    with pytest.raises(SecretInUse) as refusal:
        secrets.delete(secret, by=None)

    assert refusal.value.users == ["chat", "pager", "siren"]
    assert str(refusal.value) == ("Secret TOKEN is used by chat, pager, siren. Choose another secret there first.")
    assert Secret.objects.exists()


def test_an_unused_secret_is_deleted(team: Team) -> None:
    secrets.delete(factories.make_secret(team), by=None)

    assert not Secret.objects.exists()


def test_a_secret_that_was_deleted_meanwhile_is_neither_rotated_nor_deleted_again(team: Team) -> None:
    stale = factories.make_secret(team)
    secrets.delete(Secret.objects.get(), by=None)
    for act in (
        lambda: secrets.rotate(stale, value="another value", by=None, at=datetime.now(UTC)),
        lambda: secrets.delete(stale, by=None),
    ):
        with pytest.raises(Http404, match="any more"):
            act()
    assert not Secret.objects.exists()


def test_se1_the_rotation_command_seals_every_row_with_the_newest_key(team: Team, settings: Settings) -> None:
    names = [f"SECRET_{number}" for number in range(3)]
    for name in names:
        factories.make_secret(team, name=name, value=f"{CANARY}-{name}")
    old = settings.FERNET_KEYS
    with fernet_keys(settings, ["the-newest-key-of-the-tests-0123456789", *old]):
        call_command("rotate_fernet_keys", stdout=io.StringIO())
    with fernet_keys(settings, ["the-newest-key-of-the-tests-0123456789"]):
        values = {secret.name: secret.value for secret in Secret.objects.defer(None)}
    assert values == {name: f"{CANARY}-{name}" for name in names}


@contextmanager
def fernet_keys(settings: Settings, keys: list[str]) -> Iterator[None]:
    """The keys while this lasts; the field reads them once and remembers."""
    fields = [model._meta.get_field("value") for model in (Secret, OldValue)]
    before, settings.FERNET_KEYS = settings.FERNET_KEYS, keys
    _forget_keys(fields)
    yield
    settings.FERNET_KEYS = before
    _forget_keys(fields)


def _forget_keys(fields: list[Any]) -> None:
    for field in fields:
        for name in ("keys", "fernet_keys", "fernet"):
            field.__dict__.pop(name, None)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_make_the_same_secret_at_once_one_is_told_like_who_comes_later() -> None:
    team = factories.make_team()

    def make() -> Secret:
        return secrets.create(team, name="TOKEN", value=CANARY, by=None)

    told = raised_by_loser(make, over=Secret)

    with pytest.raises(ValidationError) as late:
        make()
    assert isinstance(told, ValidationError)
    assert told.message_dict == late.value.message_dict
    assert Secret.objects.count() == 1
