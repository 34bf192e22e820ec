"""What every answer tells the browser, and that the API's own pages live with it."""

import re

import pytest
from django.conf import settings
from django.test import Client

from projects.models import Project, User
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/login", "/api/docs/", "/healthz", "/nothing/here/at/all"])
def test_browsers_are_told_to_run_nothing_from_elsewhere(path: str) -> None:
    headers = Client().get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["object-src"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_the_api_pages_are_served_from_here_and_hold_no_inline_code() -> None:
    page = Client().get("/api/docs/").text
    assert re.findall(r'(?:src|href)="([^/][^"]*)"', page) == []
    assert "<style" not in page
    assert re.search(r"<script>", page) is None
    script = re.search(r'<script src="(/api/docs/\?script=[^"]*)"', page)
    assert script is not None
    assert "SwaggerUIBundle" in Client().get(script[1]).text


def test_the_schema_is_openapi_3_1() -> None:
    schema = Client().get("/api/schema/?format=json").json()
    assert schema["openapi"] == "3.1.0"
    assert schema["info"]["title"] == settings.SPECTACULAR_SETTINGS["TITLE"]
    assert "/api/schema/" not in schema["paths"]


def test_a_host_that_is_not_ours_is_refused() -> None:
    settings_hosts = Client(headers={"host": "evil.example"}).get("/login")
    assert settings_hosts.status_code == 400


def test_head_is_answered_wherever_get_is(client: Client, project: Project, alice: User) -> None:
    client.force_login(alice)
    shelf = factories.make_collection()
    link = factories.make_link(factories.make_version(project), shelf)
    assert shelf.registry is not None
    for path in (
        "/",
        "/projects/",
        project.team.get_absolute_url(),
        project.get_absolute_url(),
        factories.make_run(project).get_absolute_url(),
        "/registries/",
        shelf.registry.get_absolute_url(),
        shelf.get_absolute_url(),
        link.get_absolute_url(),
        "/teams/research/settings/",
    ):
        answer = client.head(path, follow=True)
        assert (answer.status_code, answer.content) == (200, b""), path
