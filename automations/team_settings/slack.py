"""Dialogs of a team's settings that change and test its Slack channels. Credentials go in; none comes out."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from automations.access import SCOPES
from automations.models import SlackChannel
from automations.slack import channels
from automations.team_settings.forms import SlackChannelForm
from automations.team_settings.page import address, team_to_edit
from automations.webhooks import IntegrationInUse, TestIsRunning
from projects.models import Team
from projects.pages import Dialog, PageRequest, ask, leave, posted


@login_required
@require_http_methods(["GET", "POST"])
def create(request: PageRequest, team: str) -> HttpResponse:
    """Dialog: a channel that automations may post to."""
    found = team_to_edit(request, team)
    form = SlackChannelForm(posted(request))

    def act() -> str:
        channel = channels.create(found, by=request.user, **form.cleaned_data)
        messages.success(request, f"Slack channel {channel} added.")
        return address(found, "slack")

    url = reverse("team_settings_add_slack_channel", args=[team])
    return ask(request, Dialog(title="Add a Slack channel", url=url, action="Add channel", form=form), act)


@login_required
@require_http_methods(["GET", "POST"])
def edit(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: another name, another id, a new token or address."""
    found = team_to_edit(request, team)
    channel = _channel(found, pk)
    title = f"Edit Slack channel {channel}"
    form = SlackChannelForm(posted(request), channel=channel)

    def act() -> str:
        channels.update(channel, by=request.user, **form.cleaned_data)
        messages.success(request, f"Slack channel {channel} saved.")
        return address(found, "slack")

    url = reverse("team_settings_edit_slack_channel", args=[team, pk])
    return ask(request, Dialog(title=title, url=url, action="Save channel", form=form), act)


@login_required
@require_POST
def test(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Button: post a test message, and say what came of it."""
    found = team_to_edit(request, team)
    try:
        answer = channels.test(_channel(found, pk), by=request.user, at=timezone.now())
    except TestIsRunning as error:
        messages.error(request, str(error))
    else:
        (messages.success if answer.succeeded else messages.error)(request, answer.sentence)
    return leave(request, address(found, "slack"))


@login_required
@require_http_methods(["GET", "POST"])
def delete(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: whether to delete it, or what prevents that (SE3)."""
    found = team_to_edit(request, team)
    channel = _channel(found, pk)
    url = reverse("team_settings_delete_slack_channel", args=[team, pk])
    title = f"Delete Slack channel {channel}?"

    def act() -> str:
        try:
            channels.delete(channel, by=request.user)
        except IntegrationInUse as error:
            raise ValidationError(str(error)) from error
        messages.success(request, f"Slack channel {channel} deleted.")
        return address(found, "slack")

    automations = channel.automations.select_related(*SCOPES)
    users = sorted(f"{automation.name} ({automation.scope})" for automation in automations)
    if users and request.method != "POST":
        text = "It cannot be deleted while automations post to it. Change or delete these first:"
        return Dialog(title=title, url=url, action="", text=text, items=users).shown(request)
    dialog = Dialog(
        title=title,
        url=url,
        action="Delete channel",
        form=forms.Form(posted(request)),
        text=f"Nothing posts to it. What {channel} is reached with is deleted as well.",
        danger=True,
    )
    return ask(request, dialog, act)


def _channel(team: Team, pk: int) -> SlackChannel:
    channel = SlackChannel.objects.select_related("team", "credential").filter(team=team, pk=pk).first()
    if channel is None:
        raise Http404(f"{team} has no such Slack channel.")
    return channel
