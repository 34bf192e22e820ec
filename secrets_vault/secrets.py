"""Team secrets: create, rotate, delete. A value goes in and is never shown again.

A rotated value may go on signing beside the new one for a while (SE2), so that receivers can change over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import InvalidToken
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import RestrictedError
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from projects import audit
from projects.audit import Deed
from projects.models import Team, User
from secrets_vault.models import OldValue, Secret

# Shorter values could not be masked in history without masking half of the text.
MIN_VALUE_LENGTH = 4
MAX_VALUE_LENGTH = 10_000
LONGEST_OVERLAP = timedelta(days=7)
AT_ONCE = timedelta()
RESEALED_AT_ONCE = 100


SECRET = audit.kind("secret", "old_value_until")
# For the catalogue: what kinds and fields are called.
WORDS = (
    gettext_noop("secret"),
    gettext_noop("old value until"),
)


class SecretInUse(Exception):
    """The secret is used; `users` are the names of what uses it."""

    def __init__(self, secret: Secret, users: list[str]) -> None:
        self.users = users
        super().__init__(
            _("Secret %(secret)s is used by %(users)s. Choose another secret there first.")
            % {"secret": secret.name, "users": ", ".join(users)}
        )


class RotatedMeanwhile(Exception):
    """Somebody else rotated the secret since its version was looked at."""

    def __init__(self, secret: Secret) -> None:
        super().__init__(
            _(
                "Somebody else rotated %(secret)s meanwhile: it is at version %(version)s now. "
                "Look at what is there before you change it."
            )
            % {"secret": secret.name, "version": secret.version}
        )


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
            _record(secret, Deed.CREATED, by=by)
    except IntegrityError:
        # Somebody took the name between the look and the write.
        _refuse_taken(secret)
        raise
    return secret


def rotate(
    secret: Secret,
    *,
    value: str,
    by: User | None,
    at: datetime,
    overlap: timedelta = AT_ONCE,
    version: int | None = None,
) -> Secret:
    """Replace the value. The old one stops resolving at once, and signing as well, unless there is an overlap. What was
    left of an earlier overlap ends in any case. With `version`, only if that is still the secret's.

    Raises:
        ValidationError: empty or overlong value, overlong overlap, or the old value cannot be opened to be kept.
        RotatedMeanwhile: it has another version.
        Http404: it was deleted meanwhile.
    """
    _check_value(value)
    if not AT_ONCE <= overlap <= LONGEST_OVERLAP:
        raise ValidationError(
            {
                "overlap": _("An old value signs for at most %(longest_overlap)s days.")
                % {"longest_overlap": LONGEST_OVERLAP.days}
            }
        )
    with transaction.atomic():
        _hold(secret, version=version)
        OldValue.objects.filter(secret=secret).delete()
        if overlap:
            OldValue.objects.create(secret=secret, value=_opened(secret), kept_at=at, ends_at=at + overlap)
        secret.value, secret.rotated_at = value, at
        secret.version += 1
        secret.save(update_fields=["value", "rotated_at", "version"])
        _record(
            secret,
            Deed.ROTATED,
            by=by,
            after={"old_value_until": f"{at + overlap:%Y-%m-%d %H:%M %Z}"} if overlap else {},
        )
    return secret


def end_old_value(secret: Secret, *, by: User | None, version: int | None = None) -> Secret:
    """Let only the new value sign from now on.

    Raises:
        RotatedMeanwhile: it has another version: the old value is another one than was meant.
        Http404: it was deleted meanwhile.
    """
    with transaction.atomic():
        _hold(secret, version=version)
        if OldValue.objects.filter(secret=secret).delete()[0]:
            _record(secret, Deed.ENDED, by=by)
    return secret


def forget_old_values(*, at: datetime) -> int:
    """Delete old values whose time is over; how many. They have not been used since then anyway."""
    return OldValue.objects.filter(ends_at__lte=at).delete()[0]


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many values were sealed anew, and the names of the secrets that no key opens."""

    count: int
    unopened: list[str]


