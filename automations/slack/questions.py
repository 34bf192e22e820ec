"""What is asked of Slack beside posting: whose a token is, which channels there are, what an installation brought."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from automations import http
from automations.redaction import Redaction
from automations.slack import calls

# Slack's own limit of a page. A channel takes about a kilobyte of it.
PAGE_SIZE = 1_000
LONGEST_PAGE = 8_000_000
LONGEST_NAME = 80

SENTENCES = {
    **calls.BROKEN,
    "missing_scope": gettext_noop(
        "The bot token may not list channels: it lacks the scopes channels:read and groups:read. Add them to"
        " the Slack app and install it again, or enter the channel's id."
    ),
    "invalid_code": gettext_noop("Slack no longer knows this installation. Connect Slack again."),
    "code_already_used": gettext_noop("This installation was used before. Connect Slack again."),
    "invalid_client_id": gettext_noop(
        "Slack does not know this server's app. An operator has to check SLACK_CLIENT_ID."
    ),
    "bad_client_secret": gettext_noop("Slack refuses this server's app. An operator has to check SLACK_CLIENT_SECRET."),
    "bad_redirect_uri": gettext_noop(
        "Slack does not know the address that it was to return to. An operator has to add it to the redirect"
        " URLs of the Slack app."
    ),
}


class SlackRefused(Exception):
    """Slack did not answer the question; `problem` is its word for why, and `retry_after` are seconds it asks for."""

    def __init__(self, sentence: str, *, problem: str = "", retry_after: float | None = None) -> None:
        self.problem, self.retry_after = problem, retry_after
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose a bot token is."""

    workspace_id: str
    workspace: str
    bot: str


@dataclass(frozen=True, slots=True)
class Found:
    """A channel of the workspace; `member` is whether the bot is in it, and may post."""

    id: str
    name: str
    private: bool
    member: bool


@dataclass(frozen=True, slots=True)
class Installation:
    """What Slack hands over when somebody has installed the app: a token, and a webhook to the channel they chose."""

    channel: str
    token: str = field(repr=False)
    webhook_url: str = field(repr=False)


def whose(token: str) -> Identity:
    """Whose token this is (`auth.test`).

    Raises:
        SlackRefused: with a sentence.
    """
    answer = _asked(lambda web: web.auth_test(), token=token)
    pk, name, bot = (str(answer.get(key) or "") for key in ("team_id", "team", "user"))
    if not pk or not name:
        raise SlackRefused(_("Slack does not say which workspace the token is of."))
    return Identity(workspace_id=pk[:32], workspace=name[:LONGEST_NAME], bot=bot[:LONGEST_NAME])


def page_of_channels(token: str, *, cursor: str, timeout: float) -> tuple[list[Found], str]:
    """Channels that are not archived, and the cursor of the page that follows, empty after the last.

    Raises:
        SlackRefused: with a sentence; `retry_after` where Slack asks to wait.
    """
    answer = _asked(
        lambda web: web.conversations_list(
            cursor=cursor or None,
            exclude_archived=True,
            limit=PAGE_SIZE,
            types=["public_channel", "private_channel"],
        ),
        token=token,
        kept_bytes=LONGEST_PAGE,
        total_timeout=timeout,
    )
    rows = answer.get("channels")
    found = (
        [
            Found(str(row["id"]), str(row["name"]), bool(row.get("is_private")), bool(row.get("is_member")))
            for row in rows
            if isinstance(row, dict) and row.get("id") and row.get("name")
        ]
        if isinstance(rows, list)
        else []
    )
    following = answer.get("response_metadata")
    return found, str(following.get("next_cursor") or "") if isinstance(following, dict) else ""


def installation(code: str, *, redirect_uri: str) -> Installation:
    """What the code that Slack sent along stands for (`oauth.v2.access`).

    Raises:
        SlackRefused: with a sentence.
    """
    answer = _asked(
        lambda web: web.oauth_v2_access(
            client_id=settings.SLACK_CLIENT_ID,
            client_secret=settings.SLACK_CLIENT_SECRET,
            code=code,
            redirect_uri=redirect_uri,
        ),
        hidden=[code, settings.SLACK_CLIENT_SECRET],
    )
    hook = answer.get("incoming_webhook")
    token = str(answer.get("access_token") or "")
    if not isinstance(hook, dict) or not token or not hook.get("url"):
        raise SlackRefused(
            _(
                "Slack handed over no bot token and no channel. The app needs the scopes incoming-webhook and"
                " chat:write."
            )
        )
    if answer.get("expires_in"):
        raise SlackRefused(
            _("The Slack app's tokens expire. Turn token rotation off in the app, and connect Slack again.")
        )
    return Installation(channel=str(hook.get("channel") or ""), token=token, webhook_url=str(hook["url"]))


def _asked(
    question: Callable[[calls.Web], object],
    *,
    token: str = "",
    hidden: Sequence[str] = (),
    kept_bytes: int = calls.KEPT_BYTES,
    total_timeout: float | None = None,
) -> dict[str, Any]:
    masked = Redaction(tuple(value for value in (token, *hidden) if value)).mask
    try:
        answer = calls.ask(question, token=token, kept_bytes=kept_bytes, total_timeout=total_timeout)
    except http.DeliveryError as error:
        raise SlackRefused(_("Slack could not be asked. %(masked)s") % {"masked": masked(error.message)}) from error
    document = calls.document_of(answer)
    if http.is_success(answer.status) and document.get("ok") is True:
        return document
    problem = str(document.get("error") or "")[:100]
    raise SlackRefused(masked(_sentence(problem, answer)), problem=problem, retry_after=_wait(answer))


def _sentence(problem: str, answer: http.Response) -> str:
    if problem in SENTENCES:
        return _(SENTENCES[problem])
    if _wait(answer) is not None:
        return _("Slack takes no more questions for %(wait)s seconds.") % {"wait": f"{_wait(answer):.0f}"}
    if http.is_success(answer.status):
        return (
            _("Slack refused: %(problem)s.") % {"problem": problem} if problem else _("Slack's answer cannot be read.")
        )
    return _("Slack answered %(answer)s.") % {"answer": f"{answer.status} {answer.reason}".rstrip()}


def _wait(answer: http.Response) -> float | None:
    return http.retry_after(answer.headers, time.time()) if answer.status == 429 else None
