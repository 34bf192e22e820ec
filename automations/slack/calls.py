"""Calls to Slack by its own SDK, which leave the house where everything does: `automations.http` has the guard, the
deadline and the size cap, and knows no proxies."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request

from django.conf import settings
from slack_sdk.errors import SlackClientError
from slack_sdk.web.client import WebClient
from slack_sdk.webhook import WebhookClient, WebhookResponse

from automations import http, unsealing
from automations.actions.base import ActionError, Receipt, Sending
from automations.models import ReasonCode, SlackChannel, SlackKind
from automations.slack.messages import Message
from automations.unsealing import MASK, Credentials

# Slack answers with the message, whose letters it may write as six characters each.
KEPT_BYTES = 200_000
# The SDK would log addresses and bodies; the history has what may be known of them.
SILENT = logging.getLogger("automations.slack.sdk")
SILENT.setLevel(logging.CRITICAL + 1)

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


class _Web(WebClient):
    """Slack's Web API, sent by `automations.http`."""

    answer: http.Response

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        self.answer = _sent(req)
        return {"status": self.answer.status, "headers": dict(self.answer.headers), "body": _body(self.answer)}


class _Hook(WebhookClient):
    """An incoming webhook, sent by `automations.http`."""

    answer: http.Response

    def _perform_http_request_internal(self, url: str, req: Request) -> WebhookResponse:
        self.answer = _sent(req)
        headers = dict(self.answer.headers)
        return WebhookResponse(url=url, status_code=self.answer.status, body=_body(self.answer), headers=headers)


def post(
    channel: SlackChannel, message: Message, *, key: str, about_to_send: Callable[[Sending], None] = lambda _: None
) -> Receipt:
    """Post to the channel; `key` is the same for every try of one message, so that readers of its metadata can tell.

    Raises:
        ActionError: Slack did not take it. Code INTEGRATION_BROKEN: an admin has to put something right first.
    """
    credentials, content = _opened(channel), _content(message)
    about_to_send(Sending(_shown_address(channel, credentials), _shown_headers(channel), _shown(content, credentials)))
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


def shown(channel: SlackChannel, message: Message) -> str:
    """What would be posted, secrets masked.

    Raises:
        ActionError: the channel's credential cannot be opened.
    """
    return _shown(_content(message), _opened(channel))


def _opened(channel: SlackChannel) -> Credentials:
    try:
        return unsealing.unseal_channel(channel)
    except unsealing.SealedForever as error:
        raise ActionError(str(error), permanent=False, code=ReasonCode.NOT_SENDABLE) from error


def _content(message: Message) -> dict[str, Any]:
    return {"text": message.fallback(), "blocks": message.blocks()}


def _shown(content: Mapping[str, Any], credentials: Credentials) -> str:
    return credentials.redact(json.dumps(content, ensure_ascii=False, separators=(",", ":")))


def _call(channel: SlackChannel, credentials: Credentials, content: dict[str, Any], *, key: str) -> http.Response:
    quiet: dict[str, Any] = {
        "logger": SILENT,
        "retry_handlers": [],  # the ladder of executions is the only one that tries again
    }
    if channel.kind == SlackKind.WEBHOOK:
        hook = _Hook(credentials.access_token, **quiet)
        hook.send(**content, unfurl_links=False, unfurl_media=False)
        return hook.answer
    web = _Web(credentials.access_token, base_url=settings.SLACK_API_URL, **quiet)
    metadata = {"event_type": "automation_executed", "event_payload": {"id": key}}
    try:
        web.chat_postMessage(
            channel=channel.channel_id, **content, unfurl_links=False, unfurl_media=False, metadata=metadata
        )
    except SlackClientError:
        # Whatever was answered says more than the SDK's error about it.
        return web.answer
    return web.answer


def _sent(request: Request) -> http.Response:
    body = request.data if isinstance(request.data, bytes) else b""
    # Who we are is said by `http.send`, as to every other receiver.
    headers = {name: str(value) for name, value in request.header_items() if name.lower() != "user-agent"}
    return http.send(request.full_url, body=body, headers=headers, kept_bytes=KEPT_BYTES)


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
    try:
        document = json.loads(_body(answer))
    except ValueError:
        return ""
    if not isinstance(document, dict):
        return ""
    return OK if document.get("ok") is True and http.is_success(answer.status) else str(document.get("error", ""))[:100]


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
