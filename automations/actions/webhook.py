"""Calling a webhook: render, sign, send, read the answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from automations import causes, http, signing, templating, unsealing
from automations.actions.base import ActionError, Invocation, Receipt, Sending
from automations.documents import default_document
from automations.models import ActionKind, Execution, ReasonCode, Webhook
from automations.unsealing import Credentials
from automations.variables import values_of

# Request headers whose value proves something: shown as a mask wherever a request is shown.
CREDENTIAL_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", causes.HEADER.lower()})


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

    def perform(self, invocation: Invocation) -> Receipt:
        execution = invocation.execution
        webhook, credentials = _opened(execution)
        body, shown = _rendered(execution, credentials)
        request = prepare(
            webhook,
            credentials,
            body=body,
            shown_body=shown,
            message_id=message_id(execution),
            timestamp=invocation.timestamp,
            cause=causes.token_of(execution),
        )
        invocation.about_to_send(Sending(request.url, request.shown_headers, request.shown_body))
        return judged(exchange(request, credentials))

    def rehearse(self, execution: Execution) -> str:
        _, credentials = _opened(execution)
        return _rendered(execution, credentials)[1]


def _opened(execution: Execution) -> tuple[Webhook, Credentials]:
    webhook = execution.webhook
    if webhook is None:
        raise ActionError(
            "The webhook was deleted before this could be sent.",
            permanent=True,
            code=ReasonCode.NOT_SENDABLE,
        )
    try:
        return webhook, unsealing.unseal(webhook)
    except unsealing.SealedForever as error:
        # Not for good: the secret may be entered anew, or the key be back, before the last attempt.
        raise ActionError(str(error), permanent=False, code=ReasonCode.NOT_SENDABLE) from error


def _rendered(execution: Execution, credentials: Credentials) -> tuple[bytes, str]:
    try:
        return body_of(execution, credentials)
    except (templating.InvalidTemplate, templating.RenderedTooLarge) as error:
        raise ActionError(
            f"The payload could not be rendered: {error}", permanent=True, code=ReasonCode.NOT_SENDABLE
        ) from error


def message_id(execution: Execution) -> str:
    """The `webhook-id`: the same for every attempt of an execution."""
    return f"msg_{execution.key.hex}"


def body_of(execution: Execution, credentials: Credentials) -> tuple[bytes, str]:
    """The body to send, and the same with secrets masked.

    Raises:
        InvalidTemplate, RenderedTooLarge: the template cannot be rendered.
    """
    text = execution.rule["payload"]
    if not text.strip():
        body = default_document(execution.event, execution.rule, execution=execution)
        return body, credentials.redact(body.decode())
    template = templating.parse(text)
    values = values_of(execution.event, execution.rule)
    body = template.render({**values, **credentials.variables})
    shown = template.render({**values, **credentials.masked_variables()}).decode()
    return body, credentials.redact(shown)


def prepare(
    webhook: Webhook,
    credentials: Credentials,
    *,
    body: bytes,
    shown_body: str,
    message_id: str,
    timestamp: int,
    cause: str = "",
) -> Request:
    """The request with all its headers (WH2, WH3); `cause` is the token of the loop guard."""
    headers = {"Content-Type": "application/json", **credentials.headers}
    headers |= {"webhook-id": message_id, "webhook-timestamp": str(timestamp)}
    if cause:
        headers[causes.HEADER] = cause
    if credentials.access_token:
        headers["Authorization"] = f"Bearer {credentials.access_token}"
    if credentials.signing_secret:
        headers |= signing.headers(
            body,
            secret=credentials.signing_secret,
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
        receipt.result,
        permanent=not retryable,
        code="" if retryable else ReasonCode.REJECTED,
        retry_after=http.retry_after(response.headers, time.time()) if retryable else None,
        receipt=receipt,
        duration=receipt.duration,
    )
