from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, Tags, register
from django.db import DatabaseError

from secrets_vault import secrets


@register(Tags.database)
def keys_open_what_is_sealed(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """FERNET_KEYS must open what is in the database: else it is noticed with the first delivery that fails. No error,
    since whoever has lost the keys must be able to start the server and enter the values anew."""
    if not databases:
        return []
    try:
        sealed = secrets.one_that_no_key_opens()
    except DatabaseError:
        return []  # not migrated yet
    if sealed is None:
        return []
    return [
        checks.Warning(
            f"No key in FERNET_KEYS opens secret {sealed.name} of team {sealed.team}: deliveries that need it fail.",
            hint="Bring back the key it was sealed with, behind the newest, or rotate the secret to enter it anew.",
            id="secrets_vault.W001",
        )
    ]
