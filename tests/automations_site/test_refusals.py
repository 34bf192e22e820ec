from __future__ import annotations

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("address", "status"),
    [("/a%00b/", 404), ("/research/a%00b/", 404), ("/registries/acme/a%00b/", 404), ("/login?next=%00", 400)],
)
def test_a_nul_in_the_address_is_not_found_and_in_the_query_wrong(client: Client, address: str, status: int) -> None:
    assert client.get(address).status_code == status


def test_the_api_says_so_in_a_problem_document(client: Client) -> None:
    response = client.get("/api/teams/?search=a%00b")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert "NUL" in response.json()["detail"]
