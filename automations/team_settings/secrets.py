"""Dialogs of a team's settings that change its secrets. Values go in; none comes out (SE1)."""

from __future__ import annotations

from datetime import timedelta
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
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from automations import changeover
from automations.team_settings.page import address, team_to_edit
from automations.uses import uses_of
from automations.webhooks import TestIsRunning
from projects.access import team_for
from projects.models import Team
from projects.pages import Dialog, PageRequest, ask, posted
from secrets_vault import secrets
from secrets_vault.forms import NewSecret, SecretValue, SecretVersion
from secrets_vault.models import Secret


@login_required
@require_http_methods(["GET", "POST"])
def create(request: PageRequest, team: str) -> HttpResponse:
    """Dialog: a new sealed value."""
    found = team_to_edit(request, team)
    form = NewSecret(posted(request))

    def act() -> str:
        secret = secrets.create(
            found, name=form.cleaned_data["name"], value=form.cleaned_data["value"], by=request.user
        )
        messages.success(request, _("Secret %(name)s created.") % {"name": secret.name})
        return address(found, "secrets")

    url = reverse("team_settings_create_secret", args=[team])
    text = _("The value is sealed when it is saved and never shown again.")
    return ask(
        request, Dialog(title=_("Create a secret"), url=url, action=_("Create secret"), form=form, text=text), act
    )


@login_required
@require_http_methods(["GET", "POST"])
def rotate(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: another value under the same name; the old one may sign for some time more (SE2)."""
    found = team_to_edit(request, team)
    secret = _secret(found, pk)
    form = SecretValue(posted(request), initial={"version": secret.version})

    def act() -> str:
        overlap = timedelta(hours=form.cleaned_data["overlap"])
        value, version = form.cleaned_data["value"], form.cleaned_data["version"]
        try:
            secrets.rotate(secret, value=value, by=request.user, at=timezone.now(), overlap=overlap, version=version)
        except secrets.RotatedMeanwhile as error:
            raise ValidationError(str(error)) from error
        told = _("Secret %(name)s rotated.")
        if overlap:
            told = _("Secret %(name)s rotated. Try its receivers before the old value ends.")
        messages.success(request, told % {"name": secret.name})
        return address(found, "secrets")

    url = reverse("team_settings_rotate_secret", args=[team, pk])
    text = _("What uses the secret sends the new value from now on.")
    title = _("Rotate secret %(name)s") % {"name": secret.name}
    dialog = Dialog(
        title=title,
        url=url,
        action=_("Rotate secret"),
        form=form,
        text=text,
        body="automations/settings/_rotate.html",
        extra={"secret": secret},
    )
    return ask(request, dialog, act)


@login_required
@require_http_methods(["GET", "POST"])
def end_old_value(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: whether only the new value signs from now on."""
    found = team_to_edit(request, team)
    secret = _secret(found, pk)
    form = SecretVersion(posted(request), initial={"version": secret.version})

    def act() -> str:
        try:
            secrets.end_old_value(secret, by=request.user, version=form.cleaned_data["version"])
        except secrets.RotatedMeanwhile as error:
            raise ValidationError(str(error)) from error
        messages.success(request, _("The old value of %(name)s has ended.") % {"name": secret.name})
        return address(found, "secrets")

    dialog = Dialog(
        title=_("End the old value of %(name)s now?") % {"name": secret.name},
        url=reverse("team_settings_end_old_value", args=[team, pk]),
        action=_("End the old value now"),
        form=form,
        text=_("Receivers that have not changed over refuse what is sent from then on. It cannot be brought back."),
        danger=True,
    )
    return ask(request, dialog, act)


@login_required
@require_safe
def uses(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: what uses the secret, and through that which automations (SE3)."""
    secret = _secret(team_for(request.user, team), pk)
    extra = {"uses": uses_of(secret, reader=request.user), "secret": secret}
    title, url = (
        _("Where %(name)s is used") % {"name": secret.name},
        reverse("team_settings_secret_uses", args=[team, pk]),
    )
    body = "automations/settings/_secret_uses.html"
    return Dialog(title=title, url=url, action="", body=body, extra=extra, wide=True).shown(request)


@login_required
@require_safe
def try_receivers(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: offers to send each receiver of the secret test messages."""
    secret = _secret(team_to_edit(request, team), pk)
    receivers = list(changeover.receivers_of(secret))
    extra = {"team": secret.team, "secret": secret, "receivers": receivers, "first": receivers[:1]}
    title, url = (
        _("Try the receivers of %(name)s") % {"name": secret.name},
        reverse("team_settings_try_receivers", args=[team, pk]),
    )
    body = "automations/settings/_try_receivers.html"
    return Dialog(title=title, url=url, action="", body=body, extra=extra, wide=True).shown(request)


@login_required
@require_POST
def try_receiver(request: PageRequest, team: str, pk: int, webhook: int) -> HttpResponse:
    """Part of that dialog: what came of trying one receiver; the next one is tried by itself."""
    secret = _secret(team_to_edit(request, team), pk)
    receivers = list(changeover.receivers_of(secret))
    at = next((index for index, one in enumerate(receivers) if one.pk == webhook), None)
    if at is None:
        raise Http404(_("%(name)s has no such receiver.") % {"name": secret.name})
    context: dict[str, Any] = {"team": secret.team, "secret": secret, "receiver": receivers[at]}
    try:
        context["finding"] = changeover.try_out(receivers[at], by=request.user)
    except (ValidationError, TestIsRunning) as error:
        context["problem"] = error.messages[0] if isinstance(error, ValidationError) else str(error)
    context["next"] = receivers[at + 1] if at + 1 < len(receivers) else None
    return render(request, "automations/settings/_try_answer.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def delete(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: whether to delete it, or what prevents that (SE3)."""
    found = team_to_edit(request, team)
    secret = _secret(found, pk)
    url = reverse("team_settings_delete_secret", args=[team, pk])
    title = _("Delete secret %(name)s?") % {"name": secret.name}

    def act() -> str:
        try:
            secrets.delete(secret, by=request.user)
        except secrets.SecretInUse as error:
            raise ValidationError(str(error)) from error
        messages.success(request, _("Secret %(name)s deleted.") % {"name": secret.name})
        return address(found, "secrets")

    users = [use.sentence for use in uses_of(secret, reader=request.user)]
    if users and request.method != "POST":
        text = _("It cannot be deleted while these use it:")
        return Dialog(title=title, url=url, action="", text=text, items=users).shown(request)
    dialog = Dialog(
        title=title,
        url=url,
        action=_("Delete secret"),
        form=forms.Form(posted(request)),
        text=_("Nothing uses it. Its value cannot be brought back."),
        danger=True,
    )
    return ask(request, dialog, act)


def _secret(team: Team, pk: int) -> Secret:
    secret: Secret | None = Secret.objects.select_related("team").filter(team=team, pk=pk).first()
    if secret is None:
        raise Http404(_("%(team)s has no such secret.") % {"team": team})
    return secret
