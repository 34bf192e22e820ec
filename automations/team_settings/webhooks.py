"""Dialogs of a team's settings that change and test its webhooks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from automations import breaker, webhooks
from automations.access import SCOPES
from automations.models import Webhook
from automations.presets import PRESETS, Preset, preset_named
from automations.team_settings.forms import TestPayload, WebhookForm
from automations.team_settings.page import address, team_to_edit
from projects.conflicts import Guard
from projects.models import Team
from projects.pages import Dialog, PageRequest, ask, leave, posted, put_errors


@login_required
@require_http_methods(["GET", "POST"])
def create(request: PageRequest, team: str) -> HttpResponse:
    """Dialog: an endpoint that automations may call."""
    found = team_to_edit(request, team)
    preset = preset_named(request.GET.get("preset", ""))
    form = WebhookForm(posted(request), team=found, preset=preset, initial=_begun(request, preset))
    from_home = request.GET.get("then") == "home"

    def act() -> str:
        webhook = webhooks.create(found, by=request.user, **form.cleaned_data)
        messages.success(request, _("Webhook %(name)s created.") % {"name": webhook.name})
        return reverse("home") if from_home else address(found, "webhooks")

    url = reverse("team_settings_create_webhook", args=[team])
    dialog = Dialog(
        title=_("Create a webhook"),
        url=f"{url}?then=home" if from_home else url,
        action=_("Create webhook"),
        form=form,
        body="automations/settings/_new_webhook.html",
        extra={"presets": PRESETS, "preset": preset},
    )
    return ask(request, dialog, act)


@login_required
@require_http_methods(["GET", "POST"])
def edit(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: another URL, other credentials."""
    found = team_to_edit(request, team)
    webhook = _webhook(found, pk)
    form = WebhookForm(posted(request), team=found, initial=WebhookForm.values_of(webhook))
    title = _("Edit webhook %(name)s") % {"name": webhook.name}

    def act() -> str:
        webhooks.update(webhook, by=request.user, **form.cleaned_data)
        messages.success(request, _("Webhook %(name)s saved.") % {"name": webhook.name})
        return address(found, "webhooks")

    url = reverse("team_settings_edit_webhook", args=[team, pk])
    guard = Guard(Webhook.objects.filter(team=found, pk=pk), saved=lambda: WebhookForm.values_of(_webhook(found, pk)))
    return ask(request, Dialog(title=title, url=url, action=_("Save webhook"), form=form, guard=guard), act)


@login_required
@require_http_methods(["GET", "POST"])
def delete(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: whether to delete it, or what prevents that (SE3)."""
    found = team_to_edit(request, team)
    webhook = _webhook(found, pk)
    url = reverse("team_settings_delete_webhook", args=[team, pk])
    title = _("Delete webhook %(name)s?") % {"name": webhook.name}

    def act() -> str:
        try:
            webhooks.delete(webhook, by=request.user)
        except webhooks.IntegrationInUse as error:
            raise ValidationError(str(error)) from error
        messages.success(request, _("Webhook %(name)s deleted.") % {"name": webhook.name})
        return address(found, "webhooks")

    users = sorted(f"{automation.name} ({automation.scope})" for automation in _users(webhook))
    if users and request.method != "POST":
        text = _("It cannot be deleted while automations call it. Change or delete these first:")
        return Dialog(title=title, url=url, action="", text=text, items=users).shown(request)
    dialog = Dialog(
        title=title,
        url=url,
        action=_("Delete webhook"),
        form=forms.Form(posted(request)),
        text=_("Nothing calls it. %(url)s will no longer be offered to automations.") % {"url": webhook.url},
        danger=True,
    )
    return ask(request, dialog, act)


@login_required
@require_POST
def resume(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Button on a paused webhook."""
    found = team_to_edit(request, team)
    webhook = webhooks.resume(_webhook(found, pk), by=request.user)
    messages.success(request, _("Webhook %(name)s is called again.") % {"name": webhook.name})
    return leave(request, address(found, "webhooks"))


@login_required
@require_POST
def probe(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Button on a webhook with an open breaker: send the oldest of what is held now."""
    found = team_to_edit(request, team)
    webhook = breaker.try_now(_webhook(found, pk), by=request.user, at=timezone.now())
    messages.success(request, _("Webhook %(name)s is tried with the oldest of what is held.") % {"name": webhook.name})
    return leave(request, address(found, "webhooks"))


@login_required
@require_POST
def close_breaker(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Button on a webhook with an open breaker: send all that is held."""
    found = team_to_edit(request, team)
    webhook = _webhook(found, pk)
    released = breaker.close(webhook, by=request.user, at=timezone.now())
    told = ngettext(
        "The breaker of webhook %(name)s is closed; %(count)s held execution goes out now.",
        "The breaker of webhook %(name)s is closed; %(count)s held executions go out now.",
        released,
    )
    messages.success(request, told % {"name": webhook.name, "count": f"{released:,}"})
    return leave(request, address(found, "webhooks"))


@login_required
@require_http_methods(["GET", "POST"])
def test(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: send a payload with the real credentials, and see what came back (WH4)."""
    found = team_to_edit(request, team)
    webhook = _webhook(found, pk)
    form = TestPayload(posted(request))
    extra: dict[str, Any] = {"webhook": webhook}
    if request.method == "POST" and form.is_valid():
        try:
            extra["exchange"] = webhooks.test(webhook, payload=form.cleaned_data["payload"], by=request.user)
        except ValidationError as error:
            put_errors(form, error)
        except webhooks.TestIsRunning as error:
            form.add_error(None, str(error))
    return Dialog(
        title=_("Test webhook %(name)s") % {"name": webhook.name},
        url=reverse("team_settings_test_webhook", args=[team, pk]),
        action=_("Send test"),
        form=form,
        wide=True,
        body="automations/settings/_test.html",
        extra=extra,
    ).shown(request)


def _users(webhook: Webhook) -> Any:
    return webhook.automations.select_related(*SCOPES)


def _begun(request: PageRequest, preset: Preset | None) -> dict[str, Any]:
    """What a new webhook starts from: what was typed before a preset was chosen, and what the preset brings."""
    typed = {name: request.GET[name] for name in ("name", "url") if request.GET.get(name)}
    return typed | ({"headers": dict(preset.headers)} if preset else {})


def _webhook(team: Team, pk: int) -> Webhook:
    webhook = (
        Webhook.objects.select_related("team", "access_token", "secret")
        .prefetch_related("headers__secret")
        .filter(team=team, pk=pk)
        .first()
    )
    if webhook is None:
        raise Http404(_("%(team)s has no such webhook.") % {"team": team})
    return webhook
