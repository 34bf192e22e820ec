"""Dialog of a team's settings that says how much a Slack channel takes, and who spends it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from automations import digests
from automations.models import SlackChannel
from automations.quiethours import DAYS
from automations.slack import limits
from automations.team_settings.page import address, team_to_edit
from projects.conflicts import Guard
from projects.pages import Dialog, PageRequest, ask, posted

WEEKDAYS = range(5)


class LimitsForm(forms.Form):
    """Fields of `limits.Limits`."""

    hourly_budget = forms.IntegerField(
        required=False,
        min_value=1,
        label=gettext_lazy("Messages an hour"),
        help_text=gettext_lazy("At most so many in any hour; the surplus comes in one digest. Empty: no limit."),
    )
    quiet_from = forms.TimeField(
        required=False, label=gettext_lazy("Quiet from"), widget=forms.TimeInput({"type": "time"}, format="%H:%M")
    )
    quiet_until = forms.TimeField(
        required=False,
        label=gettext_lazy("Quiet until"),
        help_text=gettext_lazy(
            "The next day if that is earlier. What comes meanwhile is sent in one digest at the end."
        ),
        widget=forms.TimeInput({"type": "time"}, format="%H:%M"),
    )
    quiet_zone = forms.CharField(
        required=False,
        max_length=64,
        label=gettext_lazy("Time zone"),
        widget=forms.TextInput({"list": "time-zones", "autocomplete": "off", "spellcheck": "false"}),
    )
    quiet_days = forms.TypedMultipleChoiceField(
        required=False,
        coerce=int,
        label=gettext_lazy("On the nights and days that begin on"),
        choices=[(number, gettext_lazy(day)) for number, day in enumerate(DAYS)],
        widget=forms.CheckboxSelectMultiple,
    )
    errors_pass_quiet_hours = forms.BooleanField(
        required=False, label=gettext_lazy("Let messages of severity ERROR through at any time")
    )

    def __init__(self, data: Any = None, *, channel: SlackChannel) -> None:
        now = asdict(limits.limits_of(channel))
        if channel.quiet_from is None:
            now |= {"quiet_zone": settings.TIME_ZONE, "quiet_days": list(WEEKDAYS)}
        super().__init__(data, initial=now)


@login_required
@require_http_methods(["GET", "POST"])
def edit(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: how many messages an hour, and when none."""
    found = team_to_edit(request, team)
    rows = SlackChannel.objects.filter(team=found, pk=pk)
    channel = rows.select_related("team").first()
    if channel is None:
        raise Http404(_("%(found)s has no such Slack channel.") % {"found": found})
    now = timezone.now()
    form = LimitsForm(posted(request), channel=channel)

    def act() -> str:
        limits.set_limits(channel, limits.Limits(**form.cleaned_data), by=request.user, at=now)
        messages.success(request, _("Limits of %(channel)s saved.") % {"channel": channel})
        return address(found, "slack")

    extra = {
        "channel": channel,
        "zones": limits.zone_names(),
        "spent": digests.spent(channel, at=now),
        "spenders": limits.spenders(channel, reader=request.user, at=now),
    }
    dialog = Dialog(
        title=_("Limits of %(channel)s") % {"channel": channel},
        url=reverse("team_settings_limit_slack_channel", args=[team, pk]),
        action=_("Save limits"),
        form=form,
        wide=True,
        body="automations/settings/_limits.html",
        extra=extra,
        guard=Guard(rows, saved=lambda: asdict(limits.limits_of(rows.get()))),
    )
    return ask(request, dialog, act)
