"""Whether receivers take the new value of a rotated secret: each is asked by test messages, before the old one ends."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import StrEnum

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from automations import unsealing, webhooks
from automations.models import Webhook
from automations.webhooks import Exchange, one_test_at_a_time
from projects.access import Permission, require
from projects.models import User
from secrets_vault.models import Secret

MESSAGE = json.dumps(
    {"event_type": "TEST", "message": "A test message: does this endpoint take the new value of a secret?"},
    separators=(",", ":"),
).encode()


class Verdict(StrEnum):
    """What a receiver takes."""

    ACCEPTED = "accepted"
    NEEDS_OLD = "needs the old value"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of trying one receiver, as a word and a sentence."""

    webhook: Webhook
    verdict: Verdict
    sentence: str


def receivers_of(secret: Secret) -> QuerySet[Webhook]:
    """The webhooks that send or sign with the secret, by name."""
    uses = Q(secret=secret) | Q(access_token=secret) | Q(headers__secret=secret)
    return Webhook.objects.filter(uses).select_related("team").order_by("name").distinct()


def try_out(webhook: Webhook, *, by: User) -> Finding:
    """Send a test message with the new value alone; if that is refused while an old one still signs, another with both.

    Only the first tells what will happen when the old value has ended: with both, a receiver is content with either.

    Raises:
        ValidationError: a secret cannot be opened.
        TestIsRunning: another test has to end first.
        Http404, PermissionDenied: the user may not.
    """
    require(by, Permission.EDIT_SETTINGS, webhook.team)
    try:
        credentials = unsealing.unseal(webhook)
    except unsealing.SealedForever as error:
        raise ValidationError(str(error)) from error
    with one_test_at_a_time():
        alone = webhooks.send_test(webhook, replace(credentials, old_signing_secret=""), body=MESSAGE)
        if alone.succeeded:
            return Finding(
                webhook,
                Verdict.ACCEPTED,
                _("Takes the new value alone: it answered %(answer)s.") % {"answer": _answer(alone)},
            )
        if not credentials.old_signing_secret or alone.status_code is None:
            return Finding(
                webhook, Verdict.REFUSED, _("Refused the new value: %(answer)s") % {"answer": _answer(alone)}
            )
        both = webhooks.send_test(webhook, credentials, body=MESSAGE)
    if both.succeeded:
        return Finding(
            webhook,
            Verdict.NEEDS_OLD,
            _("Still needs the old value: it answered %(answer)s to the new alone and %(answer2)s to both.")
            % {"answer": _answer(alone), "answer2": _answer(both)},
        )
    return Finding(webhook, Verdict.REFUSED, _("Refused even both signatures: %(answer)s") % {"answer": _answer(both)})


def _answer(exchange: Exchange) -> str:
    if exchange.status_code is None:
        return exchange.error
    return f"{exchange.status_code} {exchange.reason}".rstrip()
