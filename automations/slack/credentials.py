"""What Slack is reached with, kept as secrets of the team under names that say what they are for."""

from __future__ import annotations

import re

from django.utils.translation import gettext_lazy

from projects.models import Team, User
from secrets_vault import secrets
from secrets_vault.models import Secret

TOKEN_SHAPE = re.compile(r"\Axox[a-z]?[.-][\x21-\x7e]{4,}\Z|\Axoxe\.[\x21-\x7e]{4,}\Z")
NOT_A_TOKEN = gettext_lazy("Paste the bot token of your Slack app; it begins with xoxb-.")


def seal(team: Team, value: str, *, named_after: str, by: User) -> Secret:
    """Keep the token or address as a secret, `SLACK_` and what it is named after."""
    stem = "SLACK_" + (re.sub(r"[^A-Z0-9]+", "_", named_after.upper()).strip("_") or "CHANNEL")[:40]
    taken = set(Secret.objects.filter(team=team, name__startswith=stem).values_list("name", flat=True))
    name = next(name for number in range(1, len(taken) + 2) if (name := _numbered(stem, number)) not in taken)
    return secrets.create(team, name=name, value=value, by=by)


def forget(credential: Secret, *, by: User) -> None:
    """Delete the secret, unless something else uses it as well."""
    try:
        secrets.delete(credential, by=by)
    except secrets.SecretInUse:
        return


def _numbered(stem: str, number: int) -> str:
    return stem if number == 1 else f"{stem}_{number}"
