"""Dialogs of a team's settings that change and test its Slack channels. Credentials go in; none comes out."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from automations import retelling
from automations.access import SCOPES
from automations.models import SlackChannel
from automations.slack import channels
from automations.team_settings.forms import SlackChannelForm
from automations.team_settings.page import address, team_to_edit
from automations.webhooks import IntegrationInUse, TestIsRunning
from projects.conflicts import Guard
from projects.models import Team
from projects.pages import Dialog, PageRequest, ask, leave, posted


@login_required
@require_http_methods(["GET", "POST"])
def create(request: PageRequest, team: str) -> HttpResponse:
    """Dialog: a channel that is reached by an incoming webhook."""
    found = team_to_edit(request, team)
    form = SlackChannelForm(posted(request))

    def act() -> str:
        channel = channels.add_by_webhook(found, by=request.user, **form.cleaned_data)
        messages.success(request, _("Slack channel %(channel)s added.") % {"channel": channel})
        return address(found, "slack")

    url = reverse("team_settings_add_slack_channel", args=[team])
    return ask(request, Dialog(title=_("Add an incoming webhook"), url=url, action=_("Add channel"), form=form), act)


@login_required
@require_http_methods(["GET", "POST"])
def edit(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: another name, another id, a new address."""
    found = team_to_edit(request, team)
    channel = _channel(found, pk)
    title = _("Edit Slack channel %(channel)s") % {"channel": channel}
    form = SlackChannelForm(posted(request), channel=channel)

    def act() -> str:
        channels.update(channel, by=request.user, **form.cleaned_data)
        messages.success(request, _("Slack channel %(channel)s saved.") % {"channel": channel})
        return address(found, "slack")

    url = reverse("team_settings_edit_slack_channel", args=[team, pk])
    rows = SlackChannel.objects.filter(team=found, pk=pk)
    guard = Guard(rows, saved=lambda: SlackChannelForm.values_of(_channel(found, pk)))
    return ask(request, Dialog(title=title, url=url, action=_("Save channel"), form=form, guard=guard), act)


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
        (messages.success if answer.succeeded else messages.error)(request, retelling.told(answer.sentence))
    return leave(request, address(found, "slack"))


@login_required
@require_http_methods(["GET", "POST"])
def delete(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: whether to delete it, or what prevents that (SE3)."""
    found = team_to_edit(request, team)
    channel = _channel(found, pk)
    url = reverse("team_settings_delete_slack_channel", args=[team, pk])
    title = _("Delete Slack channel %(channel)s?") % {"channel": channel}

    def act() -> str:
        try:
            channels.delete(channel, by=request.user)
        except IntegrationInUse as error:
            raise ValidationError(str(error)) from error
        messages.success(request, _("Slack channel %(channel)s deleted.") % {"channel": channel})
        return address(found, "slack")

    automations = channel.automations.select_related(*SCOPES)
    users = sorted(f"{automation.name} ({automation.scope})" for automation in automations)
    if users and request.method != "POST":
        text = _("It cannot be deleted while automations post to it. Change or delete these first:")
        return Dialog(title=title, url=url, action="", text=text, items=users).shown(request)
    dialog = Dialog(
        title=title,
        url=url,
        action=_("Delete channel"),
        form=forms.Form(posted(request)),
        text=_what_goes(channel),
        danger=True,
    )
    return ask(request, dialog, act)


def _what_goes(channel: SlackChannel) -> str:
    connection = channel.connection
    if connection is None:
        return _("Nothing posts to it. What %(channel)s is reached with is deleted as well.") % {"channel": channel}
    if connection.channels.exclude(pk=channel.pk).exists():
        return _("Nothing posts to it. %(connection)s stays connected, for its other channels.") % {
            "connection": connection
        }
    return _("Nothing posts to it. It is the last channel of %(connection)s, whose bot token is deleted as well.") % {
        "connection": connection
    }


def _channel(team: Team, pk: int) -> SlackChannel:
    channel = SlackChannel.objects.select_related("team", "credential", "connection").filter(team=team, pk=pk).first()
    if channel is None:
        raise Http404(_("%(team)s has no such Slack channel.") % {"team": team})
    return channel
