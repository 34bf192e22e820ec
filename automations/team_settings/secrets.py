"""Dialogs of a team's settings that change its secrets. Values go in; none comes out (SE1)."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from automations.team_settings.page import address, channels_of, secrets_of, team_to_edit, webhooks_of
from projects.models import Team, User
from projects.pages import Dialog, PageRequest, ask, posted
from secrets_vault import secrets
from secrets_vault.forms import NewSecret, SecretValue
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
        messages.success(request, f"Secret {secret.name} created.")
        return address(found, "secrets")

    url = reverse("team_settings_create_secret", args=[team])
    text = "The value is sealed when it is saved and never shown again."
    return ask(request, Dialog(title="Create a secret", url=url, action="Create secret", form=form, text=text), act)


@login_required
@require_http_methods(["GET", "POST"])
def rotate(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: another value under the same name."""
    found = team_to_edit(request, team)
    secret = _secret(found, pk)
    form = SecretValue(posted(request))

    def act() -> str:
        secrets.rotate(secret, value=form.cleaned_data["value"], at=timezone.now())
        messages.success(request, f"Secret {secret.name} rotated.")
        return address(found, "secrets")

    url = reverse("team_settings_rotate_secret", args=[team, pk])
    text = "What uses the secret sends the new value from now on; the old one is gone."
    title = f"Rotate secret {secret.name}"
    return ask(request, Dialog(title=title, url=url, action="Rotate secret", form=form, text=text), act)


@login_required
@require_http_methods(["GET", "POST"])
def delete(request: PageRequest, team: str, pk: int) -> HttpResponse:
    """Dialog: whether to delete it, or what prevents that (SE3)."""
    found = team_to_edit(request, team)
    secret = _secret(found, pk)
    url = reverse("team_settings_delete_secret", args=[team, pk])
    title = f"Delete secret {secret.name}?"

    def act() -> str:
        try:
            secrets.delete(secret)
        except secrets.SecretInUse as error:
            raise ValidationError(str(error)) from error
        messages.success(request, f"Secret {secret.name} deleted.")
        return address(found, "secrets")

    users = _users(found, secret, viewer=request.user)
    if users and request.method != "POST":
        text = "It cannot be deleted while these use it:"
        return Dialog(title=title, url=url, action="", text=text, items=users).shown(request)
    dialog = Dialog(
        title=title,
        url=url,
        action="Delete secret",
        form=forms.Form(posted(request)),
        text="Nothing uses it. Its value cannot be brought back.",
        danger=True,
    )
    return ask(request, dialog, act)


def _users(team: Team, secret: Secret, *, viewer: User) -> list[str]:
    used = secrets_of(team, webhooks_of(team, viewer=viewer), channels_of(team, viewer=viewer))
    return dict(used).get(secret, [])


def _secret(team: Team, pk: int) -> Secret:
    secret: Secret | None = Secret.objects.filter(team=team, pk=pk).first()
    if secret is None:
        raise Http404(f"{team} has no such secret.")
    return secret
