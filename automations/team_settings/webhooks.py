"""Dialogs of a team's settings that change and test its webhooks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from automations import webhooks
from automations.access import SCOPES
from automations.models import Webhook
from automations.team_settings.forms import TestPayload, WebhookForm
from automations.team_settings.page import address, team_to_edit
from projects.models import Team
from projects.pages import Dialog, PageRequest, ask, leave, posted, put_errors


@login_required
@require_http_methods(["GET", "POST"])
def create(request: PageRequest, team: str) -> HttpResponse:
    """Dialog: an endpoint that automations may call."""
    found = team_to_edit(request, team)
    form = WebhookForm(posted(request), team=found)

    def act() -> str:
        webhook = webhooks.create(found, by=request.user, **form.cleaned_data)
        messages.success(request, f"Webhook {webhook.name} created.")
        return address(found, "webhooks")

    url = reverse("team_settings_create_webhook", args=[team])
    return ask(request, Dialog(title="Create a webhook", url=url, action="Create webhook", form=form), act)


@login_required
@require_http_methods(["GET", "POST"])
def edit(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: another URL, other credentials."""
    found = team_to_edit(request, team)
    webhook = _webhook(found, pk)
    form = WebhookForm(posted(request), team=found, initial=WebhookForm.values_of(webhook))
    title = f"Edit webhook {webhook.name}"

    def act() -> str:
        webhooks.update(webhook, by=request.user, **form.cleaned_data)
        messages.success(request, f"Webhook {webhook.name} saved.")
        return address(found, "webhooks")

    url = reverse("team_settings_edit_webhook", args=[team, pk])
    return ask(request, Dialog(title=title, url=url, action="Save webhook", form=form), act)


@login_required
@require_http_methods(["GET", "POST"])
def delete(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: whether to delete it, or what prevents that (SE3)."""
    found = team_to_edit(request, team)
    webhook = _webhook(found, pk)
    url = reverse("team_settings_delete_webhook", args=[team, pk])
    title = f"Delete webhook {webhook.name}?"

    def act() -> str:
        try:
            webhooks.delete(webhook, by=request.user)
        except webhooks.IntegrationInUse as error:
            raise ValidationError(str(error)) from error
        messages.success(request, f"Webhook {webhook.name} deleted.")
        return address(found, "webhooks")

    users = sorted(f"{automation.name} ({automation.scope})" for automation in _users(webhook))
    if users and request.method != "POST":
        text = "It cannot be deleted while automations call it. Change or delete these first:"
        return Dialog(title=title, url=url, action="", text=text, items=users).shown(request)
    dialog = Dialog(
        title=title,
        url=url,
        action="Delete webhook",
        form=forms.Form(posted(request)),
        text=f"Nothing calls it. {webhook.url} will no longer be offered to automations.",
        danger=True,
    )
    return ask(request, dialog, act)


@login_required
@require_POST
def resume(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Button on a paused webhook."""
    found = team_to_edit(request, team)
    webhook = webhooks.resume(_webhook(found, pk), by=request.user)
    messages.success(request, f"Webhook {webhook.name} is called again.")
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
        title=f"Test webhook {webhook.name}",
        url=reverse("team_settings_test_webhook", args=[team, pk]),
        action="Send test",
        form=form,
        wide=True,
        body="automations/settings/_test.html",
        extra=extra,
    ).shown(request)


def _users(webhook: Webhook) -> Any:
    return webhook.automations.select_related(*SCOPES)


def _webhook(team: Team, pk: int) -> Webhook:
    webhook = (
        Webhook.objects.select_related("team", "access_token", "secret")
        .prefetch_related("headers__secret")
        .filter(team=team, pk=pk)
        .first()
    )
    if webhook is None:
        raise Http404(f"{team} has no such webhook.")
    return webhook
