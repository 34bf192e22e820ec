"""Signing in: guessing is stopped, and only for the one who guesses."""

import pytest
from django.conf import settings
from django.test import Client

from tests import factories

pytestmark = pytest.mark.django_db


def sign_in(username: str, password: str, *, address: str = "192.0.2.1") -> int:
    answer = Client(REMOTE_ADDR=address).post("/login", {"username": username, "password": password})
    return answer.status_code


def test_the_right_password_signs_in() -> None:
    factories.make_user("alice")
    assert sign_in("alice", factories.PASSWORD) == 302


def test_a_wrong_password_shows_the_form_again() -> None:
    factories.make_user("alice")
    answer = Client().post("/login", {"username": "alice", "password": "canary-guess"})
    assert answer.status_code == 200
    assert "canary-guess" not in answer.text


def test_guessing_is_stopped_with_a_page_that_says_for_how_long() -> None:
    factories.make_user("alice")
    client = Client(REMOTE_ADDR="192.0.2.1")
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = client.post("/login", {"username": "alice", "password": "a guess"})
    assert answer.status_code == 429
    assert "15 minutes" in answer.text
    assert sign_in("alice", factories.PASSWORD) == 429


def test_one_who_guesses_locks_nobody_else_out() -> None:
    factories.make_user("alice")
    factories.make_user("bob")
    for _ in range(settings.AXES_FAILURE_LIMIT):
        sign_in("alice", "a guess")
    assert sign_in("alice", factories.PASSWORD, address="192.0.2.2") == 302
    assert sign_in("bob", factories.PASSWORD) == 302


def test_signing_out_needs_a_post() -> None:
    client = Client()
    client.force_login(factories.make_user("alice"))
    assert client.get("/logout").status_code == 405
    assert client.post("/logout").status_code == 302
    assert "_auth_user_id" not in client.session
