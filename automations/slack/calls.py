"""Calls to Slack by its own SDK, which leave the house where everything does: `automations.http` has the guard, the
deadline and the size cap, and knows no proxies."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request

from django.conf import settings
from slack_sdk.errors import SlackClientError
from slack_sdk.web.client import WebClient
from slack_sdk.webhook import WebhookClient, WebhookResponse

from automations import http
from automations.actions.base import ActionError, Composed, Receipt, Sending
from automations.models import ReasonCode, SlackChannel, SlackKind
from automations.slack.messages import Message
from automations.unsealing import MASK, Credentials, Keyring, SealedForever

# Slack answers with the message, whose letters it may write as six characters each.
KEPT_BYTES = 200_000
# The SDK would log addresses and bodies; the history has what may be known of them.
SILENT = logging.getLogger("automations.slack.sdk")
SILENT.setLevel(logging.CRITICAL + 1)
QUIET: dict[str, Any] = {
    "logger": SILENT,
    "retry_handlers": [],  # the ladder of executions is the only one that tries again
}

OK = "ok"
TEMPORARY = frozenset(
    {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
)
# What an admin has to put right before anything arrives again: it is noted on the integration.
BROKEN = {
    "invalid_auth": "Slack does not know the bot token. Paste a new one.",
    "not_authed": "Slack got no bot token. Paste a new one.",
    "token_revoked": "The bot token was revoked. Install the app again and paste its token.",
    "token_expired": "The bot token has expired. Paste a new one.",
    "account_inactive": "The bot's account was deactivated in Slack. Install the app again and paste its token.",
    "missing_scope": "The bot token lacks the scope chat:write. Add it to the Slack app, install it again and paste"
    " the token.",
    "channel_not_found": "There is no such channel in the workspace, or the bot cannot see it. Check the channel id,"
    " and invite the bot to private channels.",
    "not_in_channel": "The bot is not in the channel. Invite it there.",
    "is_archived": "The channel is archived. Choose another one.",
    "channel_is_archived": "The channel is archived. Choose another one.",
    "restricted_action": "A preference of the workspace keeps the bot from posting to this channel.",
    "no_permission": "The workspace does not let the bot post.",
    "action_prohibited": "An admin of the workspace forbids this incoming webhook.",
    "invalid_token": "Slack does not know the incoming webhook. Make a new one and paste its address.",
    "no_service": "The incoming webhook was removed or disabled. Make a new one and paste its address.",
    "no_active_hooks": "The incoming webhook was removed or disabled. Make a new one and paste its address.",
    "no_team": "The workspace of the incoming webhook is gone.",
    "team_disabled": "The workspace was disabled.",
}


class Web(WebClient):
    """Slack's Web API, sent by `automations.http`."""

    answer: http.Response
    kept_bytes = KEPT_BYTES
    total_timeout: float | None = None

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        self.answer = _sent(req, kept_bytes=self.kept_bytes, total_timeout=self.total_timeout)
        return {"status": self.answer.status, "headers": dict(self.answer.headers), "body": _body(self.answer)}


class _Hook(WebhookClient):
    """An incoming webhook, sent by `automations.http`."""

    answer: http.Response

    def _perform_http_request_internal(self, url: str, req: Request) -> WebhookResponse:
        self.answer = _sent(req)
        headers = dict(self.answer.headers)
        return WebhookResponse(url=url, status_code=self.answer.status, body=_body(self.answer), headers=headers)


def compose(channel: SlackChannel, message: Message, *, key: str, keyring: Keyring) -> Composed:
    """The message, ready to be posted; `key` is the same for every try of one message, so that readers of its metadata
    can tell.

    Raises:
        ActionError: the channel's credential cannot be opened. From sending: Slack did not take it. Code
            INTEGRATION_BROKEN: an admin has to put something right first.
    """
    try:
        credentials = keyring.of_channel(channel)
    except SealedForever as error:
        raise ActionError(str(error), permanent=False, code=ReasonCode.INTEGRATION_BROKEN) from error
    content = {"text": message.fallback(), "blocks": message.blocks()}
    shown = credentials.redact(json.dumps(content, ensure_ascii=False, separators=(",", ":")))
    return Composed(
        sending=Sending(_shown_address(channel, credentials), _shown_headers(channel), shown),
        send=lambda: _post(channel, credentials, content, key=key),
    )


def _post(channel: SlackChannel, credentials: Credentials, content: dict[str, Any], *, key: str) -> Receipt:
    try:
        answer = _call(channel, credentials, content, key=key)
    except http.DeliveryError as error:
        raise ActionError(
            credentials.redact(error.message),
            permanent=error.permanent,
            code=ReasonCode.REFUSED_ADDRESS if isinstance(error, http.Refused) else "",
            duration=error.duration,
        ) from error
    return _judged(channel, answer, credentials)


