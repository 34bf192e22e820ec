"""API keys on the page of a team's settings: shown once, revoked by their owner only."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from projects import keys
from projects.models import ApiKey, Team, User

SignedIn = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def signed_in(db: None) -> SignedIn:
    """`signed_in(user)`: a browser in which the user is signed in."""

    def open_browser(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return open_browser


@pytest.fixture
def settings_url(team: Team) -> str:
    return reverse("team_settings", args=[team.name])


def test_a_key_is_shown_once_and_works(signed_in: SignedIn, team: Team, bob: User, settings_url: str) -> None:
    """AZ2"""
    browser = signed_in(bob)
    url = reverse("team_settings_create_key", args=[team.name])
    answer = browser.post(url, {"name": "gpu box"}, headers=HTMX)
    key = answer.context["key"]
    assert key in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert keys.user_of(key) == bob
    page = browser.get(settings_url).content.decode()
    assert "gpu box" in page
    assert key not in page


def test_a_revoked_key_ends_and_leaves_the_list(signed_in: SignedIn, team: Team, bob: User, settings_url: str) -> None:
    row, key = keys.create(bob, by=bob, name="old laptop")
    browser = signed_in(bob)
    browser.post(reverse("team_settings_revoke_key", args=[team.name, row.pk]), headers=HTMX)
    assert keys.user_of(key) is None
    assert "old laptop" not in browser.get(settings_url).content.decode()


def test_keys_of_others_are_neither_seen_nor_revoked(
    signed_in: SignedIn, team: Team, alice: User, bob: User, settings_url: str
) -> None:
    row, _ = keys.create(bob, by=bob, name="bobs machine")
    browser = signed_in(alice)
    assert "bobs machine" not in browser.get(settings_url).content.decode()
    assert browser.post(reverse("team_settings_revoke_key", args=[team.name, row.pk])).status_code == 404
    assert ApiKey.objects.get().revoked_at is None
