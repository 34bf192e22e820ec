"""Dialogs of a team's settings about the Slack workspaces it is connected to: a token is pasted once, and channels are
picked from Slack's list."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from automations.models import SlackWorkspace
from automations.slack import channels, listing, workspaces
from automations.slack.listing import Listing
from automations.slack.questions import Found
from automations.team_settings.forms import PLAIN
from automations.team_settings.page import address, team_to_edit
from automations.unsealing import SealedForever
from projects.models import Team
from projects.pages import Dialog, PageRequest, ask, leave, posted, put_errors


class TokenForm(forms.Form):
    token = forms.CharField(
        max_length=1_000,
        label=gettext_lazy("Bot token"),
        help_text=gettext_lazy(
            "Of a Slack app with the scopes chat:write, channels:read and groups:read. Never shown again."
        ),
        widget=forms.PasswordInput({**PLAIN, "placeholder": "xoxb-…"}),
    )


class ChannelOfWorkspaceForm(forms.Form):
    """A channel that was found in the list, or one that is not listed, by its id and name."""

    search = forms.CharField(label=gettext_lazy("Search"), required=False, max_length=100)
    picked = forms.CharField(label=gettext_lazy("Picked"), required=False, max_length=32)
    channel = forms.CharField(
        required=False,
        max_length=81,
        label=gettext_lazy("Name"),
        widget=forms.TextInput({**PLAIN, "placeholder": "#ml-alerts"}),
    )
    channel_id = forms.CharField(
        required=False,
        max_length=32,
        label=gettext_lazy("Channel id"),
        help_text=gettext_lazy("At the end of the channel's details in Slack."),
        widget=forms.TextInput({**PLAIN, "placeholder": "C0123456789"}),
    )

    def __init__(self, data: Any = None, *, listed: Listing | None = None) -> None:
        super().__init__(data)
        self.listed = listed
        self.found: Found | None = None

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if not cleaned.get("picked"):
            if not cleaned.get("channel") and not cleaned.get("channel_id"):
                raise ValidationError(_("Choose a channel of the list, or enter its id and name."))
            return cleaned
        self.found = self.listed.channel(cleaned["picked"]) if self.listed else None
        if self.found is None:
            raise ValidationError(
                _("Slack lists this channel no longer. Choose another one, or enter its id and name.")
            )
        return cleaned | {"channel": self.found.name, "channel_id": self.found.id}


@login_required
@require_http_methods(["GET", "POST"])
def connect(request: PageRequest, team: str) -> HttpResponse:
    """Dialog: the bot token of a Slack app."""
    found = team_to_edit(request, team)
    form = TokenForm(posted(request))
    dialog = Dialog(
        title=_("Connect a Slack workspace"),
        url=reverse("team_settings_connect_slack_workspace", args=[team]),
        action=_("Connect workspace"),
        form=form,
        text=_("Slack says which workspace the token is of. All its channels share it."),
    )
    if request.method == "POST" and form.is_valid():
        try:
            workspace = workspaces.connect(found, by=request.user, at=timezone.now(), **form.cleaned_data)
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(
                request,
                _("Connected to %(workspace)s. Add the channels that automations may post to.")
                % {"workspace": workspace},
            )
            return leave(request, address(found, "slack"))
    return dialog.shown(request)


@login_required
@require_http_methods(["GET", "POST"])
def rotate(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: another token for all channels of the workspace."""
    found = team_to_edit(request, team)
    workspace = _workspace(found, pk)
    form = TokenForm(posted(request))
    dialog = Dialog(
        title=_("Replace the bot token of %(workspace)s") % {"workspace": workspace},
        url=reverse("team_settings_rotate_slack_workspace", args=[team, pk]),
        action=_("Replace token"),
        form=form,
        text=_("From the next message on, all channels of the workspace are reached with the new one."),
    )
    if request.method == "POST" and form.is_valid():
        try:
            workspaces.rotate(workspace, by=request.user, at=timezone.now(), **form.cleaned_data)
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(request, _("The bot token of %(workspace)s was replaced.") % {"workspace": workspace})
            return leave(request, address(found, "slack"))
    return dialog.shown(request)


