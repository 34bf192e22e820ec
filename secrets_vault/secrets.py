"""Team secrets: create, rotate, delete. A value goes in and is never shown again."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import RestrictedError
from django.http import Http404

from projects.models import Team, User
from secrets_vault.models import Secret

# Shorter values could not be masked in history without masking half of the text.
MIN_VALUE_LENGTH = 4
MAX_VALUE_LENGTH = 10_000


class SecretInUse(Exception):
    """The secret is used; `users` are the names of what uses it."""

    def __init__(self, secret: Secret, users: list[str]) -> None:
        self.users = users
        super().__init__(f"Secret {secret.name} is used by {', '.join(users)}. Choose another secret there first.")


def create(team: Team, *, name: str, value: str, by: User | None) -> Secret:
    """Seal a new secret of the team.

    Raises:
        ValidationError: bad or taken name, empty or overlong value.
    """
    _check_value(value)
    secret = Secret(team=team, name=name, value=value, created_by=by)
    secret.full_clean(exclude=["value", "team", "created_by"], validate_constraints=False)
    _refuse_taken(secret)
    try:
        with transaction.atomic():
            secret.save()
    except IntegrityError:
        # Somebody took the name between the look and the write.
        _refuse_taken(secret)
        raise
    return secret


def rotate(secret: Secret, *, value: str, at: datetime) -> Secret:
    """Replace the value; the old one stops resolving at once.

    Raises:
        ValidationError: empty or overlong value.
        Http404: it was deleted meanwhile.
    """
    _check_value(value)
    secret.value = value
    secret.rotated_at = at
    with transaction.atomic():
        _hold(secret)
        secret.save(update_fields=["value", "rotated_at"])
    return secret


def reseal_all() -> int:
    """Seal every value again with the newest key; how many there are. A value rotated meanwhile is not overwritten."""
    count = 0
    for pk in Secret.objects.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            secret = Secret.objects.select_for_update().defer(None).filter(pk=pk).first()
            if secret is not None:
                secret.save(update_fields=["value"])
                count += 1
    return count


def delete(secret: Secret) -> None:
    """Delete a secret that nothing uses.

    Raises:
        SecretInUse: with the list of what uses it.
        Http404: it was deleted meanwhile.
    """
    try:
        with transaction.atomic():
            # Webhooks that begin to use it at this moment are waited for, and then named.
            _hold(secret)
            secret.delete()
    except RestrictedError as error:
        raise SecretInUse(secret, sorted({_user_name(user) for user in error.restricted_objects})) from error


def _hold(secret: Secret) -> None:
    """Keep the secret from being changed, deleted or put to use until the transaction ends."""
    if Secret.objects.select_for_update().filter(pk=secret.pk).first() is None:
        raise Http404(f"There is no secret {secret.name} any more.")


def _refuse_taken(secret: Secret) -> None:
    if Secret.objects.filter(team=secret.team, name=secret.name).exists():
        sentence = f"{secret.team} has a secret {secret.name} already. Rotate it to change its value."
        raise ValidationError({"name": sentence})


def _user_name(user: object) -> str:
    # A webhook's header holds on to the secret on behalf of its webhook.
    return str(getattr(user, "webhook", user))


def _check_value(value: str) -> None:
    if not value:
        raise ValidationError({"value": "A secret needs a value."})
    if len(value) < MIN_VALUE_LENGTH:
        raise ValidationError({"value": f"A secret has at least {MIN_VALUE_LENGTH} characters."})
    if len(value) > MAX_VALUE_LENGTH:
        raise ValidationError({"value": f"A secret has at most {MAX_VALUE_LENGTH:,} characters."})
    if "\x00" in value:
        raise ValidationError({"value": "A secret cannot hold a NUL character."})
