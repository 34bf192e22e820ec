"""“Connect Slack”: Slack asks a person whether to install the operator's app, and sends them back with a code (SL1).

What comes back is believed only with the state that was sent along: signed here, for one person and one team, ten
minutes old at most, and known to the session that it was begun in, which forgets it at its first use.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from automations.documents import absolute
from automations.models import SlackChannel, SlackKind, SlackWorkspace
from automations.slack import channels, questions, workspaces
from automations.slack.questions import Installation, SlackRefused
from projects.access import Permission, require
from projects.models import Team, User

# The first two are what posting takes, the others what choosing further channels from the list takes.
SCOPES = ("incoming-webhook", "chat:write", "channels:read", "groups:read")
LIFETIME = 600  # seconds
MOST_BEGUN = 5  # in one session at a time: the oldest is forgotten
BEGUN = "slack_connections_begun"
SALT = "automations.slack.oauth"


class NotConnected(Exception):
    """Slack was not connected. `team` is whose settings say so, where that is known."""

    def __init__(self, sentence: str, *, team: Team | None = None) -> None:
        self.team = team
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class Connected:
    """The workspace that was connected, and the channel that was chosen in Slack; `note` says why there is none."""

    workspace: SlackWorkspace
    channel: SlackChannel | None
    note: str = ""


def is_offered() -> bool:
    """Whether the operator has named an app."""
    return bool(settings.SLACK_CLIENT_ID)


def origin() -> str:
    """Where people are sent, as a source of the content security policy."""
    parts = urlsplit(settings.SLACK_AUTHORIZE_URL)
    return f"{parts.scheme}://{parts.netloc}"


def return_address() -> str:
    """Where Slack sends people back to; the app has to list it."""
    return absolute(reverse("slack_connected"))


def begin(team: Team, *, by: User, session: SessionBase) -> str:
    """The address in Slack that asks whether to install the app for this team.

    Raises:
        Http404, PermissionDenied: the user may not; or no app is configured.
    """
    require(by, Permission.EDIT_SETTINGS, team)
    if not is_offered():
        raise Http404(_("The operator of this server has not configured a Slack app."))
    nonce = secrets.token_urlsafe(24)
    session[BEGUN] = [*session.get(BEGUN, []), nonce][-MOST_BEGUN:]
    state = signing.dumps({"team": team.pk, "user": by.pk, "nonce": nonce}, salt=SALT)
    asked = {
        "client_id": settings.SLACK_CLIENT_ID,
        "scope": ",".join(SCOPES),
        "redirect_uri": return_address(),
        "state": state,
    }
    return f"{settings.SLACK_AUTHORIZE_URL}?{urlencode(asked)}"


def finish(*, state: str, code: str, error: str, by: User, session: SessionBase, at: datetime) -> Connected:
    """Keep what Slack hands over for the code.

    Asks Slack, so it is not to be called within a transaction.

    Raises:
        NotConnected: with a sentence.
        Http404, PermissionDenied: the user may not, any more.
    """
    team = _begun(state, by=by, session=session)
    require(by, Permission.EDIT_SETTINGS, team)
    if error == "access_denied":
        raise NotConnected(_("Slack was not connected, because it was not allowed in Slack."), team=team)
    if error or not code:
        raise NotConnected(
            _("Slack was not connected. Slack says: %(value)s.") % {"value": error[:100] or "nothing"}, team=team
        )
    try:
        installed = questions.installation(code, redirect_uri=return_address())
        identity = questions.whose(installed.token)
    except SlackRefused as refused:
        raise NotConnected(_("Slack was not connected. %(refused)s") % {"refused": refused}, team=team) from refused
    workspace = workspaces.keep(team, identity, token=installed.token, by=by, at=at)
    try:
        return Connected(workspace, _channel(workspace, installed, by=by))
    except ValidationError as problem:
        return Connected(workspace, None, note=" ".join(problem.messages))


def _begun(state: str, *, by: User, session: SessionBase) -> Team:
    """The team that the state was made for, if all about it is right."""
    try:
        said: dict[str, Any] = signing.loads(state, salt=SALT)
    except signing.BadSignature as error:
        raise NotConnected(
            _("Slack was not connected: the address that you came back with is not complete.")
        ) from error
    team = Team.objects.visible_to(by).filter(pk=said["team"]).first()
    if said["user"] != by.pk:
        raise NotConnected(_("Slack was not connected: somebody else began it. Begin anew."), team=team)
    try:
        signing.loads(state, salt=SALT, max_age=LIFETIME)
    except signing.SignatureExpired as error:
        sentence = _("Slack was not connected: it was begun more than %(value)s minutes ago. Begin anew.") % {
            "value": LIFETIME // 60
        }
        raise NotConnected(sentence, team=team) from error
    begun = session.get(BEGUN, [])
    if said["nonce"] not in begun:
        raise NotConnected(
            _("Slack was not connected: it was begun in another browser, or is done already. Begin anew."), team=team
        )
    session[BEGUN] = [nonce for nonce in begun if nonce != said["nonce"]]
    if team is None:
        raise Http404(_("There is no such team any more."))
    return team


def _channel(workspace: SlackWorkspace, installed: Installation, *, by: User) -> SlackChannel:
    """The channel that was chosen in Slack. One that was installed before gets the new address of its webhook."""
    # Who chooses a conversation with one person gets their name, with a sign in front.
    name = re.sub(r"[\s#@/<>&:%?\\\x00-\x1f\x7f]+", "-", installed.channel).strip("-")[:80] or "channel"
    known = workspace.channels.select_related("team", "credential").filter(channel=name).first()
    if known is not None and known.kind == SlackKind.WEBHOOK:
        return channels.update(known, by=by, channel=name, webhook_url=installed.webhook_url)
    return channels.add_by_webhook(
        workspace.team,
        by=by,
        workspace=workspace.name,
        channel=name,
        webhook_url=installed.webhook_url,
        connection=workspace,
    )