def ask(
    question: Callable[[Web], object],
    *,
    token: str = "",
    kept_bytes: int = KEPT_BYTES,
    total_timeout: float | None = None,
) -> http.Response:
    """Slack's answer to a question that is no message, whatever it says.

    Raises:
        http.DeliveryError: there is none.
    """
    web = Web(token or None, base_url=settings.SLACK_API_URL, **QUIET)
    web.kept_bytes, web.total_timeout = kept_bytes, total_timeout
    # What the SDK raises says less than the answer; it gives up on one that is nested too deeply.
    with suppress(SlackClientError, RecursionError):
        question(web)
    return web.answer


def _call(channel: SlackChannel, credentials: Credentials, content: dict[str, Any], *, key: str) -> http.Response:
    if channel.kind == SlackKind.WEBHOOK:
        hook = _Hook(credentials.access_token, **QUIET)
        hook.send(**content, unfurl_links=False, unfurl_media=False)
        return hook.answer
    metadata = {"event_type": "automation_executed", "event_payload": {"id": key}}
    return ask(
        lambda web: web.chat_postMessage(
            channel=channel.channel_id, **content, unfurl_links=False, unfurl_media=False, metadata=metadata
        ),
        token=credentials.access_token,
    )


def _sent(request: Request, *, kept_bytes: int = KEPT_BYTES, total_timeout: float | None = None) -> http.Response:
    body = request.data if isinstance(request.data, bytes) else b""
    # Who we are is said by `http.send`, as to every other receiver.
    headers = {name: str(value) for name, value in request.header_items() if name.lower() != "user-agent"}
    return http.send(request.full_url, body=body, headers=headers, kept_bytes=kept_bytes, total_timeout=total_timeout)


def _judged(channel: SlackChannel, answer: http.Response, credentials: Credentials) -> Receipt:
    problem = _problem(channel, answer)
    text = credentials.redact(_body(answer), cut=True)[: http.MAX_RESPONSE_BYTES]
    receipt = Receipt(
        result=f"Slack took the message for {channel}.",
        status_code=answer.status,
        headers=credentials.redact_headers(dict(answer.headers)),
        body=text,
        duration=answer.duration,
    )
    if problem == OK:
        return receipt
    again = problem in TEMPORARY or http.is_retryable(answer.status)
    raise ActionError(
        credentials.redact(_sentence(problem, answer)),
        permanent=not again,
        code="" if again else ReasonCode.INTEGRATION_BROKEN if problem in BROKEN else ReasonCode.REJECTED,
        retry_after=http.retry_after(answer.headers, time.time()) if again else None,
        receipt=replace(receipt, result=""),
        duration=answer.duration,
    )


def _problem(channel: SlackChannel, answer: http.Response) -> str:
    """Slack's word for what went wrong, or OK."""
    if channel.kind == SlackKind.WEBHOOK:
        return OK if http.is_success(answer.status) else _body(answer).strip()[:100]
    document = document_of(answer)
    return OK if document.get("ok") is True and http.is_success(answer.status) else str(document.get("error", ""))[:100]


def document_of(answer: http.Response) -> dict[str, Any]:
    """What the Web API answered, empty where it cannot be read."""
    try:
        document = json.loads(_body(answer))
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _sentence(problem: str, answer: http.Response) -> str:
    if problem in BROKEN:
        return BROKEN[problem]
    if answer.status == 429 or problem in {"ratelimited", "rate_limited"}:
        return "Slack takes no more messages for the moment."
    if http.is_success(answer.status):
        return f"Slack refused the message: {problem}." if problem else "Slack's answer cannot be read."
    return f"Slack answered {answer.status} {answer.reason}".rstrip() + (f" ({problem})." if problem else ".")


def _body(answer: http.Response) -> str:
    return answer.body.decode("utf-8", "replace").replace("\x00", "�")


def _shown_address(channel: SlackChannel, credentials: Credentials) -> str:
    """Where it goes; of an incoming webhook the host alone, since the rest of its address is the credential."""
    if channel.kind == SlackKind.BOT:
        return f"{settings.SLACK_API_URL}/chat.postMessage"
    parts = urlsplit(credentials.access_token)
    return f"{parts.scheme}://{parts.netloc}/{MASK}"


def _shown_headers(channel: SlackChannel) -> Mapping[str, str]:
    headers = {"Content-Type": "application/json;charset=utf-8"}
    return headers | {"Authorization": MASK} if channel.kind == SlackKind.BOT else headers
