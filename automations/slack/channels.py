"""Slack channels of a team: add, change, test, delete. Tokens and addresses of webhooks go in; none comes out (SL1)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import RestrictedError

from automations import http
from automations.actions.base import ActionError
from automations.models import ReasonCode, Severity, SlackChannel, SlackKind
from automations.slack import calls
from automations.slack.messages import Message
from automations.webhooks import IntegrationInUse, one_test_at_a_time
from projects.access import Permission, require
from projects.models import Team, User
from secrets_vault import secrets
from secrets_vault.models import Secret

TOKEN_SHAPE = re.compile(r"\Axox[a-z]?[.-][\x21-\x7e]{4,}\Z|\Axoxe\.[\x21-\x7e]{4,}\Z")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a test message, as a sentence."""

    succeeded: bool
    sentence: str


def create(
    team: Team,
    *,
    by: User,
    workspace: str,
    channel: str,
    token: str = "",
    channel_id: str = "",
    webhook_url: str = "",
) -> SlackChannel:
    """Save a channel the team's automations may post to: with a bot's token and the channel's id, or with an incoming
    webhook's address.

    Raises:
        ValidationError: by field.
        Http404, PermissionDenied: the user may not.
    """
    require(by, Permission.EDIT_SETTINGS, team)
    kind = SlackKind.WEBHOOK if webhook_url.strip() else SlackKind.BOT
    found = SlackChannel(
        team=team,
        workspace=workspace.strip(),
        channel=channel.strip().removeprefix("#"),
        kind=kind,
        channel_id="" if kind == SlackKind.WEBHOOK else channel_id.strip(),
        created_by=by,
    )
    if token.strip() and webhook_url.strip():
        raise ValidationError({"webhook_url": "Give a bot token or an incoming webhook, not both."})
    _check(found, {"webhook_url": webhook_url.strip()} if kind == SlackKind.WEBHOOK else {"token": token.strip()})
    return _write(found, webhook_url.strip() or token.strip(), by=by)


def update(
    found: SlackChannel,
    *,
    by: User,
    workspace: str,
    channel: str,
    channel_id: str = "",
    token: str = "",
    webhook_url: str = "",
) -> SlackChannel:
    """Save a changed channel. Without a new token or address, the one it has stays; its kind stays what it is.

    Raises:
        ValidationError: by field.
        Http404, PermissionDenied: the user may not.
    """
    require(by, Permission.EDIT_SETTINGS, found.team)
    foreign, own = ("token", webhook_url) if found.kind == SlackKind.WEBHOOK else ("webhook_url", token)
    if {"token": token, "webhook_url": webhook_url}[foreign].strip():
        raise ValidationError({foreign: f"This channel is reached by its {found.get_kind_display().lower()}."})
    found.workspace, found.channel = workspace.strip(), channel.strip().removeprefix("#")
    if found.kind == SlackKind.BOT:
        found.channel_id = channel_id.strip()
    name = "webhook_url" if found.kind == SlackKind.WEBHOOK else "token"
    _check(found, {name: own.strip()} if own.strip() else {})
    found.last_error, found.failed_at = "", None
    return _write(found, own.strip(), by=by)


def delete(found: SlackChannel, *, by: User) -> None:
    """Delete a channel that no automation posts to, and what it was reached with.

    Raises:
        IntegrationInUse: with the list of what posts to it.
        Http404, PermissionDenied: the user may not.
    """
    require(by, Permission.EDIT_SETTINGS, found.team)
    credential = found.credential
    try:
        with transaction.atomic():
            found.delete()
    except RestrictedError as error:
        raise IntegrationInUse(found, sorted(str(user) for user in error.restricted_objects)) from error
    try:
        secrets.delete(credential)
    except secrets.SecretInUse:
        return  # a webhook uses it as well


def test(found: SlackChannel, *, by: User, at: datetime) -> Answer:
    """Post a test message, along the path of a real one.

    Raises:
        TestIsRunning: another test has to end first.
        Http404, PermissionDenied: the user may not.
    """
    require(by, Permission.EDIT_SETTINGS, found.team)
    message = Message(
        severity=Severity.INFO.value,
        title="A test from Team settings",
        happened=f"{by} tries out this channel; automations of team {found.team} may post here.",
        facts={"Team": str(found.team)},
        text="",
        links={},
    )
    with one_test_at_a_time():
        try:
            receipt = calls.post(found, message, key=f"test_{uuid.uuid4().hex}")
        except ActionError as error:
            note_outcome(found, error, at=at)
            return Answer(succeeded=False, sentence=error.message)
    note_outcome(found, None, at=at)
    return Answer(succeeded=True, sentence=receipt.result)


def note_outcome(found: SlackChannel, error: ActionError | None, *, at: datetime) -> None:
    """Say on the integration that an admin has to put it right, or that it works again (SL3)."""
    row = SlackChannel.objects.filter(pk=found.pk)
    if error is None:
        row.filter(failed_at__isnull=False).update(last_error="", failed_at=None)
    elif error.code == ReasonCode.INTEGRATION_BROKEN:
        row.update(last_error=error.message[:255], failed_at=at)


def _check(found: SlackChannel, given: Mapping[str, str]) -> None:
    """`given` is the new token or address, by the name of its field; empty where the old one stays."""
    problems: dict[str, Any] = {}
    try:
        found.full_clean(
            exclude=["team", "credential", "created_by"], validate_unique=False, validate_constraints=False
        )
    except ValidationError as error:
        problems |= error.message_dict
    if found.kind == SlackKind.BOT and not found.channel_id:
        problems["channel_id"] = (
            "A bot posts by the channel's id, such as C0123456789: it is at the end of its details."
        )
    for name, value in given.items():
        if name == "token" and not TOKEN_SHAPE.match(value):
            problems[name] = "Paste the bot token of your Slack app; it begins with xoxb-."
        elif name == "webhook_url" and (objection := http.objection(value)):
            problems[name] = objection
    if _is_taken(found):
        problems["channel"] = f"{found.team} has a Slack channel {found} already."
    if problems:
        raise ValidationError(problems)


def _write(found: SlackChannel, credential: str, *, by: User) -> SlackChannel:
    try:
        with transaction.atomic():
            if credential:
                _seal(found, credential, by=by)
            found.save()
    except IntegrityError as error:
        # Somebody took the name between the look and the write.
        if _is_taken(found):
            raise ValidationError({"channel": f"{found.team} has a Slack channel {found} already."}) from error
        raise
    return found


def _seal(found: SlackChannel, value: str, *, by: User) -> None:
    """Keep the credential as a secret of the team, under a name that says what it is for."""
    stem = "SLACK_" + (re.sub(r"[^A-Z0-9]+", "_", found.channel.upper()).strip("_") or "CHANNEL")[:40]
    taken = set(Secret.objects.filter(team=found.team, name__startswith=stem).values_list("name", flat=True))
    name = next(name for number in range(1, len(taken) + 2) if (name := _numbered(stem, number)) not in taken)
    old = found.credential if found.pk else None
    found.credential = secrets.create(found.team, name=name, value=value, by=by)
    if old is not None:
        found.save(update_fields=["credential"])
        try:
            secrets.delete(old)
        except secrets.SecretInUse:
            return  # a webhook uses it as well


def _numbered(stem: str, number: int) -> str:
    return stem if number == 1 else f"{stem}_{number}"


def _is_taken(found: SlackChannel) -> bool:
    same = SlackChannel.objects.filter(team=found.team, channel=found.channel)
    return same.exclude(pk=found.pk).exists()
