"""API keys: made, kept as a digest, looked up."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from projects import audit
from projects.jsonvalues import storable
from projects.models import ApiKey, User

# What the wandb client accepts as a key: an optional prefix up to the first “-”, then 40 or more characters.
KEY_SHAPE = re.compile(r"\A(?:[A-Za-z0-9_]+-)?[A-Za-z0-9_-]{40,200}\Z")
USE_IS_NOTED_EVERY = timedelta(minutes=1)
MOST_NOTED = 10_000
# When this process last noted the use of a key, by its primary key.
_noted: dict[int, datetime] = {}


def forget_uses() -> None:
    """Forget when keys were used last; for tests, whose keys come and go."""
    _noted.clear()


def digest_of(key: str) -> str:
    """SHA-256 of the key in hexadecimal: a fast hash, because keys are long and random."""
    return hashlib.sha256(key.encode()).hexdigest()


def create(user: User, *, by: User | None, name: str = "", key: str | None = None) -> tuple[ApiKey, str]:
    """Make a key for the user; the key itself is returned this once and kept nowhere.

    A key given is stored as given; giving the same one again for the same user changes nothing.

    Raises:
        ValidationError: the name is none, or the key given is too short, or belongs to somebody else.
    """
    ApiKey(name=storable(name)).clean_fields(exclude=["user", "digest", "hint"])
    key = key or f"local-{secrets.token_hex(24)}"
    if not KEY_SHAPE.match(key):
        raise ValidationError(
            _("An API key has 40 or more letters, digits, “_” or “-” after an optional prefix that ends in “-”."),
            code="invalid_key",
        )
    with transaction.atomic():
        row, created = ApiKey.objects.get_or_create(
            digest=digest_of(key), defaults={"user": user, "name": name, "hint": key[-4:]}
        )
        if row.user_id != user.pk:
            raise ValidationError(_("This API key belongs to another user."), code="key_taken")
        if not created and row.revoked_at is not None:
            row.revoked_at = None
            row.save(update_fields=["revoked_at"])
            created = True
        if created:
            _record(row, audit.Deed.CREATED, by=by)
    return row, key


def user_of(key: str, *, at: datetime | None = None) -> User | None:
    """The user who holds this key, or None. Notes the use, at most once a minute."""
    row = (
        ApiKey.objects.select_related("user")
        .filter(digest=digest_of(key), revoked_at=None, user__is_active=True)
        .first()
    )
    if row is None:
        return None
    note_use(row.pk, at=at or timezone.now())
    return row.user


def note_use(pk: int, *, at: datetime) -> None:
    """Write down that the key was used; each process asks the database about a key once a minute at most."""
    noted = _noted.get(pk)
    if noted is not None and noted <= at < noted + USE_IS_NOTED_EVERY:
        return
    ApiKey.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=at - USE_IS_NOTED_EVERY), pk=pk).update(
        last_used_at=at
    )
    if len(_noted) >= MOST_NOTED:
        _noted.clear()
    _noted[pk] = at


def revoke(key: ApiKey, *, by: User | None, at: datetime) -> None:
    """End the key at once, for every process."""
    with transaction.atomic():
        if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=at):
            _record(key, audit.Deed.REVOKED, by=by)
    key.revoked_at = F("revoked_at")
    key.refresh_from_db(fields=["revoked_at"])


def _record(key: ApiKey, deed: audit.Deed, *, by: User | None) -> None:
    """A key works in all teams of its holder, so it is in the log of the holder's own one."""
    state = {"name": key.name, "holder": key.user.username}
    audit.record(audit.API_KEY, deed, name=str(key), pk=key.pk, by=by, team=key.user.home, after=state)
