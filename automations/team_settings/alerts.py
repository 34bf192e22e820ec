"""Switches of a team's settings that tell of runs and of alerts: each makes, enables or disables an automation."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from automations import readymade
from automations.access import require_edit
from automations.models import SlackChannel, Webhook
from automations.readymade import Switch
from automations.team_settings.page import address
from projects.access import team_for
from projects.models import Team
from projects.pages import Dialog, PageRequest, ask, leave, posted


class AlertForm(forms.Form):
    """Where an alert is sent: one of the team's webhooks or Slack channels."""

    target = forms.ChoiceField(
        label=gettext_lazy("Send it to"),
        error_messages={"required": gettext_lazy("Choose where it is sent.")},
        help_text=gettext_lazy("The message can be changed afterwards, as of any automation."),
    )

    def __init__(self, data: Any = None, *, team: Team) -> None:
        super().__init__(data)
        self.targets: dict[str, SlackChannel | Webhook] = {
            f"slack-{channel.pk}": channel for channel in team.slack_channels.order_by("channel")
        } | {f"webhook-{webhook.pk}": webhook for webhook in team.webhooks.order_by("name")}
        groups: dict[str, list[tuple[str, str]]] = {"slack": [], "webhook": []}
        for key, target in self.targets.items():
            groups[key.partition("-")[0]].append((key, str(target)))
        labels = {"slack": _("Slack channels"), "webhook": _("Webhooks")}
        field = self.fields["target"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(labels[kind], choices) for kind, choices in groups.items() if choices]

    @property
    def target_chosen(self) -> SlackChannel | Webhook:
        """What `target` names."""
        return self.targets[self.cleaned_data["target"]]


@login_required
@require_http_methods(["GET", "POST"])
def turn_on(request: PageRequest, team: str, alert: str) -> HttpResponse:
    """Dialog: where to send it; without a question where there is an automation to enable."""
    found, switch = _switch(request, team, alert)
    name = switch.alert.name
    if request.method == "POST" and switch.automations:
        automation = readymade.switch_on(switch, by=request.user)
        messages.success(request, _("“%(name)s” is enabled.") % {"name": automation})
        return leave(request, address(found, "alerts"))
    form = AlertForm(posted(request), team=found)

    def act() -> str:
        automation = readymade.create(found, switch.alert, target=form.target_chosen, by=request.user)
        messages.success(request, _("Automation “%(name)s” created.") % {"name": automation.name})
        return address(found, "alerts")

    url = reverse("team_settings_alert_on", args=[team, alert])
    if not form.targets:
        text = _("There is nothing to send it to yet: add a Slack channel or a webhook first.")
        return Dialog(title=str(name), url=url, action="", text=text).shown(request)
    text = _("An automation of the team is made that you find among its automations.")
    dialog = Dialog(title=str(name), url=url, action=_("Turn on"), form=form, text=f"{switch.alert.about} {text}")
    return ask(request, dialog, act)


@login_required
@require_POST
def turn_off(request: PageRequest, team: str, alert: str) -> HttpResponse:
    """Button: nothing is sent any more. The automations stay, disabled."""
    found, switch = _switch(request, team, alert)
    count = readymade.switch_off(switch, by=request.user)
    said = ngettext("%(count)d automation is disabled.", "%(count)d automations are disabled.", count)
    messages.success(request, said % {"count": count})
    return leave(request, address(found, "alerts"))


def _switch(request: PageRequest, team: str, key: str) -> tuple[Team, Switch]:
    found = team_for(request.user, team)
    require_edit(request.user, found)
    switch = readymade.named(found, key)
    if switch is None:
        raise Http404(_("There is no alert “%(key)s”.") % {"key": key})
    return found, switch
