from __future__ import annotations

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", ["/a%00b/", "/research/a%00b/", "/registries/acme/a%00b/", "/login?next=%00"])
def test_a_nul_in_the_address_is_a_bad_request(client: Client, address: str) -> None:
    assert client.get(address).status_code == 400


def test_the_api_says_so_in_a_problem_document(client: Client) -> None:
    response = client.get("/api/teams/?search=a%00b")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert "NUL" in response.json()["detail"]
