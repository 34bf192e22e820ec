"""Calling a webhook: render, sign, send, read the answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from automations import causes, http, signing, templating, unsealing
from automations.actions.base import ActionError, Composed, Invocation, Receipt, Sending
from automations.documents import default_document
from automations.models import ActionKind, Execution, ReasonCode, Webhook
from automations.unsealing import Credentials
from automations.variables import values_of

REDELIVERY_HEADER = "X-Automation-Redelivery"
REPLAY_HEADER = "X-Automation-Replay-Of"
# Request headers whose value proves something: shown as a mask wherever a request is shown.
CREDENTIAL_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", causes.HEADER.lower()})
# What an answer that ends an execution mostly means for whoever looks after the webhook.
WHAT_TO_DO = {
    401: "Check the access token and the signing secret of the webhook.",
    403: "Check the access token and the signing secret of the webhook, and what they may do there.",
    404: "Check the endpoint URL of the webhook.",
    405: "Nothing takes a POST there: check the endpoint URL of the webhook.",
}


@dataclass(frozen=True, slots=True)
class Request:
    """A webhook call, ready to go; `shown_…` is what may be kept and shown of it."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    shown_body: str
    shown_headers: Mapping[str, str]


class CallWebhook:
    kind: ClassVar[ActionKind] = ActionKind.WEBHOOK

    def compose(self, invocation: Invocation) -> Composed:
        execution = invocation.execution
        webhook, credentials = _opened(execution, invocation.keyring)
        body, shown = _rendered(execution, credentials)
        request = prepare(
            webhook,
            credentials,
            body=body,
            shown_body=shown,
            message_id=message_id(execution),
            timestamp=invocation.timestamp,
            cause=causes.token_of(execution),
            again=again(execution),
        )
        return Composed(
            sending=Sending(request.url, request.shown_headers, request.shown_body),
            send=lambda: judged(exchange(request, credentials)),
        )


def _opened(execution: Execution, keyring: unsealing.Keyring) -> tuple[Webhook, Credentials]:
    webhook = execution.webhook
    if webhook is None:
        raise ActionError(
            "The webhook was deleted before this could be sent.",
            permanent=True,
            code=ReasonCode.NOT_SENDABLE,
        )
    try:
        return webhook, keyring.of_webhook(webhook)
    except unsealing.SealedForever as error:
        # Not for good: the secret may be entered anew, or the key be back, before the last attempt.
        raise ActionError(str(error), permanent=False, code=ReasonCode.INTEGRATION_BROKEN) from error


def _rendered(execution: Execution, credentials: Credentials) -> tuple[bytes, str]:
    try:
        return body_of(execution, credentials)
    except (templating.InvalidTemplate, templating.RenderedTooLarge) as error:
        raise ActionError(
            f"The payload could not be rendered: {error}", permanent=True, code=ReasonCode.NOT_SENDABLE
        ) from error


def message_id(execution: Execution) -> str:
    """The `webhook-id`: the same for every attempt of an execution, and when it is redelivered as it was."""
    return f"msg_{execution.message.hex}"


def again(execution: Execution) -> dict[str, str]:
    """Headers that tell a receiver of a redelivery from the first message, and which one it takes the place of."""
    headers = {REDELIVERY_HEADER: str(execution.key)} if execution.redelivery_id else {}
    if execution.replay_of:
        headers[REPLAY_HEADER] = f"msg_{execution.replay_of.hex}"
    return headers


def body_of(execution: Execution, credentials: Credentials) -> tuple[bytes, str]:
    """The body to send, and the same with secrets masked.

    Raises:
        InvalidTemplate, RenderedTooLarge: the template cannot be rendered.
    """
    if _kept_whole(execution):
        return execution.payload.encode(), credentials.redact(execution.payload)
    text = execution.rule["payload"]
    if not text.strip():
        body = default_document(execution.event, execution.rule, execution=execution)
        return body, credentials.redact(body.decode())
    template = templating.parse(text)
    values = values_of(execution.event, execution.rule)
    body = template.render({**values, **credentials.variables})
    shown = template.render({**values, **credentials.masked_variables()}).decode()
    return body, credentials.redact(shown)