def reseal_all() -> Resealed:
    """Seal every value again with the newest key. May be killed at any time and begun anew: what is done is done, and
    doing it again changes nothing. A value rotated meanwhile is not overwritten."""
    count, unopened = 0, []
    for model in (Secret, OldValue):
        keys = list(model.objects.order_by("pk").values_list("pk", flat=True))
        for first in range(0, len(keys), RESEALED_AT_ONCE):
            done, failed = _reseal(model, keys[first : first + RESEALED_AT_ONCE])
            count += done
            unopened += failed
    return Resealed(count, unopened)


def one_that_no_key_opens() -> Secret | None:
    """Of the oldest and the newest secret, one that the keys at hand do not open; None if all is well."""
    for order in ("pk", "-pk"):
        secret: Secret | None = Secret.objects.select_related("team").order_by(order).first()
        try:
            if secret is not None:
                secret.refresh_from_db(fields=["value"])
        except InvalidToken:
            return secret
    return None


def _reseal(model: type[Secret | OldValue], keys: list[int]) -> tuple[int, list[str]]:
    count, unopened = 0, []
    with transaction.atomic():
        for row in model.objects.select_for_update().defer("value").filter(pk__in=keys):
            try:
                row.refresh_from_db(fields=["value"])
            except InvalidToken:
                unopened.append(f"{row} (number {row.pk})")
                continue
            row.save(update_fields=["value"])
            count += 1
    return count, unopened


def delete(secret: Secret, *, by: User | None) -> None:
    """Delete a secret that nothing uses.

    Raises:
        SecretInUse: with the list of what uses it.
        Http404: it was deleted meanwhile.
    """
    try:
        with transaction.atomic():
            # Webhooks that begin to use it at this moment are waited for, and then named.
            _hold(secret)
            _record(secret, Deed.DELETED, by=by)
            secret.delete()
    except RestrictedError as error:
        raise SecretInUse(secret, sorted({_user_name(user) for user in error.restricted_objects})) from error


def _record(secret: Secret, deed: Deed, *, by: User | None, **states: Any) -> None:
    audit.record(SECRET, deed, name=secret.name, pk=secret.pk, by=by, team=secret.team, **states)


def _hold(secret: Secret, *, version: int | None = None) -> None:
    """Keep the secret from being changed, deleted or put to use until the transaction ends; with the version it has
    now."""
    held = Secret.objects.select_for_update().filter(pk=secret.pk).first()
    if held is None:
        raise Http404(_("There is no secret %(secret)s any more.") % {"secret": secret.name})
    secret.version = held.version
    if version not in {None, held.version}:
        raise RotatedMeanwhile(secret)


def _opened(secret: Secret) -> str:
    try:
        value: str = Secret.objects.defer(None).get(pk=secret.pk).value
    except InvalidToken:
        raise ValidationError(
            {"overlap": _("The old value cannot be opened with the keys in FERNET_KEYS. Let it stop at once.")}
        ) from None
    return value


def _refuse_taken(secret: Secret) -> None:
    if Secret.objects.filter(team=secret.team, name=secret.name).exists():
        sentence = _("%(team)s has a secret %(secret)s already. Rotate it to change its value.") % {
            "team": secret.team,
            "secret": secret.name,
        }
        raise ValidationError({"name": ValidationError(sentence, code="unique")})


def _user_name(user: object) -> str:
    # A webhook's header holds on to the secret on behalf of its webhook.
    return str(getattr(user, "webhook", user))


def _check_value(value: str) -> None:
    if not value:
        raise ValidationError({"value": _("A secret needs a value.")})
    if len(value) < MIN_VALUE_LENGTH:
        raise ValidationError(
            {
                "value": _("A secret has at least %(min_value_length)s characters.")
                % {"min_value_length": MIN_VALUE_LENGTH}
            }
        )
    if len(value) > MAX_VALUE_LENGTH:
        raise ValidationError(
            {
                "value": _("A secret has at most %(max_value_length)s characters.")
                % {"max_value_length": f"{MAX_VALUE_LENGTH:,}"}
            }
        )
    if "\x00" in value:
        raise ValidationError({"value": _("A secret cannot hold a NUL character.")})