@login_required
@require_http_methods(["GET", "POST"])
def disconnect(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: whether to forget the workspace, or what prevents that (SE3)."""
    found = team_to_edit(request, team)
    workspace = _workspace(found, pk)
    url = reverse("team_settings_disconnect_slack_workspace", args=[team, pk])
    title = _("Disconnect %(workspace)s?") % {"workspace": workspace}

    def act() -> str:
        try:
            workspaces.disconnect(workspace, by=request.user)
        except workspaces.WorkspaceInUse as error:
            raise ValidationError(str(error)) from error
        messages.success(request, _("%(workspace)s disconnected.") % {"workspace": workspace})
        return address(found, "slack")

    users = [str(channel) for channel in workspace.channels.order_by("channel")]
    if users and request.method != "POST":
        text = _("It cannot be disconnected while it has channels. Delete these first:")
        return Dialog(title=title, url=url, action="", text=text, items=users).shown(request)
    dialog = Dialog(
        title=title,
        url=url,
        action=_("Disconnect"),
        form=forms.Form(posted(request)),
        text=_("No channel is reached through it. Its bot token is deleted."),
        danger=True,
    )
    return ask(request, dialog, act)


@login_required
@require_http_methods(["GET", "POST"])
def add_channel(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: a channel of the workspace, searched for in Slack's list."""
    found = team_to_edit(request, team)
    workspace = _workspace(found, pk)
    # The dialog opens at once, and the list comes when Slack has answered.
    shown = _listed(workspace, request.POST.get("search", "")) if not request.htmx or request.method == "POST" else {}
    form = ChannelOfWorkspaceForm(posted(request), listed=shown.get("listed"))

    def act() -> str:
        fields = {name: form.cleaned_data[name] for name in ("channel", "channel_id")}
        channel = channels.add_by_bot(workspace, by=request.user, **fields)
        _tell_added(request, workspace, str(channel), form.found)
        return address(found, "slack")

    dialog = Dialog(
        title=_("Add a channel of %(workspace)s") % {"workspace": workspace},
        url=reverse("team_settings_add_channel_of_slack_workspace", args=[team, pk]),
        action=_("Add channel"),
        form=form,
        body="automations/settings/_pick_channel.html",
        extra={"team": found, "workspace": workspace, "picked": request.POST.get("picked"), **shown},
    )
    return ask(request, dialog, act)


@login_required
@require_safe
def search(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Part of the dialog: the channels that fit what was typed so far."""
    workspace = _workspace(team_to_edit(request, team), pk)
    context = _listed(workspace, request.GET.get("search", ""), anew=bool(request.GET.get("anew")))
    return render(
        request,
        "automations/settings/_found_channels.html",
        {**context, "team": workspace.team, "workspace": workspace, "picked": request.GET.get("picked")},
    )


def _listed(workspace: SlackWorkspace, words: str, *, anew: bool = False) -> dict[str, Any]:
    try:
        listed = workspaces.channels_listed(workspace, anew=anew)
    except SealedForever as error:
        listed = Listing([], complete=False, problem=str(error))
    found = listed.search(words)
    return {
        "listed": listed,
        "found": found[: listing.MOST_SHOWN],
        "more": max(len(found) - listing.MOST_SHOWN, 0),
        "added": set(workspace.channels.values_list("channel_id", flat=True)),
    }


def _tell_added(request: PageRequest, workspace: SlackWorkspace, channel: str, found: Found | None) -> None:
    if found is None or found.member:
        messages.success(request, _("Slack channel %(channel)s added.") % {"channel": channel})
        return
    invite = f"/invite @{workspace.bot_name}" if workspace.bot_name else "/invite"
    messages.warning(
        request,
        _("Slack channel %(channel)s added. The bot is not in it: write “%(invite)s” there, or nothing arrives.")
        % {"channel": channel, "invite": invite},
    )


def _workspace(team: Team, pk: int) -> SlackWorkspace:
    found = SlackWorkspace.objects.select_related("team", "credential").filter(team=team, pk=pk).first()
    if found is None:
        raise Http404(_("%(team)s is not connected to this Slack workspace.") % {"team": team})
    return found
