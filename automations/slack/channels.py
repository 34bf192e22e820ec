"""Slack channels of a team: add, change, test, delete. Tokens and addresses of webhooks go in; none comes out (SL1)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import RestrictedError
from django.http import Http404
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from automations import auditing, http, outcomes, retelling
from automations.actions.base import ActionError
from automations.models import Severity, SlackChannel, SlackKind, SlackWorkspace
from automations.slack import calls, credentials, workspaces
from automations.slack.messages import Message
from automations.unsealing import Keyring
from automations.webhooks import IntegrationInUse, one_test_at_a_time
from projects import conflicts
from projects.access import Permission, require
from projects.audit import Deed
from projects.models import Team, User


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a test message, as a sentence."""

    succeeded: bool
    sentence: str


def add_by_bot(workspace: SlackWorkspace, *, by: User, channel: str, channel_id: str) -> SlackChannel:
    """Save a channel of a connected workspace that the team's automations may post to.

    Raises:
        ValidationError: by field.
        Http404, PermissionDenied: the user may not; or the workspace was disconnected meanwhile.
    """
    require(by, Permission.EDIT_SETTINGS, workspace.team)
    found = SlackChannel(
        team=workspace.team,
        connection=workspace,
        workspace=workspace.name,
        channel=_name(channel),
        kind=SlackKind.BOT,
        channel_id=channel_id.strip(),
        credential_id=workspace.credential_id,
        created_by=by,
    )
    _check(found)
    return _write(found, by=by)


def add_by_webhook(
    team: Team,
    *,
    by: User,
    workspace: str,
    channel: str,
    webhook_url: str,
    connection: SlackWorkspace | None = None,
) -> SlackChannel:
    """Save a channel that is reached by the address of an incoming webhook; `connection` is the workspace it came with.

    Raises:
        ValidationError: by field.
        Http404, PermissionDenied: the user may not.
    """
    require(by, Permission.EDIT_SETTINGS, team)
    found = SlackChannel(
        team=team,
        connection=connection,
        workspace=workspace.strip(),
        channel=_name(channel),
        kind=SlackKind.WEBHOOK,
        created_by=by,
    )
    _check(found, {"webhook_url": webhook_url.strip()})
    return _write(found, webhook_url.strip(), by=by)


def update(
    found: SlackChannel, *, by: User, channel: str, workspace: str = "", channel_id: str = "", webhook_url: str = ""
) -> SlackChannel:
    """Save a changed channel. Its kind stays what it is, and so does its webhook's address unless there is a new one. A
    bot's token is the workspace's, and so is the name of a workspace that is connected.

    Raises:
        ValidationError: by field.
        Http404, PermissionDenied: the user may not.
    """
    require(by, Permission.EDIT_SETTINGS, found.team)
    by_bot = found.kind == SlackKind.BOT
    if by_bot and webhook_url.strip():
        raise ValidationError({"webhook_url": _("This channel is reached by a bot token.")})
    found.channel = _name(channel)
    if found.connection_id is None:
        found.workspace = workspace.strip()
    if by_bot:
        found.channel_id = channel_id.strip()
    _check(found, {"webhook_url": webhook_url.strip()} if webhook_url.strip() else {})
    with transaction.atomic():
        outcomes.forgive(found, by=by, at=timezone.now())
        return _write(found, webhook_url.strip(), by=by)


def delete(found: SlackChannel, *, by: User) -> None:
    """Delete a channel that no automation posts to, and what it was reached with: its webhook's address, or the bot's
    token if it was the last channel of the workspace.

    Raises:
        IntegrationInUse: with the list of what posts to it.
        Http404, PermissionDenied: the user may not.
    """
    require(by, Permission.EDIT_SETTINGS, found.team)
    credential, workspace = found.credential, found.connection
    with transaction.atomic():
        if workspace is not None:
            # Of two that delete the last two channels at once, one has to see that there is none left.
            SlackWorkspace.objects.select_for_update().filter(pk=workspace.pk).first()
        try:
            with transaction.atomic():
                auditing.record_slack_channel(found, Deed.DELETED, by=by, before=auditing.of_slack_channel(found))
                found.delete()
        except RestrictedError as error:
            raise IntegrationInUse(found, sorted(str(user) for user in error.restricted_objects)) from error
        if found.kind == SlackKind.WEBHOOK or workspace is None:
            credentials.forget(credential, by=by)
        if workspace is not None and not workspace.channels.exists():
            workspaces.disconnect(workspace, by=by)


