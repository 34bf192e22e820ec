"""A new webhook that starts from a well-known receiver (WH5)."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from automations.models import Webhook
from automations.presets import PRESETS, Preset
from projects.models import Team, User

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def browser(alice: User, team: Team) -> Client:
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def address(team: Team) -> str:
    return reverse("team_settings_create_webhook", args=[team.name])


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
def test_the_dialog_says_what_the_receiver_wants(browser: Client, address: str, preset: Preset) -> None:
    typed = {"name": "typed before", "url": "https://example.com/"}
    shown = browser.get(address, {"preset": preset.key, **typed}, headers=HTMX)

    assert shown.context["preset"] == preset
    assert shown.context["form"].initial == {**typed, "headers": dict(preset.headers)}
    text = shown.content.decode()
    assert preset.documentation in text
    assert preset.url in text


def test_a_preset_that_is_none_is_passed_over(browser: Client, address: str) -> None:
    shown = browser.get(address, {"preset": "fax"}, headers=HTMX)

    assert (shown.status_code, shown.context["preset"]) == (200, None)


def test_what_a_preset_began_is_saved_like_any_webhook(browser: Client, address: str) -> None:
    answers = {
        "preset": "github",
        "name": "dispatch",
        "url": "https://api.github.invalid/repos/acme/digits/dispatches",
        "signature_encoding": "base64",
        "headers": "Accept: application/vnd.github+json",
    }
    assert browser.post(address, answers).status_code == 302
    assert Webhook.objects.get().headers.get().value == "application/vnd.github+json"