def _kept_whole(execution: Execution) -> bool:
    """Whether the history has the very body that is to be sent once more: rendered anew it might differ, since names
    and this server have changed meanwhile. Where secrets are masked in it, there is no other way."""
    return execution.message_key is not None and bool(execution.payload) and unsealing.MASK not in execution.payload


def prepare(
    webhook: Webhook,
    credentials: Credentials,
    *,
    body: bytes,
    shown_body: str,
    message_id: str,
    timestamp: int,
    cause: str = "",
    again: Mapping[str, str] | None = None,
) -> Request:
    """The request with all its headers (WH2, WH3); `cause` is the token of the loop guard, `again` what a redelivery
    says of itself."""
    headers = {"Content-Type": "application/json", **credentials.headers}
    headers |= {"webhook-id": message_id, "webhook-timestamp": str(timestamp), **(again or {})}
    if cause:
        headers[causes.HEADER] = cause
    if credentials.access_token:
        headers["Authorization"] = f"Bearer {credentials.access_token}"
    if credentials.signing_secret:
        headers |= signing.headers(
            body,
            secret=credentials.signing_secret,
            old_secret=credentials.old_signing_secret,
            message_id=message_id,
            timestamp=timestamp,
            encoding=webhook.signature_encoding,
        )
    shown = {
        name: unsealing.MASK if name.lower() in CREDENTIAL_HEADERS else credentials.redact(value)
        for name, value in headers.items()
    }
    return Request(webhook.url, body, headers, shown_body, shown)


def exchange(request: Request, credentials: Credentials) -> tuple[http.Response, Receipt]:
    """Send, and read the answer with secrets masked.

    Raises:
        ActionError: there was no answer.
    """
    try:
        response = http.send(request.url, body=request.body, headers=request.headers)
    except http.DeliveryError as error:
        raise ActionError(
            credentials.redact(error.message),
            permanent=error.permanent,
            code=ReasonCode.REFUSED_ADDRESS if isinstance(error, http.Refused) else "",
            duration=error.duration,
        ) from error
    response = replace(response, reason=credentials.redact(response.reason, cut=True))
    text = response.body.decode("utf-8", "replace").replace("\x00", "�")
    receipt = Receipt(
        result=f"The receiver answered {response.status} {response.reason}".rstrip() + ".",
        status_code=response.status,
        headers=credentials.redact_headers(dict(response.headers)),
        body=credentials.redact(text, cut=response.truncated),
        duration=response.duration,
    )
    return response, receipt


def judged(exchanged: tuple[http.Response, Receipt]) -> Receipt:
    """The receipt of a success (WH6).

    Raises:
        ActionError: the answer was anything but 2xx, with what WH7 makes of it.
    """
    response, receipt = exchanged
    if http.is_success(response.status):
        return receipt
    if 300 <= response.status < 400:
        raise ActionError(
            f"The receiver answered {response.status}, a redirect. Redirects are not followed;"
            " enter the final address in the webhook.",
            permanent=True,
            code=ReasonCode.REJECTED,
            receipt=receipt,
            duration=receipt.duration,
        )
    if response.status == 410:
        raise ActionError(
            "The receiver answered 410 Gone: it wants no more calls. The webhook is paused.",
            permanent=True,
            code=ReasonCode.WEBHOOK_PAUSED,
            receipt=receipt,
            duration=receipt.duration,
        )
    retryable = http.is_retryable(response.status)
    raise ActionError(
        f"{receipt.result} {WHAT_TO_DO.get(response.status, '')}".rstrip(),
        permanent=not retryable,
        code="" if retryable else ReasonCode.REJECTED,
        retry_after=http.retry_after(response.headers, time.time()) if retryable else None,
        receipt=receipt,
        duration=receipt.duration,
    )
