from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from tests import factories

if TYPE_CHECKING:
    from django.urls import URLResolver

    from projects.models import Project, User

pytestmark = pytest.mark.django_db

# What names in addresses stand for, where there is such a thing.
NAMES = {"team": "research", "project": "digits", "organization": "acme", "registry": "models", "name": "ci"}


def routes(resolver: URLResolver, prefix: str = "/") -> Iterator[str]:
    """Every address of the server but the admin's, as it is written in the code."""
    for one in resolver.url_patterns:
        route = f"{prefix}{one.pattern}"
        if isinstance(one, URLPattern):
            yield route
        elif not route.startswith("/admin/"):
            yield from routes(one, route)


@pytest.mark.parametrize(
    ("address", "status"),
    [("/a%00b/", 404), ("/research/a%00b/", 404), ("/registries/acme/a%00b/", 404), ("/login?next=%00", 400)],
)
def test_a_nul_in_the_address_is_not_found_and_in_the_query_wrong(client: Client, address: str, status: int) -> None:
    assert client.get(address).status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        {"HX-Current-URL": "http://["},
        {"HX-Current-URL": "http://%5B", "HX-Current-URL-URI-AutoEncoded": "true"},
        {"HX-Current-URL": "http://testserver/?q=%00"},
        {"HX-Current-URL": "http://testserver/?q=\x00"},
    ],
)
def test_a_page_that_htmx_could_not_be_on_is_refused(
    project: Project, alice: User, client: Client, headers: dict[str, str]
) -> None:
    client.force_login(alice)
    headers |= {"HX-Request": "true"}
    assert client.post("/research/digits/runs-columns", {"column": ["", "loss"]}, headers=headers).status_code == 400
    assert client.post("/notices/read", headers=headers).status_code == 400


def test_the_api_says_so_in_a_problem_document(client: Client) -> None:
    response = client.get("/api/teams/?search=a%00b")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert "NUL" in response.json()["detail"]


def test_a_number_that_no_database_holds_is_the_number_of_nothing(alice: User, client: Client) -> None:
    team = factories.make_team(admin=alice)
    factories.make_project(team)
    factories.make_registry()
    client.force_login(alice)
    client.raise_request_exception = False
    numbered = [route for route in routes(get_resolver()) if "<int:" in route]
    assert len(numbered) > 50

    answers = {}
    for route in numbered:
        address = re.sub(r"<int:\w+>", "9" * 30, route)
        address = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: NAMES.get(found[1], "a"), address)
        answers |= {f"{way} {route}": getattr(client, way)(address).status_code for way in ("get", "post")}

    assert {route: status for route, status in answers.items() if status not in {403, 404, 405}} == {}