def _trial(found: SlackChannel, *, by: User) -> Message:
    told = {"user": by, "team": found.team}
    return Message(
        severity=Severity.INFO.value,
        title=_("A test from Team settings"),
        happened=_("%(user)s tries out this channel; automations of team %(team)s may post here.") % told,
        facts={_("Team"): str(found.team)},
        text="",
        links={},
    )


def test(found: SlackChannel, *, by: User, at: datetime) -> Answer:
    """Post a test message, along the path of a real one.

    Raises:
        TestIsRunning: another test has to end first.
        Http404, PermissionDenied: the user may not.
    """
    require(by, Permission.EDIT_SETTINGS, found.team)
    with translation.override(found.team.language):
        message = _trial(found, by=by)
    with one_test_at_a_time():
        try:
            keyring = Keyring(channels=[found])
            receipt = calls.compose(found, message, key=f"test_{uuid.uuid4().hex}", keyring=keyring).send()
        except ActionError as error:
            outcomes.note_test(found, error, at=at)
            return Answer(succeeded=False, sentence=error.message)
    outcomes.note_test(found, None, at=at)
    return Answer(succeeded=True, sentence=receipt.result)


def _name(channel: str) -> str:
    return channel.strip().removeprefix("#")


def _check(found: SlackChannel, given: Mapping[str, str] | None = None) -> None:
    """`given` is the webhook's new address, by the name of its field; nothing where the old one stays."""
    problems: dict[str, Any] = {}
    try:
        found.full_clean(
            exclude=["team", "connection", "credential", "created_by"],
            validate_unique=False,
            validate_constraints=False,
        )
    except ValidationError as error:
        problems |= error.message_dict
    if found.kind == SlackKind.BOT and not found.channel_id:
        problems["channel_id"] = _(
            "A bot posts by the channel's id, such as C0123456789: it is at the end of its details."
        )
    for name, value in (given or {}).items():
        if objection := http.objection(value):
            problems[name] = retelling.told(objection)
    if _is_taken(found):
        problems["channel"] = _taken(found)
    if problems:
        raise ValidationError(problems)


def _write(found: SlackChannel, webhook_url: str = "", *, by: User) -> SlackChannel:
    try:
        with transaction.atomic():
            before = auditing.of_slack_channel(_now(found)) if found.pk else {}
            old = found.credential if webhook_url and found.pk else None
            if webhook_url:
                found.credential = credentials.seal(found.team, webhook_url, named_after=found.channel, by=by)
            elif found.connection_id and not SlackWorkspace.objects.filter(pk=found.connection_id).exists():
                raise Http404(_("The workspace was disconnected meanwhile."))
            found.save()
            deed = Deed.CHANGED if before else Deed.CREATED
            after = auditing.of_slack_channel(found)
            auditing.record_slack_channel(found, deed, by=by, before=before, after=after)
            if old is not None:
                credentials.forget(old, by=by)
    except IntegrityError as error:
        # Somebody took the name between the look and the write.
        if _is_taken(found):
            raise ValidationError({"channel": _taken(found)}) from error
        raise
    return found


def _now(found: SlackChannel) -> SlackChannel:
    """The channel as it is, kept from being changed until the transaction ends."""
    held = conflicts.hold(SlackChannel.objects.select_related("credential", "team"), found.pk)
    if held is None:
        raise Http404(_("There is no Slack channel %(found)s any more.") % {"found": found})
    return held


def _is_taken(found: SlackChannel) -> bool:
    same = SlackChannel.objects.filter(team=found.team, channel=found.channel)
    return same.exclude(pk=found.pk).exists()


def _taken(found: SlackChannel) -> ValidationError:
    return ValidationError(
        _("%(team)s has a Slack channel %(found)s already.") % {"team": found.team, "found": found}, code="unique"
    )
