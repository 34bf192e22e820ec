"""Extra headers of a webhook's requests: which may be set, and which secret a value names."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from automations.actions.webhook import CREDENTIAL_HEADERS
from automations.models import Webhook, WebhookHeader
from automations.models.integration import validate_header_name
from automations.unsealing import SECRET_REFERENCE
from secrets_vault.models import Secret

MAX_HEADERS = 20
# Headers that the request sets itself, or that would change what the receiver believes about it.
RESERVED_HEADERS = frozenset(
    {
        "connection",
        "content-length",
        "content-type",
        "host",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
        "x-automation-cause",
        "x-automation-redelivery",
        "x-automation-replay-of",
        "x-wandb-signature",
    }
)


def rows_of(webhook: Webhook, headers: Mapping[str, str]) -> list[WebhookHeader]:
    """The headers as rows of the webhook, not saved yet.

    Raises:
        ValidationError: for `headers`.
    """
    rows = [_header(webhook, name, value) for name, value in headers.items()]
    if len({row.name.lower() for row in rows}) < len(rows):
        raise _refused(_("A header is given twice; names differ by more than upper and lower case."))
    if len(rows) > MAX_HEADERS:
        raise _refused(_("A webhook has at most %(most_headers)s extra headers.") % {"most_headers": MAX_HEADERS})
    return rows


def _header(webhook: Webhook, name: str, value: str) -> WebhookHeader:
    try:
        validate_header_name(name)
    except ValidationError as error:
        raise _refused(f"“{name}”: {error.messages[0]}") from error
    if name.lower() in RESERVED_HEADERS:
        raise _refused(_("%(name)s is set by the server itself.") % {"name": name})
    if name.lower() == "authorization" and webhook.access_token is not None:
        raise _refused(_("Authorization is set by the access token; choose one of both."))
    if len(value) > 1000 or not value.isascii() or not value.isprintable():
        raise _refused(_("%(name)s: a value has at most 1,000 printable ASCII characters.") % {"name": name})
    return WebhookHeader(webhook=webhook, name=name, value=value, secret=_referenced_secret(webhook, name, value))


def _refused(sentence: str) -> ValidationError:
    return ValidationError({"headers": sentence})


def _referenced_secret(webhook: Webhook, name: str, value: str) -> Secret | None:
    references = set(SECRET_REFERENCE.findall(value))
    if len(references) > 1:
        raise _refused(
            _("%(name)s: a value may name one secret, not %(references)s.")
            % {"name": name, "references": len(references)}
        )
    for reference in references:
        secret: Secret | None = Secret.objects.filter(team=webhook.team_id, name=reference).first()
        if secret is None:
            raise _refused(
                _("%(name)s: %(team)s has no secret %(reference)s. Create it first.")
                % {"name": name, "team": webhook.team, "reference": reference}
            )
        return secret
    if name.lower() in CREDENTIAL_HEADERS:
        raise _refused(
            _("%(name)s: do not write credentials in the open; use ${SECRET_NAME} of a team secret.") % {"name": name}
        )
    return None
