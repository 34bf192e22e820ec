"""Slack workspaces of a team: connected by a bot's token, which all channels of the workspace share (SL1)."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import RestrictedError
from django.http import Http404
from django.utils.translation import gettext as _

from automations import auditing, outcomes, unsealing
from automations.models import SlackChannel, SlackKind, SlackWorkspace
from automations.slack import credentials, listing, questions
from automations.slack.listing import Listing
from automations.slack.questions import Identity, SlackRefused
from projects.access import Permission, require
from projects.audit import Deed
from projects.models import Team, User
from secrets_vault import secrets


class WorkspaceInUse(Exception):
    """Channels are reached through the workspace; `users` are their names."""

    def __init__(self, workspace: SlackWorkspace, users: list[str]) -> None:
        self.users = users
        super().__init__(
            _("%(workspace)s is used by %(users)s. Delete those channels first.")
            % {"workspace": workspace, "users": ", ".join(users)}
        )


def connect(team: Team, *, by: User, token: str, at: datetime) -> SlackWorkspace:
    """Keep a bot's token, once Slack has said whose it is. A workspace that is connected already gets the new token.

    Asks Slack, so it is not to be called within a transaction.

    Raises:
        ValidationError: by field.
        Http404, PermissionDenied: the user may not.
    """
    require(by, Permission.EDIT_SETTINGS, team)
    return keep(team, _identity(token), token=token.strip(), by=by, at=at)


def rotate(workspace: SlackWorkspace, *, by: User, token: str, at: datetime) -> SlackWorkspace:
    """Replace the token of all channels of the workspace.

    Asks Slack, so it is not to be called within a transaction.

    Raises:
        ValidationError: by field; also where the token is of another workspace.
        Http404, PermissionDenied: the user may not; or it was disconnected meanwhile.
    """
    require(by, Permission.EDIT_SETTINGS, workspace.team)
    identity = _identity(token)
    if workspace.workspace_id and workspace.workspace_id != identity.workspace_id:
        raise ValidationError(
            {
                "token": _("This token is of %(workspace)s, and not of %(workspace2)s.")
                % {"workspace": identity.workspace, "workspace2": workspace}
            }
        )
    with transaction.atomic():
        _renew(workspace, identity, token=token.strip(), by=by, at=at)
    return workspace


def keep(team: Team, identity: Identity, *, token: str, by: User, at: datetime) -> SlackWorkspace:
    """Keep what is known to be the token of this workspace, whoever found out."""
    try:
        with transaction.atomic():
            found = _of(team, identity)
            if found is not None:
                _renew(found, identity, token=token, by=by, at=at)
                return found
            made = SlackWorkspace.objects.create(
                team=team,
                workspace_id=identity.workspace_id,
                name=identity.workspace,
                bot_name=identity.bot,
                credential=credentials.seal(team, token, named_after=f"BOT_{identity.workspace}", by=by),
                created_by=by,
            )
            auditing.record_workspace(made, Deed.CREATED, by=by)
            return made
    except IntegrityError:
        # Somebody connected the same workspace at the same moment: theirs gets this token.
        with transaction.atomic():
            if (found := _of(team, identity)) is None:
                raise
            _renew(found, identity, token=token, by=by, at=at)
            return found


def disconnect(workspace: SlackWorkspace, *, by: User) -> None:
    """Forget a workspace through which no channel is reached, and its token.

    Raises:
        WorkspaceInUse: with the list of its channels.
        Http404, PermissionDenied: the user may not.
    """
    require(by, Permission.EDIT_SETTINGS, workspace.team)
    credential = workspace.credential
    with transaction.atomic():
        try:
            workspace.delete()
        except RestrictedError as error:
            raise WorkspaceInUse(workspace, sorted(str(user) for user in error.restricted_objects)) from error
        auditing.record_workspace(workspace, Deed.DELETED, by=by)
        credentials.forget(credential, by=by)


def channels_listed(workspace: SlackWorkspace, *, anew: bool = False) -> Listing:
    """The channels of the workspace as Slack lists them; `anew` asks again. Where only a token was kept, Slack is asked
    for the name on this occasion.

    Raises:
        SealedForever: its token cannot be opened.
    """
    # Why it cannot be asked is for the list to say.
    with suppress(SlackRefused):
        _learn(workspace)
    return listing.read(workspace, anew=anew)


def _learn(workspace: SlackWorkspace) -> None:
    if workspace.workspace_id:
        return
    identity = questions.whose(unsealing.unseal_workspace(workspace).access_token)
    if _of(workspace.team, identity) is None:
        with transaction.atomic():
            _rename(workspace, identity)


def _identity(token: str) -> Identity:
    if not credentials.TOKEN_SHAPE.match(token.strip()):
        raise ValidationError({"token": credentials.NOT_A_TOKEN})
    try:
        return questions.whose(token.strip())
    except SlackRefused as error:
        raise ValidationError({"token": str(error)}) from error


def _of(team: Team, identity: Identity) -> SlackWorkspace | None:
    rows = SlackWorkspace.objects.select_related("team", "credential").filter(team=team)
    return rows.filter(workspace_id=identity.workspace_id).first()


def _renew(workspace: SlackWorkspace, identity: Identity, *, token: str, by: User, at: datetime) -> None:
    """The new token, in the one place where all channels find it; what was wrong with the old one is over."""
    if not SlackWorkspace.objects.select_for_update().filter(pk=workspace.pk).exists():
        raise Http404(_("%(workspace)s was disconnected meanwhile.") % {"workspace": workspace})
    secrets.rotate(workspace.credential, value=token, by=by, at=at)
    _rename(workspace, identity)
    for channel in workspace.channels.select_related("team").filter(kind=SlackKind.BOT, failing_since__isnull=False):
        outcomes.forgive(channel, by=by, at=at)
    listing.forget(workspace)


def _rename(workspace: SlackWorkspace, identity: Identity) -> None:
    workspace.workspace_id, workspace.name = identity.workspace_id, identity.workspace
    workspace.bot_name = identity.bot or workspace.bot_name
    workspace.save(update_fields=["workspace_id", "name", "bot_name"])
    SlackChannel.objects.filter(connection=workspace).update(workspace=workspace.name)
