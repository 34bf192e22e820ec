"""The one place where secrets are unsealed: for the moment of sending, together with what must be masked afterwards."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urlsplit

from cryptography.fernet import InvalidToken
from django.utils import timezone

from automations.models import SlackChannel, SlackKind, SlackWorkspace, Webhook
from automations.redaction import MASK, Redaction
from secrets_vault.models import OldValue, Secret

__all__ = [
    "MASK",
    "SECRET_REFERENCE",
    "Credentials",
    "Keyring",
    "SealedForever",
    "fill",
    "unseal",
    "unseal_channel",
    "unseal_workspace",
]

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
    # What the signing secret was, while it still signs beside it (SE2).
    old_signing_secret: str = field(default="", repr=False)
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


class Keyring:
    """The credentials of the integrations that a batch of executions goes to, opened in one query; where signing
    secrets were rotated, what they were before as well."""

    def __init__(self, *, webhooks: Iterable[Webhook] = (), channels: Iterable[SlackChannel] = ()) -> None:
        wanted = {channel.credential_id for channel in channels}
        signing: set[int] = set()
        for webhook in webhooks:
            wanted |= _secrets_of(webhook)
            signing |= {webhook.secret_id} if webhook.secret_id else set()
        self._opened = _opened(wanted)
        self._old = _old_values(pk for pk in signing if pk in self._opened and self._opened[pk].rotated_at)
        self._credentials: dict[tuple[type, int], Credentials] = {}

    def of_webhook(self, webhook: Webhook) -> Credentials:
        """What the webhook is called with.

        Raises:
            SealedForever: one of its secrets was sealed with a key that is gone.
        """
        if (Webhook, webhook.pk) not in self._credentials:
            self._credentials[Webhook, webhook.pk] = self._webhook(webhook)
        return self._credentials[Webhook, webhook.pk]

    def of_channel(self, channel: SlackChannel) -> Credentials:
        """The bot token or the incoming webhook's address of a Slack channel.

        Raises:
            SealedForever: it was sealed with a key that is gone.
        """
        if (SlackChannel, channel.pk) not in self._credentials:
            self._credentials[SlackChannel, channel.pk] = self._channel(channel)
        return self._credentials[SlackChannel, channel.pk]

    def _secret(self, pk: int) -> Secret:
        if pk not in self._opened:
            raise SealedForever
        return self._opened[pk]

    def _webhook(self, webhook: Webhook) -> Credentials:
        secrets = {pk: self._secret(pk) for pk in _secrets_of(webhook)}
        token = secrets[webhook.access_token_id].value if webhook.access_token_id else ""
        signing = secrets[webhook.secret_id] if webhook.secret_id else None
        variables = {"ACCESS_TOKEN": token} if token else {}
        if signing is not None:
            variables[signing.name] = signing.value
        old = self._old.get(signing.pk, "") if signing else ""
        return Credentials(
            access_token=token,
            signing_secret=signing.value if signing else "",
            old_signing_secret=old,
            headers={
                header.name: fill(header.value, secrets[header.secret_id].value if header.secret_id else "")
                for header in webhook.headers.all()
            },
            variables=variables,
            values=tuple(filter(None, (*(secret.value for secret in secrets.values()), old))),
        )

    def _channel(self, channel: SlackChannel) -> Credentials:
        value = self._secret(channel.credential_id).value
        # The end of a webhook's address is what proves who we are: it is masked also where it stands alone.
        proof = urlsplit(value).path.rpartition("/")[2] if channel.kind == SlackKind.WEBHOOK else ""
        return Credentials(access_token=value, values=tuple(filter(None, (value, proof))))


def unseal(webhook: Webhook) -> Credentials:
    """Read the secrets a webhook uses.

    Raises:
        SealedForever: one of them was sealed with a key that is gone.
    """
    return Keyring(webhooks=[webhook]).of_webhook(webhook)


def unseal_channel(channel: SlackChannel) -> Credentials:
    """Read the bot token or the incoming webhook's address of a Slack channel.

    Raises:
        SealedForever: it was sealed with a key that is gone.
    """
    return Keyring(channels=[channel]).of_channel(channel)


def _secrets_of(webhook: Webhook) -> set[int]:
    used = {webhook.access_token_id, webhook.secret_id, *(header.secret_id for header in webhook.headers.all())}
    return {pk for pk in used if pk is not None}


def _opened(pks: Collection[int]) -> dict[int, Secret]:
    """The secrets by their key, without those that cannot be opened."""
    if not pks:
        return {}
    secrets = Secret.objects.filter(pk__in=pks).defer(None)
    try:
        return {secret.pk: secret for secret in secrets}
    except InvalidToken:
        if len(pks) == 1:
            return {}
    # One of them spoils the query: each for itself, so that it spoils nobody else's delivery.
    opened: dict[int, Secret] = {}
    for pk in pks:
        opened |= _opened([pk])
    return opened


def unseal_workspace(workspace: SlackWorkspace) -> Credentials:
    """Read the bot token of a Slack workspace.

    Raises:
        SealedForever: it was sealed with a key that is gone.
    """
    secret = _opened([workspace.credential_id]).get(workspace.credential_id)
    if secret is None:
        raise SealedForever
    return Credentials(access_token=secret.value, values=(secret.value,))


def _old_values(signing: Iterable[int]) -> dict[int, str]:
    """What still signs beside these secrets. One whose time is over does not, also before it is deleted; one that
    cannot be opened is no reason to hold anything up."""
    rotated = list(signing)
    if not rotated:
        return {}
    opened: dict[int, str] = {}
    # There are few of them, and each is opened for itself, so that one that cannot be spoils nobody else's delivery.
    for old in OldValue.objects.filter(secret__in=rotated, ends_at__gt=timezone.now()).defer("value"):
        with suppress(InvalidToken):
            opened[old.secret_id] = old.value
    return opened


def fill(header_value: str, secret: str) -> str:
    """A header's value with its `${SECRET_NAME}` replaced."""
    return SECRET_REFERENCE.sub(lambda _: secret, header_value)
