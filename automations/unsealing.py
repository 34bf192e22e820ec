"""The one place where secrets are unsealed: for the moment of sending, together with what must be masked afterwards."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urlsplit

from cryptography.fernet import InvalidToken

from automations.models import SlackChannel, SlackKind, Webhook
from automations.redaction import MASK, Redaction
from secrets_vault.models import Secret

__all__ = ["MASK", "SECRET_REFERENCE", "Credentials", "SealedForever", "fill", "unseal", "unseal_channel"]

SECRET_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class SealedForever(Exception):
    """A secret was sealed with a key that this server does not have."""

    def __init__(self) -> None:
        super().__init__(
            "A secret of the integration cannot be opened with the keys in FERNET_KEYS. Rotate it to enter its value"
            " anew, or have an operator bring the key back."
        )


@dataclass(frozen=True)
class Credentials:
    """What a webhook or a message is sent with. `repr` shows none of it."""

    access_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    # Variables of payload templates that resolve while sending only (PL4).
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    values: tuple[str, ...] = field(default=(), repr=False)

    def redact(self, text: str, *, cut: bool = False) -> str:
        """The text with every secret in it masked, also where it was escaped or encoded on the way. `cut` says that
        the text goes on: then its end may be the beginning of a secret."""
        masked = self._redaction.mask(text)
        return self._redaction.mask_end(masked) if cut else masked

    def redact_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers of an answer, with secrets masked in names and values."""
        return {self._redaction.mask_name(name): self.redact(value) for name, value in headers.items()}

    @cached_property
    def _redaction(self) -> Redaction:
        return Redaction(self.values)

    def masked_variables(self) -> dict[str, str]:
        """The same variables with masks for values: what history and previews show."""
        return dict.fromkeys(self.variables, MASK)


def unseal(webhook: Webhook) -> Credentials:
    """Read the secrets a webhook uses, in one query.

    Raises:
        SealedForever: one of them was sealed with a key that is gone.
    """
    headers = list(webhook.headers.all())
    wanted = {webhook.access_token_id, webhook.secret_id, *(header.secret_id for header in headers)} - {None}
    try:
        secrets = {secret.pk: secret for secret in Secret.objects.filter(pk__in=wanted).defer(None)} if wanted else {}
    except InvalidToken:
        raise SealedForever from None
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


def unseal_channel(channel: SlackChannel) -> Credentials:
    """Read the bot token or the incoming webhook's address of a Slack channel.

    Raises:
        SealedForever: it was sealed with a key that is gone.
    """
    try:
        value = Secret.objects.defer(None).get(pk=channel.credential_id).value
    except InvalidToken:
        raise SealedForever from None
    # The end of a webhook's address is what proves who we are: it is masked also where it stands alone.
    proof = urlsplit(value).path.rpartition("/")[2] if channel.kind == SlackKind.WEBHOOK else ""
    return Credentials(access_token=value, values=tuple(filter(None, (value, proof))))


def fill(header_value: str, secret: str) -> str:
    """A header's value with its `${SECRET_NAME}` replaced."""
    return SECRET_REFERENCE.sub(lambda _: secret, header_value)
