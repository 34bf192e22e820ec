"""The one place where secrets are unsealed: for the moment of sending, together with what must be masked afterwards."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus

from automations.models import Webhook
from secrets_vault.models import Secret

MASK = "••••••"
SECRET_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a webhook is sent with. `repr` shows none of it."""

    access_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    # Variables of payload templates that resolve while sending only (PL4).
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    values: tuple[str, ...] = field(default=(), repr=False)

    def redact(self, text: str, *, cut: bool = False) -> str:
        """The text with every secret in it masked, also where it was escaped or encoded on the way. `cut` says that
        the text goes on: then its end may be the beginning of a secret."""
        spellings = sorted(_spellings(self.values), key=len, reverse=True)
        for spelling in spellings:
            text = text.replace(spelling, MASK)
        return _without_beginning(text, spellings) if cut else text

    def masked_variables(self) -> dict[str, str]:
        """The same variables with masks for values: what history and previews show."""
        return dict.fromkeys(self.variables, MASK)


def unseal(webhook: Webhook) -> Credentials:
    """Read the secrets a webhook uses, in one query."""
    headers = list(webhook.headers.all())
    wanted = {webhook.access_token_id, webhook.secret_id, *(header.secret_id for header in headers)} - {None}
    secrets = {secret.pk: secret for secret in Secret.objects.filter(pk__in=wanted).defer(None)} if wanted else {}
    token = secrets[webhook.access_token_id].value if webhook.access_token_id else ""
    signing = secrets[webhook.secret_id] if webhook.secret_id else None
    variables = {"ACCESS_TOKEN": token} if token else {}
    if signing is not None:
        variables[signing.name] = signing.value
    return Credentials(
        access_token=token,
        signing_secret=signing.value if signing else "",
        headers={
            header.name: fill(header.value, secrets[header.secret_id].value if header.secret_id else "")
            for header in headers
        },
        variables=variables,
        values=tuple(secret.value for secret in secrets.values()),
    )


def fill(header_value: str, secret: str) -> str:
    """A header's value with its `${SECRET_NAME}` replaced."""
    return SECRET_REFERENCE.sub(lambda _: secret, header_value)


def _without_beginning(text: str, spellings: Iterable[str]) -> str:
    """The text without an end that is the beginning of a spelling, and long enough to tell something."""
    text = text.rstrip("\N{REPLACEMENT CHARACTER}")  # the cut may have gone through a character
    longest = max((_overlap(text, spelling) for spelling in spellings), default=0)
    return text[:-longest] + MASK if longest > 3 else text


def _overlap(text: str, spelling: str) -> int:
    """How many characters at the end of the text are the beginning of the spelling."""
    lengths = range(len(spelling) - 1, 0, -1)
    return next((length for length in lengths if text.endswith(spelling[:length])), 0)


def _spellings(values: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for value in values:
        # Headers go without the spaces around them.
        for sent in {value, value.strip()} - {""}:
            found.add(base64.b64encode(sent.encode()).decode())
            for read in _readings(sent):
                found |= _escaped(read)
    return found


def _readings(sent: str) -> set[str]:
    """Headers of answers are read as Latin-1 and bodies as UTF-8, whatever the receiver wrote."""
    readings = {sent, sent.encode().decode("latin-1")}
    if max(map(ord, sent)) < 256:
        readings.add(sent.encode("latin-1").decode(errors="replace"))
    return readings


def _escaped(text: str) -> set[str]:
    return {
        text,
        html.escape(text),
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        repr(text)[1:-1],
        quote(text, safe=""),
        quote(text),
        quote_plus(text),
    }
