"""The page that shows every component."""

from __future__ import annotations

import pytest
from django.test import Client

from projects.models import User
from projects.templatetags.interface import STATUSES
from tests.conftest import ROOT

pytestmark = pytest.mark.django_db


def test_every_status_and_every_component_is_shown(client: Client, alice: User) -> None:
    client.force_login(alice)
    response = client.get("/design/")
    page = response.content.decode()
    for status in STATUSES.values():
        assert f"<span>{status}</span>" in page
    used = {template.name for template in response.templates}
    made = {f"components/{path.name}" for path in (ROOT / "templates" / "components").glob("*.html")}
    assert made <= used, sorted(made - used)


def test_the_forms_are_shown_with_their_errors(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert "This field is required." in client.get("/design/").content.decode()


def test_nobody_is_sent_to_sign_in(client: Client) -> None:
    assert client.get("/design/").headers["Location"].startswith("/login")
